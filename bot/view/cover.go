package view

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// drawCover draws any notice about a cover request.
func drawCover(notice oncall.Notice) Drawing {
	facts := notice.Detail
	if len(facts.Stints) != 1 {
		return drawLines(notice)
	}
	stint := facts.Stints[0]
	head := coverHead(notice)
	lines := []string{StintWords(stint, facts.TimeZone)}
	for _, t := range facts.Takes {
		part := stint
		part.Start, part.End = t.Start, t.End
		if !part.Start.Equal(stint.Start) || !part.End.Equal(stint.End) {
			lines = append(lines, fmt.Sprintf("%s takes %s", mention(t.User), stintTimes(part, facts.TimeZone)))
		}
	}
	open := facts.State == string(oncall.CoverOpen) || facts.State == oncall.CoverPending
	if open && len(facts.Takes) > 0 {
		for _, left := range oncall.UntakenOf(stint, facts.Takes) {
			lines = append(lines, "Still open: "+stintTimes(left, facts.TimeZone))
		}
	}
	blocks := []slack.Block{section("*" + head + "*\n" + strings.Join(lines, "\n"))}
	if facts.Note != "" && notice.Kind != oncall.NoticeCoverDone {
		blocks = append(blocks, section("> "+Foreign(facts.Note, maxNote)))
	}
	for _, c := range facts.Clashes {
		blocks = append(blocks, section("Note: "+clash(c, oncall.UserID(notice.To), facts.TimeZone)))
	}
	state := coverState(notice)
	if state != "" {
		blocks = append(blocks, section(state))
	}
	if buttons := coverButtons(notice); buttons != nil {
		blocks = append(blocks, buttons)
	}
	colon := ": "
	if strings.HasSuffix(head, "?") {
		colon = " "
	}
	return Drawing{Text: strings.TrimSpace(head + colon + strings.Join(lines, "; ") + ". " + state), Blocks: blocks}
}

func coverHead(notice oncall.Notice) string {
	facts := notice.Detail
	asker := mention(facts.Stints[0].User)
	switch {
	case notice.Kind == oncall.NoticeCoverAsk:
		return "Can you take this shift of " + asker + "'s?"
	case notice.Kind == oncall.NoticeCoverSent && notice.To == string(facts.Stints[0].User):
		return "Somebody is wanted for your shift"
	case notice.Kind == oncall.NoticeCoverSent:
		return "Somebody is wanted for a shift of " + asker + "'s"
	case notice.Kind == oncall.NoticeCoverDone:
		return named(takers(facts)) + " covers for " + asker
	case facts.State == oncall.CoverPending && facts.Stints[0].Vacant:
		return "Nobody has taken the shift of " + asker + "'s yet, and nobody is on call then"
	case facts.Stints[0].Vacant:
		return named(takers(facts)) + " covers for " + asker
	case facts.State == oncall.CoverPending:
		return "Nobody has taken your shift yet, so you are on call"
	}
	return named(takers(facts)) + " covers for you"
}

func takers(f oncall.NoticeDetail) []oncall.UserID {
	var users []oncall.UserID
	for _, t := range f.Takes {
		if len(users) == 0 || users[len(users)-1] != t.User {
			users = append(users, t.User)
		}
	}
	return users
}

// coverState says what has become of a request, and who was asked.
func coverState(n oncall.Notice) string {
	facts := n.Detail
	asker := mention(facts.Stints[0].User)
	if n.Kind == oncall.NoticeCoverNews || n.Kind == oncall.NoticeCoverDone {
		return ""
	}
	switch oncall.CoverState(facts.State) {
	case oncall.CoverOpen:
		if n.Kind == oncall.NoticeCoverAsk {
			return ""
		}
		var parts []string
		if len(facts.Users) > 0 {
			parts = append(parts, "Asked: "+named(facts.Users)+".")
		}
		if len(facts.Others) > 0 {
			parts = append(parts, "Can't: "+named(facts.Others)+".")
		}
		if len(parts) == 0 {
			parts = append(parts, "Nobody has been asked yet: others are asked between 8:00 and 22:00 of their own day.")
		}
		if len(facts.Unasked) > 0 {
			parts = []string{unasked(facts.Unasked, facts.Stints[0], true, facts.TimeZone)}
		}
		return strings.Join(append(parts, untilTaken(facts.Stints[0])), " ")
	case oncall.CoverTaken:
		return "Taken by " + named(takers(facts)) + "."
	case oncall.CoverWithdrawn:
		return "Taken back by " + mention(facts.By) + "."
	case oncall.CoverOver:
		return "The shift is over."
	default:
		return asker + " no longer has the shift."
	}
}

// coverButtons returns the reader's actions; nil if there are none.
func coverButtons(notice oncall.Notice) slack.Block {
	id := valueOf(notice.About)
	switch {
	case notice.Detail.State != string(oncall.CoverOpen):
		return nil
	case notice.Kind == oncall.NoticeCoverAsk:
		label := "Take it"
		if len(notice.Detail.Takes) > 0 {
			label = "Take the rest"
		}
		return slack.NewActionBlock("", button(ActionCoverTake, id, label).WithStyle(slack.StylePrimary),
			button(ActionCoverPart, id, "Take a part…"), button(ActionCoverDecline, id, "I can't"))
	case notice.Kind == oncall.NoticeCoverSent:
		return slack.NewActionBlock("", button(ActionCoverWithdraw, id, "Take back"))
	}
	return nil
}
