package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// maxFindings is how many findings a message lists.
const maxFindings = 10

// drawCoverage warns of future gaps in coverage.
func drawCoverage(notice oncall.Notice) Drawing {
	all := notice.Detail.Findings
	head := ":mag: " + Count(len(all), "thing") + " about who is on call will go wrong"
	mended := 0
	for _, f := range all {
		if !f.MendedAt.IsZero() {
			mended++
		}
	}
	switch {
	case mended == len(all):
		head = "Mended: " + Count(len(all), "thing") + " about who is on call that would have gone wrong"
	case mended > 0:
		head = fmt.Sprintf(":mag: %s about who is on call will go wrong, %d more are mended", Count(len(all)-mended, "thing"), mended)
	}
	lines := []string{head + ":"}
	for _, f := range all[:min(len(all), maxFindings)] {
		line := findingLine(f, notice)
		if !f.MendedAt.IsZero() {
			line = "~" + line + "~ Mended " + noticeInstant(f.MendedAt, notice.Detail.TimeZone) + "."
		}
		lines = append(lines, "• "+line)
	}
	if more := len(all) - maxFindings; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	d := Drawing{Text: head + ".", Blocks: []slack.Block{section(strings.Join(lines, "\n"))}}
	if offers := coverOffers(notice); len(offers) > 0 {
		d.Blocks = append(d.Blocks, slack.NewActionBlock("", offers...))
	}
	return d
}

// maxOffers is how many buttons a warning has.
const maxOffers = 5

// coverOffers are buttons to ask for cover during time off, one for each.
func coverOffers(notice oncall.Notice) []slack.BlockElement {
	var out []slack.BlockElement
	seen := map[oncall.TimeOffID]bool{}
	for _, f := range notice.Detail.Findings[:min(len(notice.Detail.Findings), maxFindings)] {
		if f.TimeOff == 0 || !f.MendedAt.IsZero() || seen[f.TimeOff] || string(f.User) != notice.To || len(out) == maxOffers {
			continue
		}
		seen[f.TimeOff] = true
		label := "Ask for cover"
		if !f.Start.IsZero() {
			label += " " + f.Start.In(location(notice.Detail.TimeZone)).Format("2 Jan")
		}
		b := button(ActionAwayCover, valueOf(f.TimeOff), label)
		b.ActionID += "/" + valueOf(f.TimeOff) // tells them apart
		out = append(out, b)
	}
	return out
}

// findingLine describes a finding and what to do about it.
func findingLine(f oncall.Finding, notice oncall.Notice) string {
	name := duty(oncall.NoticeDetail{ScheduleName: f.Name, Role: f.Role})
	zone := notice.Detail.TimeZone
	switch f.Kind {
	case oncall.FindingGap:
		text := fmt.Sprintf("Nobody is on call in %s %s", name, fromTo(f.Start, f.End, zone))
		if f.More > 0 {
			text += fmt.Sprintf(", and %s like it within four weeks", Count(f.More, "gap"))
		}
		return text + "."
	case oncall.FindingEmpty:
		return fmt.Sprintf("Nobody is on call in %s in the next four weeks.", name)
	case oncall.FindingDeactivated:
		return fmt.Sprintf("%s has left Slack and %s.", mention(f.User), whereNamed(f, notice))
	case oncall.FindingUnknown:
		return fmt.Sprintf("Nobody knows %s, who %s.", mention(f.User), whereNamed(f, notice))
	case oncall.FindingStranger:
		return fmt.Sprintf("%s is of another organisation, so is never paged, and %s.", mention(f.User), whereNamed(f, notice))
	case oncall.FindingGuest:
		return fmt.Sprintf("%s is a guest whom no team has among its `members`, so is never paged, and %s.", mention(f.User), whereNamed(f, notice))
	case oncall.FindingTimeOff:
		return fmt.Sprintf("%s is away and on call in %s %s. `/oncall cover` looks for somebody else.", mention(f.User), name,
			fromTo(f.Start, f.End, zone))
	case oncall.FindingUnpaged:
		return fmt.Sprintf("No escalation policy pages %s: whoever is on call there will hear of nothing.", name)
	case oncall.FindingPagesNobody:
		return fmt.Sprintf("The escalation policy *%s* can page nobody.", Name(f.Name))
	default:
		return string(f.Kind) + " in " + name
	}
}

// whereNamed says where a person who can't be paged is named.
func whereNamed(f oncall.Finding, n oncall.Notice) string {
	if f.OfPolicy {
		return fmt.Sprintf("is named by the escalation policy *%s*", Name(f.Name))
	}
	name := duty(oncall.NoticeDetail{ScheduleName: f.Name, Role: f.Role})
	return "has a turn in " + name + " " + fromTo(f.Start, f.End, n.Detail.TimeZone)
}

func fromTo(start, end time.Time, zone string) string {
	if end.IsZero() {
		return "from " + noticeInstant(start, zone)
	}
	return noticePeriod(start, end, zone)
}
