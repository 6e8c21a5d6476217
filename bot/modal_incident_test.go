package bot

import (
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

func TestReadForms(t *testing.T) {
	t.Parallel()
	chosen := func(value string) slack.BlockAction {
		return slack.BlockAction{SelectedOption: slack.OptionBlockObject{Value: value}}
	}
	f := func(pairs map[string]slack.BlockAction) form {
		out := form{}
		for block, a := range pairs {
			out[block] = map[string]slack.BlockAction{block: a}
		}
		return out
	}
	cases := []struct {
		name  string
		read  func(form, time.Time) ([]oncall.Act, map[string]string)
		form  form
		want  oncall.Act
		wrong string // the block
	}{
		{"an hour", readSnooze, f(map[string]slack.BlockAction{blockHowLong: chosen("1h")}), oncall.Act{Do: oncall.ActSnooze, Until: noon.Add(time.Hour)}, ""},
		{"work", readSnooze, f(map[string]slack.BlockAction{blockHowLong: chosen("work")}), oncall.Act{Do: oncall.ActSnooze, Till: oncall.TillWork}, ""},
		{"a time counts", readSnooze, f(map[string]slack.BlockAction{
			blockHowLong: chosen("work"), blockUntil: {SelectedDateTime: noon.Add(time.Minute).Unix()},
		}), oncall.Act{Do: oncall.ActSnooze, Until: noon.Add(time.Minute)}, ""},
		{"the past", readSnooze, f(map[string]slack.BlockAction{blockUntil: {SelectedDateTime: noon.Unix()}}), oncall.Act{}, blockUntil},
		{"to a person", readReassign, f(map[string]slack.BlockAction{blockPerson: {SelectedUser: "U0BO"}}), oncall.Act{Do: oncall.ActReassign, User: bo}, ""},
		{"to a policy", readReassign, f(map[string]slack.BlockAction{blockPolicy: chosen("3")}), oncall.Act{Do: oncall.ActReassign, Policy: 3}, ""},
		{"to nobody", readReassign, f(nil), oncall.Act{}, blockPerson},
		{"to both", readReassign, f(map[string]slack.BlockAction{blockPerson: {SelectedUser: "U0BO"}, blockPolicy: chosen("3")}), oncall.Act{}, blockPolicy},
		{"ask nobody", readAsk, f(nil), oncall.Act{}, blockPeople},
		{"an empty note", readNote, f(map[string]slack.BlockAction{blockText: {Value: " \n"}}), oncall.Act{}, blockText},
		{"merge with nothing", readMerge, f(map[string]slack.BlockAction{blockHow: chosen("merge")}), oncall.Act{}, blockOther},
		{"link", readMerge, f(map[string]slack.BlockAction{blockHow: chosen("link"), blockOther: chosen("9")}), oncall.Act{Do: oncall.ActLink, Other: 9}, ""},
	}
	for _, c := range cases {
		acts, wrong := c.read(c.form, noon)
		if c.wrong != "" {
			if wrong[c.wrong] == "" || len(acts) > 0 {
				t.Errorf("%s: %+v, %v", c.name, acts, wrong)
			}
			continue
		}
		if len(acts) != 1 || acts[0] != c.want || wrong != nil {
			t.Errorf("%s: %+v, %v; want %+v", c.name, acts, wrong, c.want)
		}
	}
}

func TestEveryButtonOfAnIncidentDoesSomething(t *testing.T) {
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
		v := drawSheet(sheet{picture: oncall.Picture{Incident: in}, reader: cy, zone: time.UTC, now: noon})
		for _, e := range v.Blocks.BlockSet[len(v.Blocks.BlockSet)-1].(*slack.ActionBlock).Elements.ElementSet {
			if id := e.(*slack.ButtonBlockElement).ActionID; plainDeeds[id] == "" && deedForms[id] == nil {
				t.Errorf("%s: the button %s does nothing", in.Status, id)
			}
		}
	}
}
