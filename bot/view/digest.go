package view

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/report"
)

// drawDigest draws a team's weekly digest for its channel. The lines contain foreign names.
func drawDigest(n oncall.Notice) Drawing {
	facts := n.Detail
	zone := location(facts.TimeZone)
	var lines []string
	for _, line := range facts.Lines {
		lines = append(lines, Foreign(line, maxTitle))
	}
	head := fmt.Sprintf("*The week of %s, %s to %s*", Name(facts.Team), facts.Start.In(zone).Format("2 January"), facts.End.In(zone).AddDate(0, 0, -1).Format("2 January"))
	body := strings.Join(lines, "\n")
	blocks := []slack.Block{section(head + "\n" + body)}
	if len(lines) > 1 {
		text := fmt.Sprintf("`/oncall report %s last week` has a picture and a table.", code(facts.Team))
		if strings.Contains(facts.Lines[0], "(") { // the number of incidents: the first week has none to compare with
			text = "In brackets: the week before. " + text
		}
		blocks = append(blocks, note(text))
	}
	return Drawing{Text: head + "\n" + body, Blocks: blocks}
}

// drawBadNight offers cover to a person who was woken more than once.
func drawBadNight(n oncall.Notice) Drawing {
	d := n.Detail
	text := fmt.Sprintf("You were woken %d times in the night (%s). Somebody else can take a shift of yours, or a part of it, so that you can sleep: "+
		"ask for cover. Until somebody takes it, you stay on call.", d.Count, noticePeriod(d.Start, d.End, d.TimeZone))
	return Drawing{Text: text, Blocks: []slack.Block{
		section(text), slack.NewActionBlock("", button(ActionHomeCover, "", "Find cover").WithStyle(slack.StylePrimary)),
		note("Nobody else is told of one night; of the third within 14 days the managers of the team are. `/oncall report me` has all of yours."),
	}}
}

// drawBadNights tells a manager who had several bad nights.
func drawBadNights(n oncall.Notice) Drawing {
	d := n.Detail
	return Text(fmt.Sprintf("%s has had %d bad nights within 14 days, with two interruptions or more between 23:00 and 07:00; the last was %s. "+
		"`/oncall cover @name` asks others to take a shift of theirs. Only managers are told.", mention(d.Users...), d.Count, noticePeriod(d.Start, d.End, d.TimeZone)))
}

// FairnessPreview compares each person's share of a schedule before and after an edit.
func FairnessPreview(all []report.ShareChange) []slack.Block {
	shares := report.FairnessSaid(all)
	if len(shares) == 0 {
		return nil
	}
	lines := []string{"*What each person carries* in the next 90 days, before → after:"}
	for _, c := range all {
		line := fmt.Sprintf("• %s: %s, as before", mention(c.User), c.Is)
		if c.Moves() {
			line = fmt.Sprintf("• %s: %s → %s", mention(c.User), c.Was, c.Is)
		}
		lines = append(lines, line)
	}
	return []slack.Block{section(fitLines(lines, maxPreview))}
}
