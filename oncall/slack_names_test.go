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
