package setup_test

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

func TestPrivateTeamsNeedPrivateChannels(t *testing.T) {
	t.Parallel()
	doc := setup.Setup{Teams: []setup.Team{
		{Name: "legal", Channel: "#legal", Private: true}, {Name: "deals", Channel: "#deals", Private: true}, {Name: "web", Channel: "#web"},
	}}
	faults := setup.CheckChannels(doc.SlackNames().Channels, []oncall.SlackChannel{
		{ID: "C0LEGAL", Name: "legal"}, {ID: "C0DEALS", Name: "deals", Private: true}, {ID: "C0WEB", Name: "web"},
	})
	if len(faults) != 1 {
		t.Fatalf("got the faults %+v, want one", faults)
	}
	if got := faults[0]; got.Where != "team legal" || got.Note {
		t.Errorf("got %q, a note: %t, want team legal, no note", got.Where, got.Note)
	}
	if want := "everybody can read its channel #legal"; !strings.Contains(faults[0].What, want) {
		t.Errorf("got %q, want it with %q", faults[0].What, want)
	}
}

// A private team's text is shown only in its own places, and only where nobody else reads.
func TestPrivateTeamsAreVeiled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ private, own, channel, want bool }{
		{false, false, false, false},
		{false, true, true, false},
		{true, true, true, false},
		{true, true, false, true},
		{true, false, true, true},
		{true, false, false, true},
	} {
		if got := (oncall.Team{Private: c.private}).Veils(c.own, c.channel); got != c.want {
			t.Errorf("private team %v, its own place %v, that is private %v: veiled %v, want %v", c.private, c.own, c.channel, got, c.want)
		}
	}
}

// Policies of private teams need private channels, too.
func TestStepsOfPrivateTeamsNeedPrivateChannels(t *testing.T) {
	t.Parallel()
	doc := setup.Setup{Teams: []setup.Team{{Name: "deals", Channel: "#deals", Private: true}}, Policies: []setup.Policy{
		{Name: "deals", Team: "deals", Steps: []setup.Step{{Page: []string{"channel #news", "channel #deals"}}}},
	}}
	faults := setup.CheckChannels(doc.SlackNames().Channels, []oncall.SlackChannel{{ID: "C0NEWS", Name: "news"}, {ID: "C0DEALS", Name: "deals", Private: true}})
	if len(faults) != 1 {
		t.Fatalf("got the faults %+v, want one", faults)
	}
	if got := faults[0]; got.Where != "policy deals" || got.Note {
		t.Errorf("got %q, a note: %t, want policy deals, no note", got.Where, got.Note)
	}
	if want := "everybody can read its channel #news"; !strings.Contains(faults[0].What, want) {
		t.Errorf("got %q, want it with %q", faults[0].What, want)
	}
}
