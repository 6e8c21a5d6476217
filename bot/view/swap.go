package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// maxNote is the maximum length of a request's note.
const maxNote = 500

// drawSwap draws any notice about a swap.
func drawSwap(n oncall.Notice) Drawing {
	f := n.Detail
	if len(f.Stints) != 2 {
		return drawLines(n)
	}
	give, take := f.Stints[0], f.Stints[1]
	head := swapHead(n.Kind, f, give.User, take.User)
	blocks := []slack.Block{section("*" + head + "*")}
	if f.Note != "" && n.Kind != oncall.NoticeSwapDone {
		blocks = append(blocks, section("> "+Foreign(f.Note, maxNote)))
	}
	reader := oncall.UserID(n.To)
	before, after := "*Now*\n", true
	switch oncall.SwapState(f.State) {
	case oncall.SwapAccepted, oncall.SwapBegun, oncall.SwapUndone:
		before = "*Before*\n"
	case oncall.SwapDeclined, oncall.SwapWithdrawn, oncall.SwapExpired, oncall.SwapStale:
		after = false // nothing changes
	case oncall.SwapOpen:
	}
	if state := oncall.SwapState(f.State); n.Kind != oncall.NoticeSwapDone || state != oncall.SwapAccepted && state != oncall.SwapBegun { // in a channel, who takes which is enough
		blocks = append(blocks, section(before+stintLine(give, give.User, reader, f.TimeZone)+"\n"+stintLine(take, take.User, reader, f.TimeZone)))
	}
	if after {
		blocks = append(blocks, section("*After the swap*\n"+stintLine(give, take.User, reader, f.TimeZone)+"\n"+stintLine(take, give.User, reader, f.TimeZone)))
	}
	for _, c := range f.Clashes {
		blocks = append(blocks, section("Note: "+clash(c, reader, f.TimeZone)))
	}
	if len(f.Others) > 0 && after {
		blocks = append(blocks, section("Note: "+timeOffNote(f.Others)))
	}
	state := ""
	if n.Kind != oncall.NoticeSwapNews {
		state = swapState(f)
		blocks = append(blocks, section(state))
	}
	if buttons := swapButtons(n); buttons != nil {
		blocks = append(blocks, buttons)
	}
	text := fmt.Sprintf("%s: %s, for %s. %s", head, StintWords(give, f.TimeZone), StintWords(take, f.TimeZone), state)
	return Drawing{Text: strings.TrimSpace(text), Blocks: blocks}
}

func swapHead(kind oncall.NoticeKind, f oncall.NoticeDetail, asker, asked oncall.UserID) string {
	switch kind {
	case oncall.NoticeSwapAsk:
		return mention(asker) + " offers you a swap of shifts"
	case oncall.NoticeSwapSent:
		return "You have offered " + mention(asked) + " a swap of shifts"
	case oncall.NoticeSwapDone:
		return mention(asker) + " and " + mention(asked) + " swap shifts"
	default:
		return swapChangeText(f, asked)
	}
}

// swapChangeText tells one of the two what the other has done.
func swapChangeText(f oncall.NoticeDetail, asked oncall.UserID) string {
	switch oncall.SwapState(f.State) {
	case oncall.SwapAccepted:
		return mention(asked) + " has accepted your swap"
	case oncall.SwapDeclined:
		return mention(asked) + " has declined your swap; you keep your shift"
	case oncall.SwapUndone:
		return mention(f.By) + " has undone your swap; you have your own shift again"
	case oncall.SwapExpired:
		return mention(asked) + " has not answered in time; you keep your shift"
	default:
		return "Your swap with " + mention(asked) + " is off, as the shifts have changed; you keep your own"
	}
}

// swapState says what became of a swap.
func swapState(f oncall.NoticeDetail) string {
	asker, asked := mention(f.Stints[0].User), mention(f.Stints[1].User)
	switch oncall.SwapState(f.State) {
	case oncall.SwapOpen:
		return "To be answered by " + noticeInstant(f.End, f.TimeZone) + "."
	case oncall.SwapAccepted, oncall.SwapBegun:
		return "Accepted by " + asked + "."
	case oncall.SwapDeclined:
		return "Declined by " + asked + "."
	case oncall.SwapWithdrawn:
		return "Taken back by " + asker + "."
	case oncall.SwapUndone:
		return "Undone by " + mention(f.By) + ": everybody has their own shift again."
	case oncall.SwapExpired:
		return "Nobody has answered in time, so everybody keeps their own shift."
	default:
		return "The shifts have changed since, so everybody keeps their own."
	}
}

// swapButtons returns the reader's actions; nil if there are none.
func swapButtons(n oncall.Notice) slack.Block {
	id := valueOf(n.About)
	open, done := n.Detail.State == string(oncall.SwapOpen), n.Detail.State == string(oncall.SwapAccepted)
	switch {
	case open && n.Kind == oncall.NoticeSwapAsk:
		return slack.NewActionBlock("", button(ActionSwapAccept, id, "Accept").WithStyle(slack.StylePrimary), button(ActionSwapDecline, id, "Decline"))
	case open && n.Kind == oncall.NoticeSwapSent:
		return slack.NewActionBlock("", button(ActionSwapWithdraw, id, "Take back"))
	case done && (n.Kind == oncall.NoticeSwapAsk || n.Kind == oncall.NoticeSwapSent):
		return slack.NewActionBlock("", button(ActionSwapUndo, id, "Undo"))
	}
	return nil
}

// UnequalSwap asks whether a shift is to be swapped for one of quite another length. Nobody was asked yet.
func UnequalSwap(give, take schedule.Stint, other oncall.UserID, zone *time.Location) string {
	return fmt.Sprintf("That is %s of yours, %s, for %s of %s's, %s. Nobody was asked yet.", hoursOf(give.End.Sub(give.Start)), Between(give.Start, give.End, zone),
		hoursOf(take.End.Sub(take.Start)), mention(other), Between(take.Start, take.End, zone))
}
