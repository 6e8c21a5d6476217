package oncall

import (
	"slices"
	"strings"
	"testing"
)

func TestUpdateGoesToTheTeamsChannels(t *testing.T) {
	t.Parallel()
	facts := Facts{Roster: Roster{Teams: map[TeamID]RosterTeam{1: {Name: "payments", Updates: []string{"#status", "#support"}}, 2: {Name: "web"}}}}
	open := Incident{ID: 3, TeamID: 1, Title: "disk full", Status: Acknowledged, Updates: 1}
	over, merged, other, own, archived := open, open, open, open, open
	own.Channel, archived.Channel = &IncidentChannel{ID: "C0INC"}, &IncidentChannel{ID: "C0INC", Archived: true}
	ownOnly := own
	ownOnly.TeamID = 2
	over.Status, merged.Status, merged.MergedInto, other.TeamID = Resolved, Resolved, 2, 2
	for name, c := range map[string]struct {
		in   Incident
		act  Act
		want []string // channels; nil: refused
	}{
		"to all":                {open, Act{Text: " we are on it "}, []string{"#status", "#support"}},
		"to one":                {open, Act{Text: "we are on it", Channels: []string{"#support"}}, []string{"#support"}},
		"to none of the team's": {open, Act{Text: "we are on it", Channels: []string{"#support", "#general"}}, nil},
		"once it is over":       {over, Act{Text: "we are on it"}, []string{"#status", "#support"}},
		"merged":                {merged, Act{Text: "we are on it"}, nil},
		"empty":                 {open, Act{Text: " \n"}, nil},
		"too long":              {open, Act{Text: strings.Repeat("x", 2001)}, nil},
		"no channels":           {other, Act{Text: "we are on it"}, []string{}},
		"no such channel":       {other, Act{Text: "we are on it", Channels: []string{"#status"}}, nil},
		"its own channel, too":  {own, Act{Text: "we are on it"}, []string{"C0INC", "#status", "#support"}},
		"its own, and chosen":   {own, Act{Text: "we are on it", Channels: []string{"#status"}}, []string{"C0INC", "#status"}},
		"its own channel only":  {ownOnly, Act{Text: "we are on it"}, []string{"C0INC"}},
		"its own is archived":   {archived, Act{Text: "we are on it"}, []string{"#status", "#support"}},
	} {
		c.act.Do = ActUpdate
		got, err := c.in.Do(c.act, ByUser(ann), facts, noon)
		to := []string{}
		for _, n := range got.Notices {
			to = append(to, n.To)
			d := n.Detail
			equal(t, name+": count", d.Count, 2)
			equal(t, name+": note", d.Note, "we are on it")
			equal(t, name+": title", d.Title, "disk full")
			equal(t, name+": by", d.By, ann)
			equal(t, name+": status", d.Status, c.in.Status)
		}
		if c.want != nil && !slices.Equal(to, c.want) || (err == nil) != (c.want != nil) {
			t.Errorf("%s: to %q, %v; want %q", name, to, err, c.want)
		}
		if err == nil && (got.Incident.Updates != 2 || len(got.Events) != 1 || got.Events[0].Kind != EventUpdate) {
			t.Errorf("%s: %+v, want the second update, in the timeline", name, got)
		}
	}
}
