package twiliosim

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// FaultKind is a way for a request to go wrong.
type FaultKind string

// The kinds of fault.
const (
	FaultLimit FaultKind = "429"     // answer 429, with RetryAfter if set; do nothing
	FaultHTML  FaultKind = "500html" // answer 502 with an HTML page; do nothing
	FaultError FaultKind = "error"   // answer Status with Twilio's error Code; do nothing
	FaultReset FaultKind = "reset"   // cut the connection; do nothing
	FaultLost  FaultKind = "lost"    // do it, then cut the connection
	FaultHang  FaultKind = "hang"    // do it, then never answer
	FaultCut   FaultKind = "cut"     // do it, then answer half
)

// A Fault makes the next matching requests go wrong.
type Fault struct {
	// Path is part of the address, such as "Messages.json" or "Executions"; empty: any.
	Path string
	// Method is "POST" or "GET"; empty: either.
	Method string
	Kind   FaultKind
	// Times is how many requests are hit. 0 means one; negative means all until ClearFaults.
	Times      int
	RetryAfter time.Duration
	Status     int
	Code       int
}

// Fail arms a fault. Faults are used in the order in which they were armed.
func (s *Sim) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	if f.Status == 0 {
		f.Status = http.StatusBadRequest
	}
	s.faults = append(s.faults, &f)
}

// ClearFaults disarms all faults.
func (s *Sim) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takeFault uses one hit of the first fault that matches.
func (s *Sim) takeFault(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if !strings.Contains(r.URL.Path, f.Path) || f.Method != "" && f.Method != r.Method {
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

// before applies a fault that comes before the work, and reports whether the request ends there.
func (f *Fault) before(w http.ResponseWriter) bool {
	switch f.Kind {
	case FaultLimit:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
		}
		refuse(http.StatusTooManyRequests, 20429, "Too Many Requests").write(w)
	case FaultHTML:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><body><h1>502 Bad Gateway</h1></body></html>"))
	case FaultError:
		refuse(f.Status, f.Code, "the fault that was asked for").write(w)
	case FaultReset:
		hangUp(w)
	default:
		return false
	}
	return true
}

// after applies a fault that comes after the work.
func (s *Sim) after(w http.ResponseWriter, r *http.Request, f *Fault, answer []byte, status int) {
	switch f.Kind {
	case FaultHang:
		select {
		case <-s.done:
		case <-r.Context().Done():
		}
	case FaultCut:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		w.WriteHeader(status)
		_, _ = w.Write(answer[:len(answer)/2])
		if flusher, ok := w.(http.Flusher); ok {
			flusher.Flush()
		}
		hangUp(w)
	default:
		hangUp(w)
	}
}

// hangUp closes the connection in the middle of a request, as a failing load balancer does.
func hangUp(w http.ResponseWriter) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	if conn, _, err := hijacker.Hijack(); err == nil {
		_ = conn.Close()
	}
}
