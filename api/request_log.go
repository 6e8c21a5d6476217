package api

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
)

// A statusRecorder remembers the status of the response.
type statusRecorder struct {
	http.ResponseWriter
	code int
}

func (r *statusRecorder) WriteHeader(code int) {
	if r.code == 0 && code >= 200 {
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *statusRecorder) Write(b []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController access to the connection.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// logRequests counts and logs requests by route, never by path, because a path may contain a key. It also confines a panic
// to its own request.
func (s *server) logRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w := &statusRecorder{ResponseWriter: rw}
		start := s.Clock()
		defer func() {
			begun := w.code != 0
			bad := recover()
			err, _ := bad.(error)
			abort := errors.Is(err, http.ErrAbortHandler)
			if bad != nil && !abort {
				s.Log.Error().Str("route", r.Pattern).Str("panic", redactPanic(bad)).
					Str("stack", string(debug.Stack())).Msg("request panicked")
				if !begun {
					newProblem(http.StatusInternalServerError, "Watchbill failed on this request; its log says where.").write(w)
				}
			}
			s.requests.WithLabelValues(r.Pattern, strconv.Itoa(w.code)).Inc()
			s.Log.Debug().Str("route", r.Pattern).Int("code", w.code).Str("from", r.RemoteAddr).
				Dur("took", s.Clock().Sub(start)).Msg("request")
			if abort || bad != nil && begun {
				panic(http.ErrAbortHandler) // a partial response must not look complete
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// redactPanic describes a panic without any text from the sender. Only runtime errors are certain to
// contain none.
func redactPanic(bad any) string {
	if err, ok := bad.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", bad)
}
