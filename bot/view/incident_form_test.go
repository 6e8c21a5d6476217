package view

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// overviewOf returns Ann's overview of an incident.
func overviewOf(p oncall.Picture) IncidentOverview {
	return IncidentOverview{Picture: p, Reader: ann, Zone: time.UTC, Now: noon}
}

func TestIncidentForms(t *testing.T) {
	t.Parallel()
	s := overviewOf(triggered())
	s.Others = []oncall.Incident{
		{ID: 7, TeamID: 2, Title: "Elsewhere"}, {ID: 8, TeamID: 1, Title: "Payments\nare slow"}, {ID: 9, TeamID: 1, Title: strings.Repeat("long ", 30)},
	}
	s.Picture.Incident.TeamID = 1
	s.Policies = map[oncall.PolicyID]oncall.Policy{1: {ID: 1, TeamID: 1, Name: "Payments"}, 2: {ID: 2, Name: "Data"}}
	golden(t, "incident_snooze", s.SnoozeForm())
	golden(t, "incident_reassign", s.ReassignForm())
	golden(t, "incident_ask", s.AskForm())
	golden(t, "incident_note", s.NoteForm())
	golden(t, "incident_severity", s.SeverityForm())
	golden(t, "incident_merge", s.MergeForm())
	into := acknowledged().Incident
	into.ID, into.Title = 9, "errors on <web>"
	with := s
	with.Into = &into
	golden(t, "incident_merge_into", with.MergeForm())
	s.Others = nil
	golden(t, "incident_merge_none", s.MergeForm())
}

func TestPrivateTeamIsOfferedOnlyItsOwnPolicies(t *testing.T) {
	t.Parallel()
	policies := map[oncall.PolicyID]oncall.Policy{1: {ID: 1, TeamID: 1, Name: "Payments"}, 2: {ID: 2, TeamID: 2, Name: "Data"}}
	if got := policyOptions(policies, 1, true); len(got) != 1 || got[0].label != "Payments" {
		t.Errorf(`offered: %+v; want one, with the label "Payments"`, got)
	}
	if got := policyOptions(policies, 1, false); len(got) != 2 {
		t.Errorf("offered: %+v, want 2 entries", got)
	}
}

func TestMergeOffersTheLatestOfTheTeamFirst(t *testing.T) {
	t.Parallel()
	s := overviewOf(triggered())
	s.Picture.Incident.TeamID = 1
	for i := range 300 {
		s.Others = append(s.Others, oncall.Incident{ID: oncall.IncidentID(i + 100), TeamID: oncall.TeamID(1 + i%2), Title: "x"})
	}
	field := s.MergeForm().Blocks.BlockSet[1].(*slack.InputBlock)
	options := field.Element.(*slack.SelectBlockElement).Options
	if len(options) != maxOptions || options[0].Value != "398" || options[99].Value != "200" {
		t.Errorf("%d options from %s to %s, want %d from 398 to 200", len(options), options[0].Value, options[len(options)-1].Value, maxOptions)
	}
	if !strings.Contains(field.Hint.Text, "/oncall merge 12 into 9") {
		t.Errorf("the hint is %q, want the command for other incidents in it", field.Hint.Text)
	}
}

func TestIncidentOverview(t *testing.T) {
	t.Parallel()
	ended := noon.Add(time.Second)
	page := func(method oncall.Method, why oncall.Sentence, state oncall.PageState, at time.Time) Attempt {
		p := Attempt{Page: oncall.Page{Call: oncall.Call{UserID: ann, Method: method, Why: why, At: at, CallSeq: 1}}, State: state}
		if state != oncall.PageWaiting {
			p.Ended = &ended
		}
		return p
	}
	s := overviewOf(triggered())
	onCall, asked := oncall.Say("you are on call in payments"), oncall.Say("%s asks you to help", bo)
	s.Pages = []Attempt{
		page(oncall.MethodSlack, onCall, oncall.PageDelivered, time.Time{}), page(oncall.MethodVoice, onCall, oncall.PageWaiting, noon.Add(time.Minute)),
		page(oncall.MethodSMS, asked, oncall.PageFailed, time.Time{}), page(oncall.MethodEmail, asked, oncall.PageSkipped, time.Time{}),
		page(oncall.MethodNtfy, asked, oncall.PageWaiting, time.Time{}),
	}
	s.Reach = map[oncall.UserID]oncall.ContactSettings{bo: {Contacts: []oncall.Contact{{ID: 3, Method: oncall.MethodVoice}, {ID: 4, Method: oncall.MethodSMS}}}}
	after := noon.Add
	s.Plan = []oncall.PlanEntry{
		{At: after(5 * time.Minute), Kind: oncall.EventSkipped, Round: 1, Step: 2, Run: 1, Skipped: "it is only for severity low"},
		{At: after(5 * time.Minute), Kind: oncall.EventPaging, Round: 1, Step: 3, Run: 1, People: []oncall.PlannedPerson{
			{User: bo, Why: oncall.Say("you are on call in <ops>"), At: after(5 * time.Minute), Rules: []oncall.Rule{{}, {Contact: 3, After: 60}, {Contact: 4, After: 180}}},
			{User: ann, Why: oncall.Say("the escalation policy names you"), At: after(24*time.Hour + oncall.GatherTime), Rules: []oncall.Rule{{}}},
		}},
		{At: after(6 * time.Minute), Kind: oncall.EventPaging, Round: 1, Step: 3, Run: 2, Channels: []string{"C0PAY", "#ops"}, Webhooks: []string{"hooks.example.com"}},
		{At: after(7 * time.Minute), Kind: oncall.EventPassedOn, Note: oncall.Say("The escalation policy %s takes over.", "<Data>")},
		{At: after(8 * time.Minute), Kind: oncall.EventUnassigned, People: []oncall.PlannedPerson{{User: cy, Why: oncall.Say("you stand in where nobody is on call"), At: after(8 * time.Minute)}}},
		{At: after(13 * time.Hour), Kind: oncall.EventExhausted, Exhausts: true, People: []oncall.PlannedPerson{{User: ann}, {User: bo}}},
	}
	s.Picture.Alerts = []oncall.Alert{alertWithDetails()}
	golden(t, "incident_overview", s.Draw())
	golden(t, "incident_overview_asked", IncidentOverview{Picture: withResponders(), Reader: cy, Zone: time.UTC, Now: noon}.Draw())
	golden(t, "incident_overview_resolved", overviewOf(resolved()).Draw())
	for _, p := range []oncall.Picture{snoozed(), stillAsked(), ackedByOneOfTwo(), exhausted(), merged(), hostile()} {
		v := overviewOf(p).Draw()
		checkView(t, v)
		seen := map[string]bool{}
		at := slices.IndexFunc(v.Blocks.BlockSet, func(b slack.Block) bool { return b.ID() == "deeds" })
		for _, e := range v.Blocks.BlockSet[at].(*slack.ActionBlock).Elements.ElementSet {
			id := e.(*slack.ButtonBlockElement).ActionID
			if seen[id] {
				t.Errorf("%s: the button %s occurs twice, want it once", p.Incident.Status, id)
			}
			seen[id] = true
		}
	}
}

func TestTimelineTellsEachEvent(t *testing.T) {
	t.Parallel()
	p := acknowledged()
	add := func(kind oncall.EventKind, by oncall.Actor, d oncall.Detail) {
		p.Events = append(p.Events, oncall.Event{At: noon.Add(time.Duration(len(p.Events)) * time.Second), Kind: kind, Actor: by, Detail: d})
	}
	add(oncall.EventOpened, oncall.ByIntegration("Prom & Co"), oncall.Detail{Text: "Checkout fails"})
	add(oncall.EventPaging, oncall.ByTimer(), oncall.Detail{Step: 1, Run: 1, Users: []oncall.UserID{ann}})
	add(oncall.EventPageDelivered, oncall.ByTimer(), oncall.Detail{Users: []oncall.UserID{ann}, Method: oncall.MethodSlack})
	add(oncall.EventPageReceipt, oncall.ByTimer(), oncall.Detail{Users: []oncall.UserID{ann}, Method: oncall.MethodVoice, Text: "unanswered"})
	add(oncall.EventAlertJoined, oncall.ByIntegration("Prom & Co"), oncall.Detail{Text: "Carts fail"})
	add(oncall.EventAcknowledged, oncall.ByUser(ann), oncall.Detail{})
	add(oncall.EventAlertResolved, oncall.ByIntegration("Prom & Co"), oncall.Detail{Text: "Carts fail"})
	golden(t, "incident_timeline", overviewOf(p).Timeline())

	for range 3000 {
		add(oncall.EventNote, oncall.ByUser(bo), oncall.Detail{Text: strings.Repeat("<nasty> ", 250)})
	}
	add(oncall.EventResolved, oncall.ByUser(ann), oncall.Detail{})
	v := overviewOf(p).Timeline()
	checkView(t, v)
	blocks := v.Blocks.BlockSet
	last := blocks[len(blocks)-1].(*slack.SectionBlock).Text.Text
	if !strings.HasSuffix(last, "<@U0ANN> resolved it.") {
		t.Errorf("the timeline ends with …%s, want the newest line", last[max(0, len(last)-100):])
	}
	left := blocks[1].(*slack.ContextBlock).ContextElements.Elements[0].(*slack.TextBlockObject).Text
	if !strings.HasSuffix(left, "earlier lines left out.") {
		t.Errorf("the note about omitted lines is %q, want their number", left)
	}
}

// checkView checks a view against Slack's limits.
func checkView(t *testing.T, v slack.ModalViewRequest) {
	t.Helper()
	if n := utf8.RuneCountInString(v.Title.Text); n > 24 {
		t.Errorf("the title %q has %d characters, want at most 24", v.Title.Text, n)
	}
	if n := len(v.Blocks.BlockSet); n > 100 {
		t.Errorf("the view has %d blocks, want at most 100", n)
	}
	for _, b := range v.Blocks.BlockSet {
		if s, ok := b.(*slack.SectionBlock); ok && s.Text != nil {
			if n := utf8.RuneCountInString(s.Text.Text); n > maxSection || n == 0 {
				t.Errorf("a section has %d characters, want 1 to %d", n, maxSection)
			}
		}
	}
	if data, err := json.Marshal(v); err != nil || len(data) > 250_000 {
		t.Errorf("the view has %d bytes, %v; want at most 250000", len(data), err)
	}
}

func TestStillOnAsksWhetherToKeepTheIncident(t *testing.T) {
	t.Parallel()
	n := oncall.Notice{To: string(ann), Kind: oncall.NoticeStillOn, About: 12, Detail: oncall.NoticeDetail{
		Incidents: []oncall.IncidentID{12}, Lines: []string{"Checkout <fails>"}, Users: []oncall.UserID{ann},
		Start: noon, End: noon.Add(time.Hour),
	}}
	asked := Notice(n)
	checkLimits(t, asked)
	golden(t, "still_on", map[string]any{"text": asked.Text, "blocks": asked.Blocks})
	several := n
	several.Detail.Users = []oncall.UserID{ann, bo}
	if d := Notice(several); !strings.Contains(d.Text, "<@U0ANN> and <@U0BO> have it since") || !strings.Contains(d.Text, "the answer of one is enough") {
		t.Errorf("the question to several people is %q, want both named, and that one answer is enough", d.Text)
	}
	n.Detail.By, n.Detail.StateAt = bo, noon.Add(time.Minute)
	for state, want := range map[string]string{
		oncall.StillOnYes: "<@U0BO> said so", oncall.StillOnTaken: "<@U0BO> has it since", oncall.StillOnResolved: "It was resolved",
		oncall.StillOnSnoozed: "<@U0BO> snoozed it", oncall.StillOnPaging: "It pages again since", oncall.StillOnOver: "no longer needs an answer",
	} {
		n.Detail.State = state
		d := Notice(n)
		checkLimits(t, d)
		if !strings.Contains(d.Text, want) || len(d.Blocks) != 2 {
			t.Errorf("%s: %q with %d blocks, want %q with 2", state, d.Text, len(d.Blocks), want)
		}
	}
}
