package bot

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/report"
	"github.com/watchbill/watchbill/timeline"
)

// A reportAsk is a requested report, and where to send it.
type reportAsk struct {
	team   oncall.Team // zero: the person's own report
	period report.Period
	place  string // channel to post it in
	public bool   // others read it
}

// report answers `/oncall report [me|team] [period] [here]`. It sends a direct message, because only there may
// it show individual people, to themselves and to managers. `here` posts the team's figures in the current
// channel.
func (b *Bot) report(ctx context.Context, r request) (string, error) {
	ask, err := b.reportAsk(r)
	if err != nil {
		return "", err
	}
	if ask.team.ID != 0 {
		if err := b.store.May(r.directory, r.by(), access.See, access.Object{Team: ask.team.ID}); err != nil {
			return "", err
		}
	}
	b.inBackground(ctx, "a report", func(ctx context.Context) error { return b.sendReport(ctx, r, ask) })
	channel := ""
	if ask.public {
		channel = ask.place
	}
	return view.ReportFollows(ask.team.Name, ask.period.Name, channel), nil
}

// reportAsk parses whose report, for which period, and where to.
func (b *Bot) reportAsk(r request) (reportAsk, error) {
	words := r.words
	ask := reportAsk{place: string(r.user.ID)}
	if n := len(words); n > 0 && oneOf(words, n-1, "here", "post", "public") {
		words, ask.public, ask.place = words[:n-1], true, r.channel
	}
	for len(words) > 1 && oneOf(words, 0, "for", "of", "on") {
		words = words[1:]
	}
	own := len(words) > 0 && oneOf(words, 0, "me", "my", "mine", "myself")
	if own {
		words = words[1:]
	} else {
		var err error
		if ask.team, words, err = r.reportTeam(words); err != nil {
			return ask, err
		}
	}
	zone := r.user.TimeZone
	if !own {
		zone = cmp.Or(r.directory.TeamZone(ask.team.ID), zone)
	}
	switch {
	case ask.public && own:
		return ask, oncall.Refuse("Your own figures go to you alone: leave `here` out.")
	case ask.public && r.channel == "":
		return ask, oncall.Refuse("Type it as `/oncall report … here` in the channel where it is to be.")
	case ask.public && r.directory.Veiled(ask.team.ID, ask.place):
		return ask, oncall.Refuse("The team %s is private, and others read here: leave `here` out.", view.Name(ask.team.Name))
	}
	p, err := report.ParsePeriod(words, cmp.Or(zone, "UTC"), r.now)
	ask.period = p.Until(r.now)
	return ask, err
}

// reportTeam finds the team that is meant: named at the beginning or end of the words, or else the team of the
// current channel, the person's only team, or the only one.
func (r request) reportTeam(words []string) (oncall.Team, []string, error) {
	named := func(words []string) (oncall.Team, bool) {
		typed := strings.Trim(unescape(strings.Join(words, " ")), `"'“”`)
		i := slices.IndexFunc(r.directory.Teams, func(t oncall.Team) bool { return strings.EqualFold(t.Name, typed) })
		if i < 0 {
			return oncall.Team{}, false
		}
		return r.directory.Teams[i], true
	}
	if len(words) > 1 && oneOf(words, 0, "team") {
		words = words[1:]
	}
	for n := min(len(words), maxObjectNameWords); n > 0; n-- {
		if t, ok := named(words[:n]); ok {
			return t, words[n:], nil
		}
		if t, ok := named(words[len(words)-n:]); ok {
			rest := words[:len(words)-n]
			if m := len(rest); m > 1 && oneOf(rest, m-1, "for", "of", "in") {
				rest = rest[:m-1]
			}
			return t, rest, nil
		}
	}
	if len(words) > 0 { // an unknown name: don't refuse it as a period
		if _, err := report.ParsePeriod(words, "UTC", r.now); err != nil && r.mayBeMistyped(words[0]) {
			return oncall.Team{}, nil, unknownName(r.directory, words[0], "team")
		}
	}
	for _, candidates := range [][]oncall.Team{
		r.teamsWhere(func(t oncall.Team) bool { return r.channel != "" && r.directory.Channel(t.Channel) == r.channel }),
		r.teamsWhere(func(t oncall.Team) bool { return slices.Contains(r.directory.Members[t.ID], r.user.ID) }),
		r.directory.Teams,
	} {
		if len(candidates) == 1 {
			return candidates[0], words, nil
		}
	}
	var names []string
	for _, t := range r.directory.Teams[:min(len(r.directory.Teams), view.MaxNamed)] {
		names = append(names, "`"+view.Name(t.Name)+"`")
	}
	if len(names) == 0 {
		return oncall.Team{}, nil, oncall.Refuse("There is no team%s to report on. `/oncall report me` is about you.", r.noneVisible())
	}
	return oncall.Team{}, nil, oncall.Refuse("Say which team, as in `/oncall report %s last month`, or `/oncall report me`: %s.",
		view.Name(r.directory.Teams[0].Name), strings.Join(names, ", "))
}

func (r request) teamsWhere(is func(oncall.Team) bool) []oncall.Team {
	return slices.DeleteFunc(slices.Clone(r.directory.Teams), func(t oncall.Team) bool { return !is(t) })
}

// sendReport computes a report and sends it: first the picture, then the text, and the table last.
func (b *Bot) sendReport(ctx context.Context, r request, ask reportAsk) error {
	post := func(d view.Drawing) error {
		_, err := b.post(ctx, slackcall.Message{Channel: ask.place, Priority: slackcall.ForRest}, d)
		return err
	}
	figures, err := b.loadReport(ctx, r, ask)
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return post(view.ReportRefused(refusal.Error()))
	}
	if err != nil {
		return errors.Join(err, post(view.ReportRefused("The report could not be made, because the database does not answer. Please try again.")))
	}
	file := func(what string, file slack.UploadFileParameters, err error) error {
		if err != nil {
			return err
		}
		if err := b.share(ctx, ask.place, file); err != nil {
			return errors.Join(err, post(view.ReportWithout(what, whyNoPicture(err))))
		}
		return nil
	}
	picture, err := reportPicture(figures)
	failed := file("picture", picture, err)
	if err := post(view.Report(figures)); err != nil {
		return errors.Join(failed, err)
	}
	table, err := reportTable(r, figures)
	return errors.Join(failed, file("table", table, err))
}

// loadReport computes a report. People are sorted by name.
func (b *Bot) loadReport(ctx context.Context, r request, ask reportAsk) (figures report.Comparison, err error) {
	if ask.team.ID == 0 {
		figures, err = b.store.MyReport(ctx, r.by(), r.user.ID, ask.period)
	} else {
		figures, err = b.store.TeamReport(ctx, r.by(), ask.team.ID, ask.period)
	}
	if ask.public {
		figures = figures.Public()
	}
	slices.SortStableFunc(figures.Now.People, func(x, y report.PersonReport) int {
		return cmp.Or(strings.Compare(strings.ToLower(r.directory.Users[x.User].Name), strings.ToLower(r.directory.Users[y.User].Name)), cmp.Compare(x.User, y.User))
	})
	return figures.KeptFor(b.keeps, r.now), err
}

// reportPicture draws when people were interrupted.
func reportPicture(t report.Comparison) (slack.UploadFileParameters, error) {
	c := reportChart(t)
	var png bytes.Buffer
	if err := timeline.DrawChart(&png, c); err != nil {
		return slack.UploadFileParameters{}, err
	}
	return slack.UploadFileParameters{
		Filename: "report.png", Title: c.Title, AltTxt: timeline.ChartAlt(c), FileSize: png.Len(), Reader: &png,
	}, nil
}

// reportChart charts interruptions by day, or by week for longer periods.
func reportChart(t report.Comparison) timeline.Chart {
	c := timeline.Chart{Title: "Interruptions: " + t.Name, Subtitle: t.Now.Period.Name, Parts: []string{"in working hours", "off", "asleep"}}
	if t.Name == "" {
		c.Title = "Your interruptions"
	}
	group := 1
	if len(t.Now.Days) > 62 {
		group = 7
		c.Subtitle += ", by weeks from the day below"
	}
	for i, d := range t.Now.Days {
		if i%group == 0 {
			label := time.Date(d.Date.Year, d.Date.Month, d.Date.Day, 0, 0, 0, 0, time.UTC).Format("2 Jan")
			c.Columns = append(c.Columns, timeline.Column{Label: label, Counts: make([]int, len(c.Parts))})
		}
		of, n := c.Columns[len(c.Columns)-1].Counts, d.Interruptions
		of[0], of[1], of[2] = of[0]+n.Working, of[1]+n.Off, of[2]+n.Sleep
	}
	return c
}

// reportTable returns the report as a table.
func reportTable(r request, t report.Comparison) (slack.UploadFileParameters, error) {
	var csv bytes.Buffer
	name := func(u oncall.UserID) string { return cmp.Or(r.directory.Users[u].Name, string(u)) }
	if err := t.Now.WriteCSV(&csv, name); err != nil {
		return slack.UploadFileParameters{}, fmt.Errorf("make the table of a report: %w", err)
	}
	return slack.UploadFileParameters{
		Filename: "report-" + t.Now.Days[0].Date.String() + ".csv", Title: cmp.Or(t.Name, "report") + ", " + t.Now.Period.Name, FileSize: csv.Len(), Reader: &csv,
	}, nil
}
