package view

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	texts "github.com/watchbill/watchbill/hostile"
	"github.com/watchbill/watchbill/oncall"
)

func drafted() Review {
	p := triggered()
	in := &p.Incident
	in.Status, in.ResolvedBy, in.ResolvedAt, in.Verdict, in.Helped = oncall.Resolved, oncall.ByUser(bo), new(noon.Add(time.Hour)), oncall.VerdictReal, "restarted <the> pool"
	in.OpenedAt = noon
	p.Events = []oncall.Event{
		{ID: 1, At: noon, Kind: oncall.EventOpened, Actor: oncall.ByIntegration("Prom & Co"), Detail: oncall.Detail{Text: "disk *full*"}},
		{ID: 2, At: noon, Kind: oncall.EventPaging, Actor: oncall.ByTimer(), Detail: oncall.Detail{Step: 1, Users: []oncall.UserID{ann}, To: []string{"C0PAY"}}},
		{ID: 3, At: noon.Add(4 * time.Minute), Kind: oncall.EventAcknowledged, Actor: oncall.ByUser(ann)},
		{ID: 4, At: noon.Add(10 * time.Minute), Kind: oncall.EventNote, Actor: oncall.ByUser(ann), Detail: oncall.Detail{Text: "restarted\nit"}},
		{ID: 5, At: noon.Add(time.Hour), Kind: oncall.EventResolved, Actor: oncall.ByUser(bo)},
	}
	return Review{
		Picture: p, Names: map[oncall.UserID]oncall.User{ann: {Name: "Ann"}, bo: {Name: "Bo_Bo"}}, Zone: time.UTC, Now: noon.Add(2 * time.Hour),
		Channels: func(id string) string { return map[string]string{"C0PAY": "payments"}[id] },
		Talk: []Remark{
			{At: noon.Add(8 * time.Minute), By: bo, Text: "<@U0ANN> look at <https://graph.example.com/1|the graph> &amp; <#C0PAY> <!here>"},
		},
		Actions: []oncall.ReviewAction{
			{ID: 1, UserID: bo, Text: "fix [the] alert", DueAt: noon.Add(36 * time.Hour)}, {ID: 2, UserID: ann, Text: "tell support", DueAt: noon, DoneAt: new(noon)},
		},
	}
}

func TestReviewIsWrittenAsMarkdown(t *testing.T) {
	t.Parallel()
	const file = "testdata/review.golden.md"
	got := drafted().Markdown()
	if *update {
		if err := os.WriteFile(filepath.FromSlash(file), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s has changed; run with -update if it should (-want +got):\n%s", file, diff)
	}
	bare := Review{Zone: time.UTC, Now: noon}
	bare.Picture.Incident.ID = 7
	if text := bare.Markdown(); !strings.Contains(text, "by nobody") || !strings.Contains(text, "_None yet._") {
		t.Errorf(`of an incident without anything: %s; want it to contain "by nobody" and "_None yet._"`, text)
	}
	long := drafted()
	for range 600 {
		long.Talk = append(long.Talk, Remark{At: noon, By: ann, Text: "x"})
	}
	if text := long.Markdown(); !strings.Contains(text, "earlier lines left out") {
		t.Error("600 messages are all in it")
	}
}

// No id of Slack's and no time in another zone is in the draft, whatever people and the timeline refer to.
func TestReviewNamesWhatItRefersTo(t *testing.T) {
	t.Parallel()
	r := drafted()
	r.Zone = time.FixedZone("CET", 3600)
	r.Picture.Incident.Channel = &oncall.IncidentChannel{ID: "C0INC", Name: "inc-12-checkout"}
	at := fmt.Sprint(noon.Unix())
	for said, want := range map[string]string{
		"<@U0BO> and <@U0NEW|new> and <@U0GONE>":             "Bo\\_Bo and new and somebody",
		"<#C0INC> <#C0PAY|old> <#C0NEW|new> <#C0X> <#C0Y|>":  "\\#inc-12-checkout \\#payments \\#new another channel another channel",
		"<!date^" + at + "^{time}|12:00 UTC>":                "13:00",
		"<!date^" + at + "^{date_long_pretty} {time}|12:00>": "Mon 2 Mar 13:00",
		"<!date^" + at + "^{date_short_pretty}|Mon 2 Mar>":   "Mon 2 Mar",
		"<!date^x^{time}|12:00 *UTC*>":                       "12:00 \\*UTC\\*",
		"<!date^99999999999999999^{time}|then>":              "then",
	} {
		if got := r.plain(said); got != want {
			t.Errorf("%s: %q, want %q", said, got, want)
		}
	}
	r.Talk = []Remark{{At: noon, By: "U0DI", Text: "<@U0CY> <#C0X> <#C0Y|> <#C0INC> <@U0CY> <#C0PAY>"}}
	people, channels := r.References()
	if want := []oncall.UserID{"U0DI", "U0CY"}; !slices.Equal(people, want) {
		t.Errorf("without a name are %v, want %v", people, want)
	}
	if want := []string{"C0X", "C0Y"}; !slices.Equal(channels, want) {
		t.Errorf("channels without a name are %v, want %v", channels, want)
	}
}

// Repeated events are one line of the draft, which says how often and when they happened; texts by people are never
// merged.
func TestReviewOfAStormIsShort(t *testing.T) {
	t.Parallel()
	r := drafted()
	monitor := oncall.ByIntegration("prom")
	var more []oncall.Event
	for i := range 40 {
		at := noon.Add(time.Duration(i+1) * 4 * time.Second)
		more = append(more, oncall.Event{At: at, Kind: oncall.EventAlertJoined, Actor: monitor, Detail: oncall.Detail{Text: fmt.Sprintf("disk %d", i)}})
	}
	for range 3 {
		more = append(more, oncall.Event{At: noon.Add(3 * time.Minute), Kind: oncall.EventSeverity, Actor: oncall.ByUser(ann), Detail: oncall.Detail{Text: "high"}})
	}
	for i := range 39 {
		at := noon.Add(20*time.Minute + time.Duration(i)*time.Second)
		more = append(more, oncall.Event{At: at, Kind: oncall.EventAlertResolved, Actor: monitor, Detail: oncall.Detail{Text: fmt.Sprintf("disk %d", i)}})
	}
	r.Picture.Events = append(r.Picture.Events, more...)
	slices.SortStableFunc(r.Picture.Events, func(a, b oncall.Event) int { return a.At.Compare(b.At) })
	for range 2 {
		r.Talk = append(r.Talk, Remark{At: noon.Add(30 * time.Minute), By: bo, Text: "any news?"})
	}
	text := r.Markdown()
	for want, n := range map[string]int{
		"12:00:04 40 alerts joined between 12:00:04 and 12:02:40": 1, "12:20:00 39 alerts cleared between 12:20:00 and 12:20:38": 1, "added the alert": 0, "cleared the alert": 0,
		"(3 times)": 1, "any news?": 2,
	} {
		if got := strings.Count(text, want); got != n {
			t.Errorf("%q is in the draft %d times, want %d:\n%s", want, got, n, text)
		}
	}
}

// The draft has no link, heading, mention or markup from the texts of people and monitors.
func TestReviewOfHostileTexts(t *testing.T) {
	t.Parallel()
	lines := strings.Count(drafted().Markdown(), "\n")
	for _, h := range texts.Texts {
		r := drafted()
		r.Picture.Incident.Title, r.Picture.Incident.Helped, r.Picture.Team.Name, r.Actions[0].Text = h.Text, h.Text, h.Text, h.Text
		r.Names[bo] = oncall.User{Name: h.Text}
		r.Talk[0].Text = h.Text
		r.Picture.Events[3].Detail.Text = h.Text
		text := r.Markdown()
		if n := strings.Count(text, "\n"); n != lines {
			t.Errorf("%s: %d lines, want %d:\n%.2000s", h.Name, n, lines, text)
		}
		for _, active := range []string{"](", "![", "<!", "<@", "<http"} {
			for at := strings.Index(text, active); at > 0; at = -1 {
				if text[at-1] != '\\' {
					t.Errorf("%s: the draft has %q unescaped", h.Name, active)
				}
			}
		}
	}
}

func TestReviewActions(t *testing.T) {
	t.Parallel()
	n := oncall.Notice{To: string(bo), About: 3, Kind: oncall.NoticeReviewAction, Detail: oncall.NoticeDetail{
		Incidents: []oncall.IncidentID{7}, Title: "disk <full>", Note: "fix the alert", Start: noon, Users: []oncall.UserID{bo}, Others: []oncall.UserID{ann}, TimeZone: "Europe/Berlin",
	}}
	golden(t, "review_action", Notice(n))
	n.Detail.State, n.Detail.By = oncall.ReviewActionDone, ann
	golden(t, "review_action_done", Notice(n))
	n.Detail.By = "" // a program
	golden(t, "review_action_done_program", Notice(n))
	n.Detail.By = ann
	n.Detail.State = oncall.ReviewActionLater
	golden(t, "review_action_later", Notice(n))
	n.Detail.State, n.To = oncall.ReviewActionAgain, string(ann)
	golden(t, "review_action_again", Notice(n))
	over := acknowledged()
	over.Incident.Status = oncall.Resolved
	given := oncall.Notice{To: string(bo), About: 3, Kind: oncall.NoticeActionGiven, Detail: n.Detail}
	given.Detail.State, given.Detail.By, given.Detail.Others = "", "", []oncall.UserID{ann}
	golden(t, "action_given", Notice(given))
	given.Detail.State, given.Detail.Others = oncall.ReviewActionAgain, []oncall.UserID{""}
	golden(t, "action_given_asked", Notice(given))
	golden(t, "own_actions", OwnActions([]oncall.ReviewAction{{ID: 3, IncidentID: 6, UserID: bo, Text: "fix *it* <!here>", DueAt: given.Detail.Start}}, time.UTC))
	for name, d := range map[string]Drawing{
		"open_actions":           OpenActions([]oncall.ReviewAction{{IncidentID: 6, UserID: bo, Text: "fix *it* <!here>", DueAt: noon.Add(time.Hour)}, {IncidentID: 5, UserID: ann, DueAt: noon}}, true, "", "Pay & Co", nil),
		"open_actions_of_person": OpenActions([]oncall.ReviewAction{{IncidentID: 6, UserID: bo, Text: "fix it", DueAt: noon}}, false, bo, "", nil),
		"open_actions_none":      OpenActions(nil, false, "", "", nil),
	} {
		golden(t, name, d)
	}
	golden(t, "review_action_form", overviewOf(over).ActionForm())
	h := HomeTab{Reader: bo, InTeam: true, Zone: time.UTC, Now: noon}
	for i := range 7 {
		h.Actions = append(h.Actions, oncall.ReviewAction{ID: oncall.ReviewActionID(i + 1), IncidentID: 7, UserID: bo, Text: "fix <the> alert", DueAt: noon})
	}
	golden(t, "home_actions", h.Draw())
	for _, h := range texts.Texts {
		n.Detail.Note, n.Detail.Title = h.Text, h.Text
		d := Notice(n)
		checkLimits(t, d)
		harmless(t, "the question", d.Blocks)
		harmless(t, "its text", map[string]any{"type": "mrkdwn", "text": d.Text})
		a := oncall.ReviewAction{UserID: bo, Text: h.Text, AskAt: &noon}
		for _, text := range []string{
			ActionAdded(a, time.UTC), ActionEnded(a, time.UTC), ActionEnded(oncall.ReviewAction{Text: h.Text}, time.UTC),
			reviewActionLine(oncall.Event{Kind: oncall.EventReviewAction, Detail: oncall.Detail{Text: h.Text}}),
			reviewActionLine(oncall.Event{Kind: oncall.EventReviewActionDone, Detail: oncall.Detail{Text: h.Text}}),
		} {
			harmless(t, "what is said of it", map[string]any{"type": "mrkdwn", "text": text})
		}
	}
}
