package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // act.html and act.css
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/answers"
	"github.com/watchbill/watchbill/oncall"
)

const (
	actTimeout = 10 * time.Second // for the database; a person is waiting
	actBody    = 4 << 10
)

var (
	//go:embed act.html
	actHTML string
	//go:embed act.css
	actStyle string

	actTemplate = template.Must(template.New("act").Parse(actHTML))
	actPolicy   = func() string {
		sum := sha256.Sum256([]byte(actStyle))
		return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	}()
)

// actPage is the page behind the link in a mail.
type actPage struct {
	Title     string
	Said      string // the result of the previous button press
	Name      string // of the person the mail was sent to
	Incidents []actIncident
	Buttons   []actButton

	code    int
	retryIn time.Duration
}

type actIncident struct{ ID, Title, Severity, Status string }

type actButton struct{ Do, Label string }

// Form returns a new name for the form, by which a form submitted twice is recognised.
func (actPage) Form() string { return rand.Text() }

// Style is inlined unchanged, because the Content-Security-Policy allows it by its hash.
func (actPage) Style() template.CSS { return template.CSS(actStyle) } //nolint:gosec // ours

// showActPage changes nothing, because mail scanners follow every link too.
func (s *server) showActPage(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), actTimeout)
	defer cancel()
	s.actPage(ctx, r, "").write(w)
}

// formActs lists the buttons of the form.
var formActs = map[string]oncall.ActKind{"a": oncall.ActAck, "r": oncall.ActResolve, "e": oncall.ActEscalate, "d": oncall.ActDecline}

// doAct carries out the pressed button. Each form has its own name, so that pressing the button twice,
// or submitting the form again after the response got lost, acts once and shows the same result.
func (s *server) doAct(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), actTimeout)
	defer cancel()
	r.Body = http.MaxBytesReader(w, r.Body, actBody)
	arrived := bodyWithin(w, r, formTimeout)
	do, known := formActs[r.PostFormValue("do")]
	arrived()
	if !known {
		w.Header().Set("Connection", "close") // the rest of the body may never arrive
		(&actPage{code: http.StatusBadRequest, Title: "This button is not known", Said: "Nothing was done. Open the link of the mail again."}).write(w)
		return
	}
	p := s.actPage(ctx, r, "")
	if p.code != http.StatusOK {
		p.write(w)
		return
	}
	a := oncall.Answer{Method: oncall.MethodEmail, Token: r.PathValue("token"), Intent: oncall.Intent{Kind: oncall.IntentAct, Act: do}}
	if form := r.PostFormValue("form"); form != "" { // forms of older releases have no name
		a.ID = fmt.Sprintf("form/%x", sha256.Sum256([]byte(a.Token+" "+form+" "+string(do))))
	}
	reply, err := answers.Handle(ctx, s.System.Store, a, s.Clock())
	if err != nil {
		s.actFailed(r, err).write(w)
		return
	}
	s.actPage(ctx, r, reply.Text).write(w)
}

// actPage builds the page for the link's token. The argument said is the result of the button.
func (s *server) actPage(ctx context.Context, r *http.Request, reply string) *actPage {
	token := r.PathValue("token")
	if !s.System.TokenIsKnown(token, s.Clock()) { // count the request before asking the database
		if wait, out := s.strikes.add(r.RemoteAddr, s.Clock()); out {
			return actTooMany(wait)
		}
	}
	m, err := s.System.ReadToken(ctx, token, s.Clock())
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return actGone(refusal.Error())
	}
	if errors.Is(err, oncall.ErrNotFound) {
		return actGone("What this link was about is no longer kept.")
	}
	if err != nil {
		return s.actFailed(r, err)
	}
	dir, err := s.System.Directory(ctx)
	if err != nil {
		return s.actFailed(r, err)
	}
	p := &actPage{code: http.StatusOK, Said: reply, Name: dir.Name(m.User)}
	open := len(m.Incidents) == 0
	for _, in := range m.Incidents {
		p.Incidents = append(p.Incidents, actIncident{
			ID: in.ID.String(), Title: in.Title, Severity: string(in.Severity), Status: string(in.Status),
		})
		open = open || in.Status != oncall.Resolved
	}
	switch n := len(m.Incidents); n {
	case 0:
		p.Title = "Can Watchbill reach you?"
		p.Buttons = []actButton{{"a", "Yes, I read this"}}
	case 1:
		p.Title = "Incident " + m.Incidents[0].ID.String()
	default:
		p.Title = fmt.Sprintf("%d incidents", n)
	}
	if open && len(m.Incidents) > 0 {
		p.Buttons = []actButton{{"a", "Acknowledge"}, {"r", "Resolve"}, {"e", "Escalate"}}
		if m.ToHelp() {
			p.Buttons = []actButton{{"a", "Accept"}, {"d", "Decline"}, {"r", "Resolve"}}
		}
	}
	return p
}

// actTooMany slows down guessing.
func actTooMany(wait time.Duration) *actPage {
	return &actPage{code: http.StatusTooManyRequests, retryIn: wait, Title: "Too many links that are not valid came from this address"}
}

// actGone answers an invalid token.
func actGone(why string) *actPage {
	return &actPage{code: http.StatusGone, Title: "Nothing to do here", Said: why + " The incident itself is in Slack."}
}

func (s *server) actFailed(r *http.Request, err error) *actPage {
	if r.Context().Err() == nil { // otherwise the client hung up
		s.outages.Error().Err(err).Msg("link of a mail not served")
	}
	return &actPage{
		code: http.StatusServiceUnavailable, retryIn: 5 * time.Second, Title: "That did not work",
		Said: "The database can't be reached. Try again, or act in Slack.",
	}
}

func (p *actPage) write(w http.ResponseWriter) {
	var out bytes.Buffer
	if err := actTemplate.Execute(&out, p); err != nil {
		panic(err) // the template does not match the struct
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", actPolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	if p.retryIn > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryIn.Seconds()))))
	}
	w.WriteHeader(p.code)
	_, _ = w.Write(out.Bytes()) // an error means that the client is gone
}
