package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// maxMoves is the maximum number of moved shifts in a message.
const maxMoves = 10

// duty names what a person is on call for.
func duty(f oncall.NoticeDetail) string {
	return withRole("*"+Name(f.ScheduleName)+"*", f.Role)
}

// until says how long a shift lasts and who is next.
func until(f oncall.NoticeDetail) string {
	if f.End.IsZero() {
		return "with no change in sight"
	}
	text := "until " + noticeInstant(f.End, f.TimeZone)
	if len(f.Next) > 0 {
		text += ", then " + named(f.Next)
	} else {
		text += ", then nobody"
	}
	return text
}

// drawComing tells a person that they are on call now.
func drawComing(notice oncall.Notice) Drawing {
	facts := notice.Detail
	head := fmt.Sprintf("You are on call in %s now, %s.", duty(facts), until(facts))
	others := slices.DeleteFunc(slices.Concat(facts.Users, facts.Stays), func(u oncall.UserID) bool { return string(u) == notice.To })
	if len(others) > 0 {
		head += " With you: " + named(others) + "."
	}
	if len(facts.Others) > 0 {
		head += " Before you: " + named(facts.Others) + "."
	}
	blocks := []slack.Block{section(head), section(openLines(facts, "Open in your team"))}
	if (facts.State == "" || facts.State == oncall.HandoffUnanswered) && facts.Role != schedule.RoleShadow {
		have := button(ActionHandoffTake, valueOf(notice.About), "I have it")
		blocks = append(blocks, slack.NewActionBlock("handoff", have.WithStyle(slack.StylePrimary)))
	} else if facts.State == oncall.HandoffTaken {
		blocks = append(blocks, section(handoffConfirmed(facts)))
	}
	return Drawing{Text: head, Blocks: blocks}
}

// drawGoing tells a person that they are no longer on call.
func drawGoing(n oncall.Notice) Drawing {
	facts := n.Detail
	head := fmt.Sprintf("You are no longer on call in %s. ", duty(facts))
	switch {
	case len(facts.Users)+len(facts.Stays) == 0:
		head += "*Nobody* has taken over."
	case len(facts.Users) == 0:
		head += named(facts.Stays) + " still is."
	default:
		head += named(facts.Users) + " took over."
	}
	blocks := []slack.Block{section(head), section(openLines(facts, "Open in your team"))}
	switch facts.State {
	case oncall.HandoffTaken:
		blocks = append(blocks, section(handoffConfirmed(facts)))
	case oncall.HandoffUnanswered:
		blocks = append(blocks, section(unanswered(facts)))
	}
	return Drawing{Text: head, Blocks: blocks}
}

// drawHandoff tells the team's channel who is on call now.
func drawHandoff(n oncall.Notice) Drawing {
	facts := n.Detail
	var head string
	switch {
	case len(facts.Users)+len(facts.Stays) == 0:
		head = fmt.Sprintf("*Nobody* is on call in %s now, %s.", duty(facts), until(facts))
	case len(facts.Users) == 0:
		head = fmt.Sprintf("%s is no longer on call in %s; %s still is, %s.", named(facts.Others), duty(facts), named(facts.Stays), until(facts))
	case len(facts.Others) == 0 && len(facts.Stays) > 0:
		head = fmt.Sprintf("%s is on call in %s, too, beside %s, %s.", named(facts.Users), duty(facts), named(facts.Stays), until(facts))
	case len(facts.Others) == 0:
		head = fmt.Sprintf("%s is on call in %s now, %s.", named(facts.Users), duty(facts), until(facts))
	default:
		head = fmt.Sprintf("%s takes over from %s in %s, %s.", named(facts.Users), named(facts.Others), duty(facts), until(facts))
	}
	lines := []string{head}
	if len(facts.Incidents) > 0 {
		lines = append(lines, openLines(facts, "Open"))
	}
	switch facts.State {
	case oncall.HandoffTaken:
		lines = append(lines, handoffConfirmed(facts))
	case oncall.HandoffUnanswered:
		lines = append(lines, unanswered(facts))
	}
	return Drawing{Text: head, Blocks: []slack.Block{section(strings.Join(lines, "\n"))}}
}

// drawUnanswered warns that the person who came on call may not be available.
func drawUnanswered(n oncall.Notice) Drawing {
	f := n.Detail
	head := fmt.Sprintf(":warning: %s came on call in %s at %s and has not said so yet.", named(f.Users), duty(f),
		noticeTime(f.Start, f.TimeZone))
	if slices.Contains(f.Others, oncall.UserID(n.To)) {
		head += " Please find out whether somebody has it."
	}
	blocks := []slack.Block{section(head)}
	if f.State == oncall.HandoffTaken {
		blocks = append(blocks, section(handoffConfirmed(f)))
	}
	return Drawing{Text: head, Blocks: blocks}
}

func handoffConfirmed(f oncall.NoticeDetail) string {
	return fmt.Sprintf(":white_check_mark: %s has it, since %s.", mention(f.By), noticeTime(f.StateAt, f.TimeZone))
}

func unanswered(f oncall.NoticeDetail) string {
	return fmt.Sprintf(":warning: %s has not said so yet.", named(f.Users))
}

// openLines lists the open incidents under a title.
func openLines(f oncall.NoticeDetail, title string) string {
	if len(f.Incidents) == 0 {
		return title + ": nothing."
	}
	lines := []string{title + ":"}
	for _, l := range f.Lines {
		lines = append(lines, "• "+Foreign(l, maxAlertTitle))
	}
	return strings.Join(lines, "\n")
}

// drawReminder reminds a person of a shift.
func drawReminder(n oncall.Notice) Drawing {
	f := n.Detail
	text := fmt.Sprintf("You will be on call in %s, %s.", duty(f), noticePeriod(f.Start, f.End, f.TimeZone))
	return Text(text)
}

// drawMoved tells a person which shifts they gained and lost.
func drawMoved(n oncall.Notice) Drawing {
	f := n.Detail
	head := fmt.Sprintf("Your shifts in %s have changed.", duty(f))
	if f.By != "" {
		head = fmt.Sprintf("%s has changed your shifts in %s.", mention(f.By), duty(f))
	}
	lines := []string{head}
	moves := moveLines(f.Moves, f.TimeZone)
	for _, line := range moves[:min(len(moves), maxMoves)] {
		lines = append(lines, "• "+line)
	}
	if more := len(moves) - maxMoves; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return Drawing{Text: head, Blocks: []slack.Block{section(strings.Join(lines, "\n"))}}
}
