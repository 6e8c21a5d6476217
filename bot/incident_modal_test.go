package bot

import (
	"reflect"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

func TestFormsAreReadIntoActs(t *testing.T) {
	t.Parallel()
	chosen := func(value string) slack.BlockAction {
		return slack.BlockAction{SelectedOption: slack.OptionBlockObject{Value: value}}
	}
	f := func(pairs map[view.Block]slack.BlockAction) form {
		out := form{}
		for block, a := range pairs {
			out[string(block)] = map[string]slack.BlockAction{string(block): a}
		}
		return out
	}
	cases := []struct {
		name  string
		read  func(form, time.Time) ([]oncall.Act, fieldErrors)
		form  form
		want  oncall.Act
		wrong view.Block
	}{
		{"a time counts", readSnooze, f(map[view.Block]slack.BlockAction{view.BlockUntil: {SelectedDateTime: noon.Add(time.Minute).Unix()}}), oncall.Act{Do: oncall.ActSnooze, Until: noon.Add(time.Minute)}, ""},
		{"no time", readSnooze, f(nil), oncall.Act{}, view.BlockUntil},
		{"ask a team", readAsk, f(map[view.Block]slack.BlockAction{view.BlockOnCall: chosen("team/3")}), oncall.Act{Do: oncall.ActAsk, Team: 3}, ""},
		{"ask a schedule", readAsk, f(map[view.Block]slack.BlockAction{view.BlockOnCall: chosen("schedule/4")}), oncall.Act{Do: oncall.ActAsk, Schedule: 4}, ""},
		{"the past", readSnooze, f(map[view.Block]slack.BlockAction{view.BlockUntil: {SelectedDateTime: noon.Unix()}}), oncall.Act{}, view.BlockUntil},
		{"to a person", readReassign, f(map[view.Block]slack.BlockAction{view.BlockPerson: {SelectedUser: "U0BO"}}), oncall.Act{Do: oncall.ActReassign, User: bo}, ""},
		{"to a policy", readReassign, f(map[view.Block]slack.BlockAction{view.BlockPolicy: chosen("3")}), oncall.Act{Do: oncall.ActReassign, Policy: 3}, ""},
		{"to nobody", readReassign, f(nil), oncall.Act{}, view.BlockPerson},
		{"to both", readReassign, f(map[view.Block]slack.BlockAction{view.BlockPerson: {SelectedUser: "U0BO"}, view.BlockPolicy: chosen("3")}), oncall.Act{}, view.BlockPolicy},
		{"ask nobody", readAsk, f(nil), oncall.Act{}, view.BlockPeople},
		{"an empty note", readNote, f(map[view.Block]slack.BlockAction{view.BlockText: {Value: " \n"}}), oncall.Act{}, view.BlockText},
		{"merge with nothing", readMerge, f(map[view.Block]slack.BlockAction{view.BlockHow: chosen("merge")}), oncall.Act{}, view.BlockOther},
		{"link", readMerge, f(map[view.Block]slack.BlockAction{view.BlockHow: chosen("link"), view.BlockOther: chosen("9")}), oncall.Act{Do: oncall.ActLink, Other: 9}, ""},
	}
	for _, c := range cases {
		acts, wrong := c.read(c.form, noon)
		if c.wrong != "" {
			if wrong[c.wrong] == "" || len(acts) > 0 {
				t.Errorf("%s: acts %+v, errors %v; want an error at %s only", c.name, acts, wrong, c.wrong)
			}
			continue
		}
		if len(acts) != 1 || !reflect.DeepEqual(acts[0], c.want) || wrong != nil {
			t.Errorf("%s: acts %+v, errors %v; want only %+v", c.name, acts, wrong, c.want)
		}
	}
}

func TestEveryIncidentButtonHasAHandler(t *testing.T) {
	t.Parallel()
	for _, in := range []oncall.Incident{
		{Status: oncall.Triggered},
		{Status: oncall.Triggered, Acks: []oncall.UserID{ann}},
		{Status: oncall.Acknowledged, AckedBy: oncall.ByUser(ann)},
		{Status: oncall.Acknowledged, AckedBy: oncall.ByUser(ann), AckAsked: true},
		{Status: oncall.Acknowledged, AckedBy: oncall.ByUser(ann), Responders: []oncall.Responder{{User: cy, State: oncall.ResponderAsked}}},
		{Status: oncall.Snoozed},
		{Status: oncall.Resolved},
		{Status: oncall.Resolved, MergedInto: 9},
	} {
		v := view.IncidentOverview{Picture: oncall.Picture{Incident: in}, Reader: cy, Zone: time.UTC, Now: noon}.Draw()
		for _, e := range v.Blocks.BlockSet[len(v.Blocks.BlockSet)-1].(*slack.ActionBlock).Elements.ElementSet {
			if id := view.Action(e.(*slack.ButtonBlockElement).ActionID); plainActs[id] == "" && actForms[id] == nil && presses[id] == nil {
				t.Errorf("%s: the button %s has no handler, want one", in.Status, id)
			}
		}
	}
}
