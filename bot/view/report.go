package view

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall/report"
)

const (
	reportNoisy  = 5
	reportPeople = 30
	reportName   = 60
)

// Report draws a report: the figures, with those of the previous period in brackets, what interrupted people
// most, and individual people if the report has any. They appear in the given order, which is not a ranking.
func Report(t report.Comparison) Drawing {
	title := "Report of " + Name(t.Name)
	if t.Name == "" {
		title = "Your report"
	}
	head := fmt.Sprintf("*%s, %s*", title, Name(t.Now.Period.Name))
	var lines []string
	for _, line := range t.Sentences() {
		lines = append(lines, Foreign(line, maxTitle))
	}
	lines = append(lines, "On call for "+t.Versus(hoursOf(t.Now.Hours), hoursOf(t.Before.Hours))+".")
	text := []string{head, strings.Join(lines, "\n")}
	blocks := []slack.Block{section(head), section(strings.Join(lines, "\n"))}
	if noisy := countLines(t.Now.Noisiest(reportNoisy)); len(noisy) > 0 {
		part := headedLines("*What disturbed most*", noisy)
		text, blocks = append(text, part), append(blocks, section(part))
	}
	if len(t.Now.BySeverity) > 0 {
		blocks = append(blocks, section(headedLines("*By severity*", countLines(t.Now.BySeverity))))
	}
	if people := peopleLines(t.Now.People, t.Name == ""); len(people) > 0 {
		blocks = append(blocks, section(fitLines(people, maxSection)))
	}
	if !t.Kept.IsZero() {
		warning := fmt.Sprintf(":warning: Incidents that were over before %s are kept no more, so that earlier figures are too low.", day(t.Kept, t.Now.Period.TimeZone))
		text, blocks = append(text, warning), append(blocks, section(warning))
	}
	brackets := fmt.Sprintf("In brackets: %s. ", Name(t.Before.Period.Name))
	if t.First() {
		brackets = ""
	}
	blocks = append(blocks, note(brackets+fmt.Sprintf("Days begin in %s; working hours and nights are those of each person's own zone.", Name(t.Now.Period.TimeZone))))
	return Drawing{Text: CutPlain(strings.Join(text, "\n"), MaxText), Blocks: blocks}
}

func hoursOf(d time.Duration) string { return fmt.Sprintf("%d h", int(d.Round(time.Hour)/time.Hour)) }

func day(t time.Time, zone string) string { return t.In(location(zone)).Format("2 January 2006") }

func countLines(all []report.Count) (lines []string) {
	for _, c := range all {
		lines = append(lines, "• "+Foreign(cmp.Or(c.Name, "paged by hand"), reportName)+": "+c.Said())
	}
	return lines
}

// peopleLines lists individual people.
func peopleLines(all []report.PersonReport, own bool) []string {
	if len(all) == 0 {
		return nil
	}
	head := "*Person by person*, in the order of their names; only managers and you see this:"
	if own {
		head = "*On call, and disturbed*"
	}
	lines := []string{head}
	for i, p := range all {
		if i == reportPeople {
			return append(lines, fmt.Sprintf("and %d more, whom the table has", len(all)-i))
		}
		n, h := p.Interruptions, p.Hours
		who := mention(p.User)
		text := "• " + who + ": not interrupted"
		if n.All() > 0 {
			text = fmt.Sprintf("• %s: %s (%s)", who, Count(n.All(), "interruption"), whenInterrupted(n.Working, n.Off, n.Sleep))
		}
		if p.Woken > 0 {
			text += "; " + Count(p.Woken, "night") + " woken"
		}
		if h.All() > 0 {
			text += "; on call for " + hoursOf(h.All())
			var of []string
			if h.Nights > 0 {
				of = append(of, Count(h.Nights, "night"))
			}
			if h.WeekendDay > 0 {
				of = append(of, Count(h.WeekendDay, "day")+" of weekends")
			}
			if len(of) > 0 {
				text += ", with " + List(of)
			}
		}
		var moved []string
		for _, m := range []struct {
			d    time.Duration
			what string
		}{{h.Override, "by override"}, {h.Swap, "by swap"}, {h.Cover, "to cover for others"}, {h.GivenAway, "given away"}} {
			if m.d > 0 {
				moved = append(moved, hoursOf(m.d)+" "+m.what)
			}
		}
		if len(moved) > 0 {
			text += " (" + strings.Join(moved, ", ") + ")"
		}
		lines = append(lines, text)
	}
	return lines
}

// whenInterrupted says how many of a person's interruptions came when, without those that never did.
func whenInterrupted(working, off, asleep int) string {
	var parts []string
	for _, p := range []struct {
		n    int
		when string
	}{{working, "working"}, {off, "off"}, {asleep, "asleep"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.when))
		}
	}
	return strings.Join(parts, ", ")
}

// ReportFollows says where the report will appear.
func ReportFollows(team, period, channel string) string {
	of := "Your report"
	if team != "" {
		of = "The report of *" + Name(team) + "*"
	}
	where := "as a direct message from me"
	if channel != "" {
		where = "here, without single people"
	}
	return fmt.Sprintf("%s, %s, comes %s, with a picture and a table.", of, Name(period), where)
}

// ReportWithout says which of its files a report lacks, and why.
func ReportWithout(what, why string) Drawing {
	return Text(fmt.Sprintf("Slack didn't take the %s of the report: %s.", what, why))
}

// ReportRefused says why there is no report.
func ReportRefused(why string) Drawing { return Text(Foreign(why, maxTitle)) }
