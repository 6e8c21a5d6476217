package view

import (
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	ann = oncall.UserID("U0ANN")
	bo  = oncall.UserID("U0BO")
	cy  = oncall.UserID("U0CY")
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func triggered() oncall.Picture {
	return oncall.Picture{
		Incident: oncall.Incident{
			ID: 12, Title: "Checkout fails", Body: "5 of 7 requests fail.", Link: "https://monitor.example.com/a?b=1&c=2",
			Severity: oncall.Critical, Status: oncall.Triggered, Version: 3, OpenedAt: noon, SignalCount: 1, LastSignalAt: noon,
		},
		Team: oncall.Team{ID: 1, Name: "Payments", Channel: "C0PAY"}, Integration: "Alertmanager", Policy: "Payments",
		AlertCount: 1, Firing: 1, Alerts: []oncall.Alert{{Title: "Checkout fails", Firing: true, Severity: oncall.Critical, FirstAt: noon, LastAt: noon, Count: 1}},
		Paged: []oncall.UserID{ann}, Next: &oncall.NextStep{At: noon.Add(5 * time.Minute), Users: []oncall.UserID{bo, cy}},
	}
}

// alertWithDetails returns an alert with many fields.
func alertWithDetails() oncall.Alert {
	return oncall.Alert{
		Title: "Checkout fails", Body: "5 of 7 requests fail.", Link: "https://monitor.example.com/a?b=1&c=2", Severity: oncall.Critical, Firing: true,
		Labels: map[string]string{"service": "checkout", "region": "<eu>"}, Details: map[string]string{"impact": "all shops"},
		Links:    []oncall.Link{{Text: "Runbook", URL: "https://run.example.com/checkout"}, {Text: "Dashboard", URL: "https://monitor.example.com/d"}},
		DedupKey: "checkout", FirstAt: noon, LastAt: noon, Count: 1,
	}
}

func acknowledged() oncall.Picture {
	p := triggered()
	at := noon.Add(2 * time.Minute)
	p.Incident.Status, p.Incident.AckedBy, p.Incident.AckedAt, p.Next = oncall.Acknowledged, oncall.ByUser(ann), &at, nil
	return p
}

func resolved() oncall.Picture {
	p := acknowledged()
	at := noon.Add(90 * time.Minute)
	p.Incident.Status, p.Incident.ResolvedBy, p.Incident.ResolvedAt = oncall.Resolved, oncall.ByIntegration("Alertmanager"), &at
	p.Incident.SignalCount, p.Incident.Flaps = 14, 2
	return p
}

func exhausted() oncall.Picture {
	p := triggered()
	p.Incident.Exhausted, p.Next, p.Paged = true, nil, []oncall.UserID{ann, bo, cy}
	return p
}

func snoozed() oncall.Picture {
	p := triggered()
	until := noon.Add(2 * time.Hour)
	p.Incident.Status, p.Incident.SnoozedBy, p.Incident.SnoozedUntil, p.Next = oncall.Snoozed, oncall.ByUser(bo), &until, nil
	return p
}

// ackedByOneOfTwo is acknowledged by one of two required people.
func ackedByOneOfTwo() oncall.Picture {
	p := triggered()
	p.Incident.Acks = []oncall.UserID{ann}
	p.Events = []oncall.Event{{Kind: oncall.EventAckCounted, Actor: oncall.ByUser(ann), Detail: oncall.Detail{Count: 1, Of: 2}}}
	return p
}

func stillAsked() oncall.Picture {
	p := acknowledged()
	at := noon.Add(time.Hour)
	p.Incident.AckAsked, p.Incident.NextAt = true, &at
	return p
}

// withResponders has asked three people to help, and is linked to others.
func withResponders() oncall.Picture {
	p := acknowledged()
	at := noon.Add(time.Hour)
	p.Incident.NextAt = &at
	p.Incident.Responders = []oncall.Responder{
		{User: bo, State: oncall.ResponderAccepted}, {User: cy, State: oncall.ResponderAsked}, {User: "U0DI", State: oncall.ResponderDeclined},
	}
	p.Incident.Links = []oncall.IncidentID{9, 10}
	return p
}

// askedEarly has asked a person to help before anybody acknowledged: that person can acknowledge, too.
func askedEarly() oncall.Picture {
	p := triggered()
	p.Incident.Responders = []oncall.Responder{{User: cy, State: oncall.ResponderAsked}}
	return p
}

func merged() oncall.Picture {
	p := resolved()
	p.Incident.MergedInto, p.Incident.ResolvedBy = 9, oncall.ByUser(ann)
	return p
}

// waitingForHours waits for a person's working hours.
func waitingForHours() oncall.Picture {
	p := triggered()
	p.Incident.Severity = oncall.Low
	p.Events = []oncall.Event{{Kind: oncall.EventPaging, Actor: oncall.ByTimer(), Detail: oncall.Detail{
		Step: 1, Run: 1, Users: []oncall.UserID{ann}, Until: noon.Add(20 * time.Hour),
	}}}
	p.Next.At = noon.Add(21 * time.Hour)
	return p
}

// nobodyInHours has paged nobody yet, because nobody on call is in working hours.
func nobodyInHours() oncall.Picture {
	p := triggered()
	p.Incident.Severity, p.Paged = oncall.Low, nil
	p.Next = &oncall.NextStep{At: noon.Add(20 * time.Hour), Users: []oncall.UserID{ann}}
	p.Events = []oncall.Event{{Kind: oncall.EventWaits, Actor: oncall.ByTimer(), Detail: oncall.Detail{
		Step: 1, Run: 1, Users: []oncall.UserID{ann}, Until: p.Next.At,
	}}}
	return p
}

// channelOnly has paged a channel but no person.
func channelOnly() oncall.Picture {
	p := triggered()
	p.Paged = nil
	p.Events = []oncall.Event{{Kind: oncall.EventPaging, Actor: oncall.ByTimer(), Detail: oncall.Detail{
		Step: 1, Run: 1, To: []string{"#ops", "hooks.example.com"},
	}}}
	return p
}

func unassigned() oncall.Picture {
	p := triggered()
	p.Incident.Unassigned = true
	return p
}

// A private team's incident doesn't reveal whom its policy pages next.
func TestNextStepOfPrivateTeamIsHidden(t *testing.T) {
	t.Parallel()
	p := triggered()
	p.Policy, p.Next = "of a private team", &oncall.NextStep{At: noon.Add(5 * time.Minute), Private: true}
	got := text(t, Incident(p))
	for _, want := range []string{"policy of a private team", "to people of a private team."} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing: %s", want, got)
		}
	}
}

func TestIncidentShowsThatNobodyCouldBePaged(t *testing.T) {
	t.Parallel()
	p := exhausted()
	p.NobodyNotified = true
	want := "Nobody has answered, and nobody could be told."
	if text := Incident(p).Text; !strings.Contains(text, want) || strings.Contains(text, "team was told") {
		t.Errorf("the message says %q, want %q", text, want)
	}
}

func lastStep() oncall.Picture {
	p := triggered()
	p.Next = &oncall.NextStep{At: noon.Add(5 * time.Minute), Exhausts: true, Users: []oncall.UserID{ann, bo}}
	return p
}

func several() oncall.Picture {
	p := triggered()
	p.AlertCount, p.Firing = 13, 9
	p.Alerts = nil
	for i := range oncall.MaxPictured {
		p.Alerts = append(p.Alerts, oncall.Alert{
			Title: "Node is down", Link: "https://monitor.example.com/", Firing: i < 9,
			Labels: map[string]string{"alertname": "NodeDown", "instance": fmt.Sprintf("node-%d", i+1), "rack": string(rune('a' + i/5))},
		})
	}
	return p
}

// hostile has hostile text of the maximum length in everything that others can write.
func hostile() oncall.Picture {
	nasty := strings.Repeat("<!here> & <@U0BO> *bold*\n", 4000) + "\x00\xff"
	p := several()
	p.Incident.Title, p.Incident.Body = nasty, nasty
	p.Incident.Link = "javascript:alert(1)"
	p.Incident.Severity = oncall.Severity(strings.Repeat("é", 100))
	p.Team.Name, p.Integration, p.Policy = nasty, nasty, nasty
	for i := range p.Alerts {
		p.Alerts[i].Labels = map[string]string{nasty: nasty, fmt.Sprint(i): nasty}
		p.Alerts[i].Title, p.Alerts[i].Link = nasty, "https://example.com/"+strings.Repeat("&", 70)
	}
	p.Paged = nil
	for i := range 300 {
		p.Paged = append(p.Paged, oncall.UserID(fmt.Sprintf("U%010d", i)))
	}
	p.Next.Users = p.Paged
	return p
}

func TestIncidentIsDrawnInEachState(t *testing.T) {
	t.Parallel()
	drawings := map[string]Drawing{
		"triggered":    Incident(triggered()),
		"acknowledged": Incident(acknowledged()),
		"resolved":     Incident(resolved()),
		"exhausted":    Incident(exhausted()),
		"last_step":    Incident(lastStep()),
		"several":      Incident(several()),
		"direct":       Page(triggered(), ann, oncall.Say("you are on call in Payments")),
		"direct_acked": Page(acknowledged(), ann, oncall.Say("you are on call in Payments")),
		"snoozed":      Incident(snoozed()),
		"counted":      Incident(ackedByOneOfTwo()),
		"still_asked":  Incident(stillAsked()),
		"helped":       Incident(withResponders()),
		"helped_asked": Page(withResponders(), cy, oncall.Say("%s asks you to help", ann)),
		"asked_early":  Page(askedEarly(), cy, oncall.Say("%s asks you to help", ann)),
		"merged":       Incident(merged()),
		"unassigned":   Incident(unassigned()),
		"held":         Incident(waitingForHours()),
		"waiting":      Incident(nobodyInHours()),
		"channel_only": Incident(channelOnly()),
		"bare":         Incident(oncall.Picture{Incident: oncall.Incident{ID: 1, Status: oncall.Triggered, OpenedAt: noon}}),
	}
	for name, d := range drawings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, name, d)
		})
	}
}

func TestDrawEscapesForeignText(t *testing.T) {
	t.Parallel()
	d := Page(hostile(), ann, oncall.Say("%s asks you to help: %s", cy, strings.Repeat("<!channel> <@U0BO>", 1000)))
	checkLimits(t, d)
	all, err := json.Marshal(d.Blocks)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(all), d.Text} {
		for _, bad := range []string{"<!here>", `\u003c!here`, "<!channel>", `\u003c!channel`, "javascript:", "<@U0BO>", `\u003c@U0BO`} {
			if strings.Contains(text, bad) {
				t.Errorf("the drawing contains %q, want it escaped", bad)
			}
		}
	}
}

// checkLimits checks a drawing against Slack's limits.
func checkLimits(t *testing.T, d Drawing) {
	t.Helper()
	most := func(what, text string, limit int) {
		if n := utf8.RuneCountInString(text); n > limit || n == 0 {
			t.Errorf("%s has %d characters, want 1 to %d", what, n, limit)
		}
		if !utf8.ValidString(text) {
			t.Errorf("%s is not valid UTF-8, want it valid", what)
		}
	}
	most("the text", d.Text, MaxText)
	if len(d.Blocks) > 50 {
		t.Errorf("the drawing has %d blocks, want at most 50", len(d.Blocks))
	}
	for _, block := range d.Blocks {
		switch b := block.(type) {
		case *slack.SectionBlock:
			if b.Text != nil {
				most("a section", b.Text.Text, maxSection)
				if !b.Text.Verbatim {
					t.Error("a section is not verbatim, want it to be")
				}
			}
			if len(b.Fields) > 10 {
				t.Errorf("a section has %d fields, want at most 10", len(b.Fields))
			}
			for _, f := range b.Fields {
				most("a field", f.Text, maxField)
			}
		case *slack.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				most("a context element", e.(*slack.TextBlockObject).Text, maxSection)
			}
		case *slack.ActionBlock:
			for _, e := range b.Elements.ElementSet {
				switch e := e.(type) {
				case *slack.ButtonBlockElement:
					most("a button", e.Text.Text, 75)
				case *slack.OverflowBlockElement:
					if n := len(e.Options); n < 2 || n > maxMenu {
						t.Errorf("a menu has %d options, want 2 to %d", n, maxMenu)
					}
					for _, o := range e.Options {
						most("an option", o.Text.Text, 75)
						most("the value of an option", o.Value, 75)
					}
				default:
					t.Errorf("unexpected element %T", e)
				}
			}
		default:
			t.Errorf("unexpected block %T", block)
		}
	}
}

func TestThreadTextTellsWhatHappened(t *testing.T) {
	t.Parallel()
	event := func(k oncall.EventKind, by oncall.Actor, d oncall.Detail) oncall.Event {
		return oncall.Event{Kind: k, Actor: by, Detail: d}
	}
	by := func(method oncall.Method) oncall.Actor { return oncall.Actor{User: ann, Via: string(method)} }
	timer, monitor, person := oncall.ByTimer(), oncall.ByIntegration("Prom & Co"), oncall.ByUser(ann)
	cases := []struct {
		event oncall.Event
		want  string
		loud  bool
	}{
		{event(oncall.EventPaging, timer, oncall.Detail{Step: 1, Run: 1, Users: []oncall.UserID{ann}}), "", false}, // the message shows it
		{event(oncall.EventPaging, timer, oncall.Detail{Step: 2, Run: 1, Users: []oncall.UserID{ann, bo}}), "Paged <@U0ANN> and <@U0BO> (step 2).", false},
		{event(oncall.EventPaging, timer, oncall.Detail{Round: 2, Step: 1, Run: 1, Users: []oncall.UserID{bo}}), "Paged <@U0BO> (step 1, round 2).", false},
		{event(oncall.EventPaging, timer, oncall.Detail{Step: 2, Run: 3, Users: []oncall.UserID{ann}}), "Paged <@U0ANN> (step 2, time 3).", false},
		{event(oncall.EventSkipped, timer, oncall.Detail{Step: 2, Run: 1}), "Nobody to page in step 2; the next step follows at once.", false},
		{event(oncall.EventExhausted, timer, oncall.Detail{Users: []oncall.UserID{ann}}), "Nobody has answered. The whole team was told: <@U0ANN>.", true},
		{event(oncall.EventExhausted, timer, oncall.Detail{}), "<!channel> Nobody has answered, and nobody could be told: the team has no members.", true},
		{event(oncall.EventNobodyNotified, timer, oncall.Detail{}), "<!channel> Nobody has answered, and nobody could be told.", true},
		{event(oncall.EventUnreached, timer, oncall.Detail{Round: 1, Step: 2, Run: 1}), "Nobody could be reached in step 2; the next step follows at once.", false},
		{event(oncall.EventAcknowledged, person, oncall.Detail{}), "<@U0ANN> acknowledged it.", false},
		{event(oncall.EventAcknowledged, by(oncall.MethodSMS), oncall.Detail{}), "<@U0ANN> acknowledged it by SMS.", false},
		{event(oncall.EventResolved, by(oncall.MethodVoice), oncall.Detail{}), "<@U0ANN> resolved it by phone.", false},
		{event(oncall.EventAckCounted, by(oncall.MethodEmail), oncall.Detail{Count: 1, Of: 2}), "<@U0ANN> acknowledged it by mail: 1 of 2 have.", false},
		{event(oncall.EventEscalated, by(oncall.MethodTelegram), oncall.Detail{}), "<@U0ANN> wants the next step now, by Telegram.", false},
		{event(oncall.EventEscalated, person, oncall.Detail{}), "<@U0ANN> wants the next step now.", false},
		{event(oncall.EventResolved, monitor, oncall.Detail{}), "Prom &amp; Co resolved it.", false},
		{event(oncall.EventReopened, monitor, oncall.Detail{Text: "the monitor fires again"}), "Prom &amp; Co reopened it: the monitor fires again.", false},
		{event(oncall.EventSeverity, monitor, oncall.Detail{Text: "low to critical"}), "The severity went from low to critical.", false},
		{event(oncall.EventPageFailed, timer, oncall.Detail{Users: []oncall.UserID{bo}, Method: "slack", Text: "account_inactive"}), "<@U0BO> could not be reached by Slack: account_inactive.", false},
		{event(oncall.EventPageFailed, timer, oncall.Detail{Method: "webhook", Text: "HTTP status 404"}), "The webhook could not be reached: HTTP status 404.", false},
		{event(oncall.EventPageBlocked, timer, oncall.Detail{Users: []oncall.UserID{bo}, Method: "slack", Text: "token_revoked"}), "<@U0BO> could not be reached by Slack: token_revoked; it is tried again until somebody has put that right.", false},
		{event(oncall.EventPaging, timer, oncall.Detail{Step: 1, Run: 1, Users: []oncall.UserID{ann}, To: []string{"C0PAY", "hooks.example.com"}, Until: noon}), "Paged 1 person, <#C0PAY> and hooks.example.com (step 1); low severity waits for working hours, until <!date^1772452800^{date_short_pretty} {time}|Mon 2 Mar 12:00 UTC>.", false},
		{event(oncall.EventSkipped, timer, oncall.Detail{Step: 2, Run: 1, Text: "it is only for severity low"}), "Skipped step 2: it is only for severity low.", false},
		{event(oncall.EventPassedOn, timer, oncall.Detail{Text: "Data"}), "The escalation policy Data takes over.", false},
		{event(oncall.EventWaits, timer, oncall.Detail{Step: 1, Run: 1, Users: []oncall.UserID{ann}, Until: noon}), "Low severity waits for working hours, until <!date^1772452800^{date_short_pretty} {time}|Mon 2 Mar 12:00 UTC>.", false},
		{event(oncall.EventPassedOn, timer, oncall.Detail{Text: "Data", Until: noon}), "The escalation policy Data takes over at <!date^1772452800^{time}|Mon 2 Mar 12:00 UTC>.", false},
		{event(oncall.EventUnassigned, timer, oncall.Detail{Users: []oncall.UserID{bo}}), "The escalation policy has nobody to page. Paged instead: <@U0BO>.", true},
		{event(oncall.EventUnreached, timer, oncall.Detail{}), "None of those who were paged could be reached; the next step follows at once.", false},
		{event(oncall.EventReopened, person, oncall.Detail{}), "<@U0ANN> reopened it.", false},
		{event(oncall.EventAckCounted, person, oncall.Detail{Count: 1, Of: 2}), "<@U0ANN> acknowledged it: 1 of 2 have.", false},
		{event(oncall.EventUnacknowledged, person, oncall.Detail{Users: []oncall.UserID{ann}}), "<@U0ANN> gave it back: it pages again.", false},
		{event(oncall.EventUnacknowledged, person, oncall.Detail{Users: []oncall.UserID{bo}}), "<@U0ANN> took it from <@U0BO>: it pages again.", false},
		{event(oncall.EventUnacknowledged, timer, oncall.Detail{Text: "no answer", Users: []oncall.UserID{bo}}), "It pages again: no answer.", false},
		{event(oncall.EventStillOnAsked, timer, oncall.Detail{Users: []oncall.UserID{bo}, Until: noon}), "<@U0BO> is asked: still on it? Without an answer it pages again at <!date^1772452800^{time}|Mon 2 Mar 12:00 UTC>.", false},
		{event(oncall.EventStillOn, person, oncall.Detail{}), "<@U0ANN> is still on it.", false},
		{event(oncall.EventSnoozed, person, oncall.Detail{Until: noon}), "<@U0ANN> snoozed it until <!date^1772452800^{date_short_pretty} {time}|Mon 2 Mar 12:00 UTC>.", false},
		{event(oncall.EventUnsnoozed, person, oncall.Detail{Users: []oncall.UserID{bo}}), "<@U0ANN> ended the snooze: it pages again.", false},
		{event(oncall.EventUnsnoozed, timer, oncall.Detail{Text: "it is critical now"}), "The snooze is over, it is critical now: it pages again.", false},
		{event(oncall.EventEscalated, person, oncall.Detail{}), "<@U0ANN> wants the next step now.", false},
		{event(oncall.EventReassigned, person, oncall.Detail{Users: []oncall.UserID{bo}}), "<@U0ANN> reassigned it to <@U0BO>.", false},
		{event(oncall.EventReassigned, person, oncall.Detail{Text: "Data & Co"}), "<@U0ANN> reassigned it to the escalation policy Data &amp; Co.", false},
		{event(oncall.EventAsked, person, oncall.Detail{Users: []oncall.UserID{cy}, Text: "the <db>"}), "<@U0ANN> asked <@U0CY> to help: the &lt;db&gt;.", false},
		{event(oncall.EventAccepted, person, oncall.Detail{Users: []oncall.UserID{bo}}), "<@U0ANN> helps. (Asked by <@U0BO>.)", false},
		{event(oncall.EventDeclined, person, oncall.Detail{}), "<@U0ANN> can't help.", false},
		{event(oncall.EventVerdict, person, oncall.Detail{Names: []string{"noise"}}), "<@U0ANN>: it was noise.", false},
		{event(oncall.EventVerdict, person, oncall.Detail{Names: []string{"real"}, Text: "<!here> restarted"}), "<@U0ANN>: it was real; what helped: &lt;!here&gt; restarted.", false},
		{event(oncall.EventNote, person, oncall.Detail{Text: "restarted\n<!here>"}), "<@U0ANN>: restarted\n&lt;!here&gt;", false},
		{event(oncall.EventLinked, person, oncall.Detail{Incident: 9}), "<@U0ANN> linked it with #9.", false},
		{event(oncall.EventMerged, person, oncall.Detail{Incident: 9}), "<@U0ANN> merged #9 into it.", false},
		{event(oncall.EventMergedInto, person, oncall.Detail{Incident: 9}), "<@U0ANN> merged it into #9.", false},
		{event(oncall.EventPageDelivered, timer, oncall.Detail{Users: []oncall.UserID{bo}}), "", false},
	}
	var all []oncall.Event
	var want []string
	for _, c := range cases {
		text, loud := threadText([]oncall.Event{c.event})
		if text != c.want || loud != c.loud {
			t.Errorf("%s: got %q, loud %t; want %q, loud %t", c.event.Kind, text, loud, c.want, c.loud)
		}
		all = append(all, c.event)
		if c.want != "" {
			want = append(want, c.want)
		}
	}
	if text, loud := threadText(all); text != strings.Join(want, "\n") || !loud {
		t.Errorf("the reply to several events is %q, loud %t; want their lines, loud", text, loud)
	}
	var many []oncall.Event
	for range 500 {
		many = append(many, cases[1].event)
	}
	text, _ := threadText(many)
	if n := utf8.RuneCountInString(text); n > maxSection || !strings.Contains(text, "earlier events left out\n") {
		t.Errorf("the reply to 500 events has %d characters, want at most %d, and that earlier ones are left out: %q …", n, maxSection, text[:60])
	}
}
