package notify

import (
	"bufio"
	"io"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A fuzzMailServer mail server answers with the lines of a text, one after the other, and then hangs up. It hears
// a mail out after a 354.
type fuzzMailServer struct {
	l    net.Listener
	says atomic.Pointer[[]string]
	last atomic.Pointer[string] // the answer to the whole mail
}

// fuzzMailTimeout is how long it waits for what it expects, which nobody may mean to send.
const fuzzMailTimeout = 100 * time.Millisecond

func newFuzzMailServer(f *testing.F) *fuzzMailServer {
	f.Helper()
	l, err := new(net.ListenConfig).Listen(f.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	s := &fuzzMailServer{l: l}
	f.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *fuzzMailServer) serve(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(fuzzMailTimeout))
	in := bufio.NewReader(conn)
	heard := ""
	for _, answer := range *s.says.Load() {
		if _, err := io.WriteString(conn, answer+"\r\n"); err != nil {
			return
		}
		if strings.HasPrefix(answer, "354") && heard == "DATA" {
			for line := ""; line != ".\r\n"; {
				var err error
				if line, err = in.ReadString('\n'); err != nil {
					return
				}
			}
			heard = "."
			continue
		}
		if heard == "." {
			s.last.Store(&answer)
		}
		if len(answer) > 3 && answer[3] == '-' { // there is more
			continue
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		heard = strings.ToUpper(strings.Fields(line + " ?")[0])
	}
}

// Whatever a mail server answers, a receipt is sound, tells no password, and is none of success unless the
// server said so of the whole mail.
func FuzzMailAnswers(f *testing.F) {
	f.Add("220 localhost\n250-localhost\n250 AUTH PLAIN\n235 ok\n250 ok\n250 ok\n354 go on\n250 2.0.0 queued as SECRET\n221 bye")
	server := newFuzzMailServer(f)
	f.Fuzz(func(t *testing.T, script string) {
		lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(script, "\r", ""), "SECRET", fuzzSecret), "\n")
		if len(lines) > 40 {
			return
		}
		server.says.Store(&lines)
		server.last.Store(new(string))
		address := server.l.Addr().(*net.TCPAddr)
		m := NewMail(MailConfig{
			Host: "127.0.0.1", Port: address.Port, User: "watchbill", Password: fuzzSecret, TLS: MailPlain,
			From: mail.Address{Address: "watchbill@example.com"},
		})
		begun := time.Now()
		r := m.Send(t.Context(), fuzzPage("ann@example.com"))
		if took := time.Since(begun); took > mailLimit {
			t.Fatalf("it took %s, want at most %s", took, mailLimit)
		}
		if !slices.Contains([]Outcome{Accepted, Throttled, Rejected, Misconfigured, Unknown}, r.Outcome) || (r.Err == nil) != (r.Outcome == Accepted) || r.RetryAfter < 0 {
			t.Fatalf("the receipt is %+v, want a known outcome, and an error unless it is accepted", r)
		}
		if response := *server.last.Load(); r.Outcome == Accepted && !strings.HasPrefix(response, "2") {
			t.Fatalf("accepted after the response %q, want only after 2xx", response)
		}
		checkSayable(t, "the reference", r.Reference)
		if r.Err != nil {
			checkSayable(t, "the error", r.Err.Error())
		}
	})
}
