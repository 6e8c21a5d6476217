package oncall_test

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

func TestPrivateTeamsNeedPrivateChannels(t *testing.T) {
	t.Parallel()
	setup := oncall.Setup{Teams: []oncall.SetupTeam{
		{Name: "legal", Channel: "#legal", Private: true}, {Name: "deals", Channel: "#deals", Private: true}, {Name: "web", Channel: "#web"},
	}}
	faults := oncall.CheckChannels(setup.SlackNames().Channels, []oncall.SlackChannel{
		{ID: "C0LEGAL", Name: "legal"}, {ID: "C0DEALS", Name: "deals", Private: true}, {ID: "C0WEB", Name: "web"},
	})
	if len(faults) != 1 || faults[0].Where != "team legal" || faults[0].Note || !strings.Contains(faults[0].What, "everybody can read its channel #legal") {
		t.Errorf("faults are %+v", faults)
	}
}

// A private team's text is shown in its own places alone, and only where nobody else reads.
func TestWhatIsVeiled(t *testing.T) {
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
			t.Errorf("private team %v, its own place %v, that is private %v: veiled %v", c.private, c.own, c.channel, got)
		}
	}
}

// Policies of private teams need private channels, too.
func TestStepsOfPrivateTeamsNeedPrivateChannels(t *testing.T) {
	t.Parallel()
	setup := oncall.Setup{Teams: []oncall.SetupTeam{{Name: "deals", Channel: "#deals", Private: true}}, Policies: []oncall.SetupPolicy{
		{Name: "deals", Team: "deals", Steps: []oncall.SetupStep{{Page: []string{"channel #news", "channel #deals"}}}},
	}}
	faults := oncall.CheckChannels(setup.SlackNames().Channels, []oncall.SlackChannel{{ID: "C0NEWS", Name: "news"}, {ID: "C0DEALS", Name: "deals", Private: true}})
	if len(faults) != 1 || faults[0].Where != "policy deals" || faults[0].Note || !strings.Contains(faults[0].What, "everybody can read its channel #news") {
		t.Errorf("faults are %+v", faults)
	}
}
