package oncall

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// channelFacts returns the facts of an open incident whose channel is complete.
func channelFacts() ChannelFacts {
	f := ChannelFacts{
		Incident: Incident{
			ID: 7, Title: "Disk full: db-1", Severity: High, Status: Triggered, Link: "https://graph.example.com/1",
			Channel: &IncidentChannel{
				Name: "inc-7-disk-full-db-1", ID: "C1", Greeted: true, Topic: "#7 high, nobody has it yet: Disk full: db-1", Invited: []UserID{ann},
				Bookmarks: []string{"https://wiki.example.com/disk", "https://graph.example.com/1"}, TriedAt: noon,
			},
		},
		Paged:  []UserID{ann},
		Alerts: []Alert{{Links: []Link{{Text: "Silence", URL: "https://am.example.com"}, {Text: "Runbook", URL: "https://wiki.example.com/disk"}}}},
		Users:  map[UserID]User{ann: {Name: "Ann"}, bo: {Name: "Bo <x>"}},
		Now:    noon.Add(time.Hour),
	}
	return f
}

// channelEvents returns what people did and what happened automatically.
func channelEvents() []Event {
	return []Event{
		{ID: 1, Kind: EventOpened},
		{ID: 2, Kind: EventNote, Actor: ByUser(ann)},
		{ID: 3, Kind: EventPaging, Detail: Detail{Step: 2}},
		{ID: 4, Kind: EventAcknowledged, Actor: ByUser(bo)},
		{ID: 5, Kind: EventResolved, Actor: ByUser(bo)},
		{ID: 6, Kind: EventNote, Actor: ByUser(bo), Detail: Detail{Quiet: true}},
		{ID: 7, Kind: EventPageDelivered, Detail: Detail{Users: []UserID{bo}}},
	}
}

func TestChannelPlanFollowsTheIncident(t *testing.T) {
	t.Parallel()
	over := func(f *ChannelFacts, ago time.Duration) {
		f.Incident.Status, f.Incident.ResolvedAt = Resolved, new(f.Now.Add(-ago))
		f.Incident.Channel.Topic = "#7 high, resolved: Disk full: db-1"
	}
	for name, c := range map[string]struct {
		change func(*ChannelFacts)
		due    bool
		check  func(ChannelPlan) bool
	}{
		"nothing has changed": {func(*ChannelFacts) {}, false, nil},
		"there is none":       {func(f *ChannelFacts) { f.Incident.Channel = nil }, false, nil},
		"to be made": {func(f *ChannelFacts) { f.Incident.Channel = &IncidentChannel{}; f.Private = true }, true, func(p ChannelPlan) bool {
			links := len(p.Bookmarks) == 2 && p.Bookmarks[0].Text == "Runbook" && p.Bookmarks[1].Text == "Graph"
			return links && p.Channel.Name == "inc-7-disk-full-db-1" && p.Channel.Private && p.Channel.TriedAt.Equal(noon.Add(time.Hour)) && slices.Equal(p.Invite, []UserID{ann})
		}},
		"another job does it": {func(f *ChannelFacts) {
			*f.Incident.Channel = IncidentChannel{Busy: true, LookAt: new(f.Now.Add(time.Second))}
		}, false, nil},
		"another job did, and died": {func(f *ChannelFacts) {
			*f.Incident.Channel = IncidentChannel{Busy: true, LookAt: new(f.Now)}
		}, true, nil},
		"over before it was made": {func(f *ChannelFacts) {
			over(f, time.Minute)
			f.Incident.Channel.ID = ""
		}, false, nil},
		"somebody has it": {func(f *ChannelFacts) { f.Incident.Status, f.Incident.AckedBy = Acknowledged, ByUser(bo) }, true, func(p ChannelPlan) bool {
			return p.Topic == "#7 high, with Bo x: Disk full: db-1" && slices.Equal(p.Invite, []UserID{bo})
		}},
		"just over": {func(f *ChannelFacts) { over(f, time.Minute) }, true, func(p ChannelPlan) bool { return p.End && !p.Archive }},
		"over, and said": {func(f *ChannelFacts) {
			over(f, 23*time.Hour)
			f.Incident.Channel.Ended = true
		}, false, nil},
		"over for a day": {func(f *ChannelFacts) {
			over(f, 24*time.Hour)
			f.Incident.Channel.Ended = true
		}, true, func(p ChannelPlan) bool { return p.Archive && !p.End }},
		"reopened": {func(f *ChannelFacts) {
			f.Incident.Channel.Ended, f.Incident.Channel.Topic = true, "#7 high, resolved: Disk full: db-1"
		}, true, func(p ChannelPlan) bool { return !p.Channel.Ended && !p.Archive && p.Channel.ID == "C1" }},
		"what people did is said": {func(f *ChannelFacts) {
			f.Incident.Channel.Said, f.Events = 3, channelEvents()
		}, true, func(p ChannelPlan) bool {
			return len(p.Say) == 1 && p.Say[0].ID == 4 && p.Channel.Said == 3 && p.Channel.Saying == 7 && !p.More
		}},
		"the same is said in another attempt, and the rest later": {func(f *ChannelFacts) {
			f.Incident.Channel.Said, f.Incident.Channel.Saying, f.Events = 1, 3, channelEvents()
		}, true, func(p ChannelPlan) bool {
			return len(p.Say) == 1 && p.Say[0].ID == 2 && p.Channel.Saying == 3 && p.More
		}},
		"what was before it is not said": {func(f *ChannelFacts) {
			f.Incident.Channel, f.Events = &IncidentChannel{}, channelEvents()
		}, true, func(p ChannelPlan) bool { return len(p.Say) == 0 && p.Channel.Said == 7 }},
		"nothing is said in public of a team that has become private": {func(f *ChannelFacts) {
			f.Private, f.Incident.Channel.Said, f.Events = true, 1, channelEvents()
		}, true, func(p ChannelPlan) bool { return len(p.Say) == 0 && p.Channel.Saying == 7 }},
		"reopened after it was archived": {func(f *ChannelFacts) { f.Incident.Channel.Archived = true }, true, func(p ChannelPlan) bool {
			return p.Channel.ID == "" && p.Channel.Name == "inc-7-2-disk-full-db-1" && !p.Channel.Greeted
		}},
	} {
		f := channelFacts()
		c.change(&f)
		plan, due := f.Plan()
		if due != c.due {
			t.Errorf("%s: due %t, want %t: %+v", name, due, c.due, plan)
		} else if c.check != nil && !c.check(plan) {
			t.Errorf("%s: the plan is not the one wanted: %+v", name, plan)
		}
	}
}

func TestChannelIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	open, over := channelFacts(), channelFacts()
	over.Incident.Status, over.Incident.ResolvedAt = Resolved, new(over.Now.Add(-time.Hour))
	for name, c := range map[string]struct {
		facts   ChannelFacts
		became  IncidentChannel
		why     string
		refused bool
		want    time.Duration // from Now; 0: never
	}{
		"all is done":          {open, IncidentChannel{ID: "C1"}, "", false, 0},
		"Slack gave no answer": {open, IncidentChannel{}, "no answer", false, time.Minute},
		"a scope is missing":   {open, IncidentChannel{}, "no scope", true, time.Hour},
		"over":                 {over, IncidentChannel{ID: "C1"}, "", false, 23 * time.Hour},
		"archived":             {over, IncidentChannel{ID: "C1", Archived: true}, "", false, 0},
		"over, and never made": {over, IncidentChannel{}, "no scope", true, 0},
	} {
		got := c.facts.Kept(c.became, c.why, c.refused)
		if got.Busy {
			t.Errorf("%s: %+v is being worked on still", name, got)
		}
		var after time.Duration
		if got.LookAt != nil {
			after = got.LookAt.Sub(c.facts.Now)
		}
		if after != c.want {
			t.Errorf("%s: it is looked at after %s, want %s (0: never)", name, after, c.want)
		}
	}
}

// A team's setting opens a channel for severe incidents. For others, people open one.
func TestIncidentsThatGetAChannel(t *testing.T) {
	t.Parallel()
	facts := Facts{Roster: Roster{Teams: map[TeamID]RosterTeam{1: {IncidentChannel: High}}}}
	for severity, want := range map[Severity]bool{Critical: true, High: true, Medium: false, Low: false} {
		in := Incident{ID: 3, TeamID: 1, Severity: severity, Status: Triggered}
		c := in.begin(ByTimer(), facts, noon)
		c.record(EventOpened, c.by, Detail{})
		done := c.done()
		if got := done.Incident.Channel != nil; got != want {
			t.Errorf("%s: it gets a channel: %t, want %t", severity, got, want)
		}
		asked, err := done.Incident.Do(Act{Do: ActChannel}, ByUser(ann), facts, noon)
		if (err != nil) != want {
			t.Errorf("%s: asking for one: got %v, want it refused: %t", severity, err, want)
		}
		if err == nil && (asked.Incident.Channel.By != ann || !slices.ContainsFunc(asked.Tasks, func(t Task) bool { return t.Args == KeepChannel{Incident: 3} })) {
			t.Errorf("%s: %+v, want Ann's, and a job that makes it", severity, asked)
		}
	}
}

func TestChannelNameIsMadeFromTheTitle(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"":                        "inc-7",
		"<!channel> *5xx* @ EU-1": "inc-7-channel-5xx-eu-1",
		"Größe überschritten":     "inc-7-größe-überschritten",
		strings.Repeat("ab ", 99): "inc-7" + strings.Repeat("-ab", 18),
		strings.Repeat("a", 99):   "inc-7",
	} {
		if got := channelName(Incident{ID: 7, Title: title}, 0); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
}

// A channel that is public because its team was public shows nothing of the incident once the team is
// private.
func TestChannelOfATeamThatBecamePrivate(t *testing.T) {
	t.Parallel()
	f := channelFacts()
	f.Private, f.Incident.Channel.Bookmarks, f.Incident.Channel.Greeted = true, nil, false
	plan, due := f.Plan()
	if !due || plan.Topic != "#7" {
		t.Errorf("got due %t and the topic %q, want true and %q", due, plan.Topic, "#7")
	}
	if len(plan.Bookmarks) > 0 || !plan.Channel.Greeted {
		t.Errorf("got bookmarks %v, greeted %t, want none and no greeting left to send", plan.Bookmarks, plan.Channel.Greeted)
	}
	f.Incident.Channel.ID = ""
	if plan, _ := f.Plan(); !plan.Channel.Private || plan.Channel.Greeted || plan.Topic == "#7" {
		t.Errorf("%+v; want a private channel where none was made yet", plan)
	}
}
