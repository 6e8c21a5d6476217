package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// drawVoid tells somebody why and how their shifts have changed because somebody else has left.
func drawVoid(n oncall.Notice) Drawing {
	f := n.Detail
	if len(f.Users) != 1 || len(f.Void) == 0 {
		return drawLines(n)
	}
	back := f.State == oncall.LeaverBack
	head := voidHead(f.Users[0], f.Void, back)
	lines := []string{head}
	for _, v := range f.Void[:min(len(f.Void), maxMoves)] {
		lines = append(lines, "• "+voidLine(v, f.TimeZone, back))
	}
	if more := len(f.Void) - maxMoves; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return Text(strings.Join(lines, "\n"))
}

// voidHead says what has no effect any more, or has it again.
func voidHead(left oncall.UserID, all []oncall.VoidShift, back bool) string {
	what := ""
	same := !slices.ContainsFunc(all, func(v oncall.VoidShift) bool { return v.By != all[0].By })
	switch {
	case !same:
		what = "what was agreed with them"
	case all[0].By == oncall.VoidSwap:
		what = "your swap with them"
	case all[0].By == oncall.VoidCover:
		what = "the cover that you agreed on"
	case all[0].By == oncall.VoidOverride:
		what = "an override that names them"
	}
	switch {
	case back && what == "":
		return mention(left) + " is back in Slack, and has their turns again."
	case back:
		return mention(left) + " is back in Slack, so " + what + " counts again."
	case what == "":
		return mention(left) + " has left Slack, so others are on call in their turns."
	}
	return mention(left) + " has left Slack, so " + what + " is void."
}

func voidLine(v oncall.VoidShift, zone string, back bool) string {
	what := "You are no longer on call in "
	switch on := v.Gained != back; {
	case on && v.By == oncall.VoidSwap:
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
