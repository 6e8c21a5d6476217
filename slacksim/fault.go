package slacksim

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// FaultKind names a way in which a call goes wrong.
type FaultKind string

// The kinds of fault.
const (
	FaultDelay  FaultKind = "delay"      // answer after Delay
	FaultBefore FaultKind = "500-before" // answer 500, nothing was done
	FaultAfter  FaultKind = "500-after"  // do it, then answer 500: the caller cannot know
	FaultReset  FaultKind = "reset"      // cut the connection, nothing was done
	FaultLost   FaultKind = "lost"       // do it, then cut the connection
	FaultLimit  FaultKind = "429"        // answer 429 with Retry-After, if RetryAfter is set
	FaultError  FaultKind = "error"      // answer ok:false with Code
	FaultHang   FaultKind = "hang"       // never answer
)

// Fault makes the next calls of a method go wrong.
type Fault struct {
	// Method is a method name, "views.*" for a family, "response_url", or "*" for everything.
	Method string `json:"method"`
	// Times is how many calls are hit; 0 means one, below zero means every call until ClearFaults.
	Times      int           `json:"times"`
	Kind       FaultKind     `json:"kind"`
	Delay      time.Duration `json:"delay,omitempty"`
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	Code       string        `json:"code,omitempty"`
}

// Fail arms a fault. Faults are used up in the order in which they were armed.
func (s *Sim) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	setDefault(&f.Times, 1)
	setDefault(&f.Method, "*")
	s.faults = append(s.faults, &f)
	s.wake()
}

// ClearFaults disarms all faults, including those of the sockets.
func (s *Sim) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.loseAcks, s.refusing, s.muted = nil, 0, 0, false
	s.wake()
}

// Faults lists the armed faults.
func (s *Sim) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Fault, 0, len(s.faults))
	for _, f := range s.faults {
		out = append(out, *f)
	}
	return out
}

// takeFault uses up one hit of the first matching fault.
func (s *Sim) takeFault(method string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		family, isFamily := strings.CutSuffix(f.Method, "*")
		if f.Method != method && (!isFamily || !strings.HasPrefix(method, family)) {
			continue
		}
		hit := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
		}
		return &hit
	}
	return nil
}

// faultBefore applies a fault that comes before the work, and reports whether the request ends there.
func (s *Sim) faultBefore(w http.ResponseWriter, r *http.Request, f *Fault) bool {
	switch f.Kind {
	case FaultDelay:
		s.sleep(f.Delay)
		return false
	case FaultBefore:
		http.Error(w, "internal error", http.StatusInternalServerError)
	case FaultReset:
		cut(w)
	case FaultLimit:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
		}
		writeJSON(w, http.StatusTooManyRequests, f.answer())
	case FaultError:
		writeJSON(w, http.StatusOK, f.answer())
	case FaultHang:
		select {
		case <-s.done:
		case <-r.Context().Done():
		}
	default:
		return false
	}
	return true
}

// faultAfter applies a fault that comes after the work, and reports whether it did.
func (s *Sim) faultAfter(w http.ResponseWriter, f *Fault, call Call, started time.Time) bool {
	if f == nil || f.Kind != FaultAfter && f.Kind != FaultLost {
		return false
	}
	s.record(call, started, f.status(), nil)
	if f.Kind == FaultLost {
		cut(w)
		return true
	}
	http.Error(w, "internal error", http.StatusInternalServerError)
	return true
}

// cut closes the connection under a request, as a failing load balancer does.
func cut(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

func (f *Fault) status() int {
	switch f.Kind {
	case FaultBefore, FaultAfter:
		return http.StatusInternalServerError
	case FaultLimit:
		return http.StatusTooManyRequests
	case FaultError:
		return http.StatusOK
	default:
		return 0
	}
}

func (f *Fault) answer() obj {
	switch f.Kind {
	case FaultLimit:
		return obj{"ok": false, "error": "ratelimited"}
	case FaultError:
		return obj{"ok": false, "error": f.Code}
	default:
		return nil
	}
}
