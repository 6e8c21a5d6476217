package answers_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/answers"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// Ann and Bo take turns, and Cy is in the team.
const (
	ann oncall.UserID = "U0ANN"
	bo  oncall.UserID = "U0BO"
	cy  oncall.UserID = "U0CY"

	annsPhone = "+12025550100"
	bosPhone  = "+12025550107"

	key = "0123456789abcdef0123456789abcdef"
)

// start is a Monday at noon in Berlin; Ann is on call.
var start = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

func payments() setup.Setup {
	return setup.Setup{
		Users: []setup.User{
			{Name: "ann", Slack: ann, Email: "ann@example.com", TimeZone: "Europe/Berlin"},
			{Name: "bo", Slack: bo, Email: "bo@example.com"},
			{Name: "cy", Slack: cy, Email: "cy@example.com"},
		},
		Teams: []setup.Team{{Name: "payments", Channel: "#payments", Members: []string{"cy", "ann", "bo"}}},
		Schedules: []setup.Schedule{{
			Name: "primary", Team: "payments", TimeZone: "Europe/Berlin",
			Rotations: []setup.Rotation{{
				Name: "weekly", Start: "2026-01-05 09:00", Every: "week", Turns: []setup.Turn{{"ann"}, {"bo"}},
			}},
		}},
		Policies: []setup.Policy{{
			Name: "default", Team: "payments",
			Steps: []setup.Step{
				{Page: []string{"schedule primary"}, Wait: "5m"},
				{Page: []string{"user bo"}, Wait: "10m"},
				{Page: []string{"user cy"}, Wait: "10m"},
			},
		}},
		Integrations: []setup.Integration{
			{Name: "grafana", Team: "payments", Format: "generic", Policy: "default", Key: key, Storm: "off"},
		},
	}
}

// A world is a database in which Ann is paged by SMS for some incidents.
type world struct {
	*store.System
	t   testing.TB
	url string
	now time.Time
	n   int // the answers so far
}

func newWorld(t testing.TB, incidents ...string) *world {
	t.Helper()
	w := &world{t: t, url: storetest.NewURL(t), now: start}
	w.System = w.another(w.url)
	_, err := w.Apply(t.Context(), payments(), store.ApplyOptions{Write: true}, start)
	w.check(err)
	w.pagedBySMS(ann, annsPhone)
	w.trigger(incidents...)
	return w
}

// another opens another store, as a second instance would.
func (w *world) another(url string) *store.System {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), url, store.Options{MaxConns: 4, Secrets: storetest.Secrets(), Log: zerolog.New(zerolog.NewTestWriter(w.t))})
	w.check(err)
	w.t.Cleanup(s.Close)
	return s
}

// addContact adds a verified contact method to a person.
func (w *world) addContact(user oncall.UserID, method oncall.Method, address string) oncall.ContactID {
	w.t.Helper()
	ctx := w.t.Context()
	c := must[oncall.Contact](w.t)(w.AddContact(ctx, oncall.ByTimer(), user, method, address, w.now))
	proof := must[store.Proof](w.t)(w.BeginProof(ctx, c.ID, [16]byte{7: 1}, w.now))
	w.check(w.ConfirmContact(ctx, oncall.ByTimer(), user, c.ID, proof.Code, w.now))
	return c.ID
}

// pagedBy makes one contact method the only one that pages a person.
func (w *world) pagedBy(user oncall.UserID, method oncall.Method, address string) {
	w.t.Helper()
	c := w.addContact(user, method, address)
	w.check(w.SetPreferences(w.t.Context(), oncall.ByTimer(), user, oncall.Preferences{High: []oncall.Rule{{Contact: c}}}, start))
}

func (w *world) pagedBySMS(user oncall.UserID, number string) {
	w.t.Helper()
	w.pagedBy(user, oncall.MethodSMS, number)
}

// trigger opens incidents.
func (w *world) trigger(names ...string) {
	w.t.Helper()
	if len(names) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := w.Run(ctx, func() time.Time { return w.now }); err != nil {
			w.t.Error(err)
		}
	})
	defer run.Wait()
	defer cancel()
	in := must[oncall.Integration](w.t)(w.IntegrationByKey(ctx, key, start))
	for _, name := range names {
		s := oncall.Signal{Action: oncall.Trigger, DedupKey: name, Title: name + " is full", Severity: oncall.High}
		w.check(w.Accept(ctx, in.ID, []oncall.Signal{s}, w.now))
	}
	storetest.Until(w.t, storetest.Timeout, "the inbox is empty", func() bool { return w.count(`SELECT count(*) FROM inbox`) == 0 })
}

// sms sends the pages by SMS that can be sent, and returns them.
func (w *world) sms() (orders []oncall.PageOrder) {
	w.t.Helper()
	for page := 1; page <= w.count(`SELECT count(*) FROM pages`); page++ {
		order := must[oncall.PageOrder](w.t)(w.BeginPage(w.t.Context(), oncall.SendPage{Page: oncall.PageID(page)}, int64(page), w.now))
		if !order.Send || order.Page.Method != oncall.MethodSMS {
			continue
		}
		w.check(w.RecordPage(w.t.Context(), order.Page.ID, oncall.PageAccepted{Ref: "SM1", Track: true}, w.now))
		orders = append(orders, order)
	}
	return orders
}

// handle handles an answer and returns the reply.
func (w *world) handle(a oncall.Answer) answers.Response {
	w.t.Helper()
	return must[answers.Response](w.t)(answers.Handle(w.t.Context(), w.Store, a, w.now))
}

// reply sends an SMS from a phone and returns the reply to it.
func (w *world) reply(from, text string) string {
	w.t.Helper()
	w.n++
	response := w.handle(oncall.Answer{Method: oncall.MethodSMS, ID: fmt.Sprint(w.n), From: from, Text: text})
	if response.Repeated {
		return ""
	}
	return response.Text
}

// presses answers a message by a button or a key, and returns the reply.
func (w *world) presses(method oncall.Method, page oncall.Page, act oncall.ActKind) string {
	w.t.Helper()
	w.n++
	return w.handle(oncall.Answer{
		Method: method, ID: fmt.Sprint(w.n), Message: oncall.MessageKey{Page: page.Key}, Intent: oncall.Intent{Kind: oncall.IntentAct, Act: act},
	}).Text
}

func (w *world) advance(d time.Duration) { w.now = w.now.Add(d) }

func (w *world) act(id oncall.IncidentID, by oncall.UserID, a oncall.Act) {
	w.t.Helper()
	_, err := w.Act(w.t.Context(), id, oncall.ByUser(by), a, w.now)
	w.check(err)
}

func (w *world) incident(id oncall.IncidentID) oncall.Incident {
	w.t.Helper()
	return must[oncall.Incident](w.t)(w.Incident(w.t.Context(), oncall.ByTimer(), id))
}

// status returns an incident's status, and how it was acknowledged.
func (w *world) status(id oncall.IncidentID) string {
	w.t.Helper()
	in := w.incident(id)
	return string(in.Status) + " " + in.AckedBy.Via
}

// events counts the events of one kind in all timelines.
func (w *world) events(kind oncall.EventKind) int {
	w.t.Helper()
	return w.count(`SELECT count(*) FROM incident_events WHERE kind = $1`, kind)
}

func (w *world) count(sql string, args ...any) (n int) {
	w.t.Helper()
	w.check(w.Pool().QueryRow(context.Background(), sql, args...).Scan(&n))
	return n
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.Pool().Exec(context.Background(), sql, args...)
	w.check(err)
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
