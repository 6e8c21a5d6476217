package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// drawVoid tells somebody why and how their shifts have changed because somebody else has left.
func drawVoid(n oncall.Notice) Drawing {
	facts := n.Detail
	if len(facts.Users) != 1 || len(facts.Void) == 0 {
		return drawLines(n)
	}
	back := facts.State == oncall.LeaverBack
	head := voidHead(facts.Users[0], facts.Void, back)
	lines := []string{head}
	for _, v := range facts.Void[:min(len(facts.Void), maxMoves)] {
		lines = append(lines, "• "+voidLine(v, facts.TimeZone, back))
	}
	if more := len(facts.Void) - maxMoves; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	d := Text(strings.Join(lines, "\n"))
	i := slices.IndexFunc(facts.Void, func(v oncall.VoidShift) bool { return v.Gained && !v.End.IsZero() })
	if i >= 0 && !back {
		d.Blocks = append(d.Blocks, slack.NewActionBlock("", button(ActionHomeCover, StintPart(facts.Void[i].Stint), "Give one away…")))
	}
	return d
}

// voidHead says what has no effect any more, or has it again, and what does.
func voidHead(left oncall.UserID, all []oncall.VoidShift, back bool) string {
	var void []oncall.VoidShift
	for _, v := range all {
		if !v.Kept {
			void = append(void, v)
		}
	}
	if len(void) == 0 {
		return mention(left) + " has left Slack. You keep what you had taken over from them."
	}
	kept := ""
	if len(void) < len(all) {
		kept = " You keep what you had taken over from them."
	}
	what, agreed := "", false
	same := !slices.ContainsFunc(void, func(v oncall.VoidShift) bool { return v.By != void[0].By })
	switch {
	case !same:
		what = "what was agreed with them"
	case void[0].By == oncall.VoidSwap:
		what, agreed = "your swap with them", true
	case void[0].By == oncall.VoidCover:
		what, agreed = "the cover that you agreed on", true
	case void[0].By == oncall.VoidOverride:
		what = "an override that names them"
	}
	again := agreed && !slices.ContainsFunc(void, func(v oncall.VoidShift) bool { return !v.Gained })
	switch {
	case back && what == "":
		return mention(left) + " is back in Slack, and has their turns again."
	case back:
		return mention(left) + " is back in Slack, so " + what + " counts again."
	case what == "":
		return mention(left) + " has left Slack, so others are on call in their turns." + kept
	case again:
		return mention(left) + " has left Slack, so what they had taken over from you is yours again." + kept
	}
	return mention(left) + " has left Slack, so " + what + " is void." + kept
}

func voidLine(v oncall.VoidShift, zone string, back bool) string {
	what := "You are no longer on call in "
	switch on := v.Gained != back; {
	case v.Kept:
		what = "You keep this shift of theirs: "
	case on && (v.By == oncall.VoidSwap || v.By == oncall.VoidCover):
		what = "You have this shift again: "
		if back {
			what = "You have this shift of theirs: "
		}
	case on:
		what = "You are on call in "
	}
	if v.End.IsZero() {
		return what + withRole(Name(v.Name), v.Role) + " from " + Time(v.Start, location(zone)) + " on, with no end in sight"
	}
	return what + StintWords(v.Stint, zone)
}
