package view

import (
	"encoding/json"
	"testing"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

func TestEveryDrawingIsAcceptedBySlack(t *testing.T) {
	t.Parallel()
	sim := slacksim.New(slacksim.Options{Manifest: slacksim.MustManifest(watchbill.Manifest)})
	sim.AddUser(slacksim.User{ID: string(ann), Name: "ann", RealName: "Ann"})
	sim.AddChannel(slacksim.Channel{ID: "C0PAY", Name: "payments", Members: []string{string(ann), slacksim.BotUserID}})
	if _, err := sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	api := slack.New("xoxb-sim", slack.OptionAPIURL(sim.APIURL()))
	post := func(to string, d Drawing) {
		t.Helper()
		_, _, err := api.PostMessageContext(t.Context(), to, slack.MsgOptionText(d.Text, false), slack.MsgOptionBlocks(d.Blocks...))
		if err != nil {
			t.Error(err)
		}
	}
	for _, p := range []oncall.Picture{
		triggered(), acknowledged(), resolved(), exhausted(), lastStep(), several(), hostile(),
		snoozed(), ackedByOneOfTwo(), stillAsked(), withResponders(), merged(), unassigned(), waitingForHours(), nobodyInHours(), channelOnly(),
	} {
		post("C0PAY", Incident(p))
		post(string(ann), Page(p, ann, oncall.Say("you are on call")))
	}
	all := append(sim.Messages("C0PAY"), sim.Messages("@ann")...)
	if len(all) != 32 {
		t.Errorf("%d messages were posted, want 32", len(all))
	}
	for _, m := range all {
		var blocks []any
		if err := json.Unmarshal(m.Blocks, &blocks); err != nil || len(blocks) == 0 {
			t.Errorf("%q was posted without blocks, want blocks", m.Text)
		}
	}
	acceptedManaging(t, sim, api, post)
}
