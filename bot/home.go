package bot

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	homeIncidents = 20
	homeSchedules = 30
)

// publishHome draws the App Home of one person.
func (b *Bot) publishHome(ctx context.Context, user oncall.UserID) error {
	directory, err := b.store.Directory(ctx)
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	open, err := b.store.OpenIncidents(ctx, homeIncidents)
	if err != nil {
		return fmt.Errorf("load open incidents: %w", err)
	}
	_, zone := zoneOf(directory.Users[user])
	view := drawHome(directory, open, b.clock(), zone)
	return b.call(ctx, call{method: "views.publish", priority: forRest}, func(ctx context.Context) error {
		_, err := b.api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: string(user), View: view})
		return err
	})
}

// drawHome draws who is on call now, what is open and what a person can type.
func drawHome(d *store.Directory, open []oncall.Incident, now time.Time, zone *time.Location) slack.HomeTabViewRequest {
	blocks := []slack.Block{slack.NewHeaderBlock(plain("On call now"))}
	for _, s := range d.Schedules[:min(len(d.Schedules), homeSchedules)] {
		blocks = append(blocks, section(scheduleLines(s, now, zone)))
	}
	switch more := len(d.Schedules) - homeSchedules; {
	case len(d.Schedules) == 0:
		blocks = append(blocks, section("There are no schedules yet."))
	case more > 0:
		blocks = append(blocks, section(count(more, "more schedule")+": `/oncall who` with its name shows each."))
	}
	blocks = append(blocks, slack.NewHeaderBlock(plain("Open incidents")), section(incidentLines(open)),
		slack.NewHeaderBlock(plain("What you can type")), section(helpText))
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
}

// incidentLines lists incidents, a line each.
func incidentLines(open []oncall.Incident) string {
	if len(open) == 0 {
		return "None."
	}
	lines := make([]string, len(open))
	for i, in := range open {
		lines[i] = fmt.Sprintf("%s %s %s (%s)", statuses[in.Status].emoji, in.ID, foreign(in.Title, maxName), in.Status)
		if in.Status == oncall.Acknowledged {
			lines[i] = strings.TrimSuffix(lines[i], ")") + " by " + who(in.AckedBy) + ")"
		}
	}
	return strings.Join(lines, "\n")
}
