package bot

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"

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
	reach, err := b.store.Reach(ctx, user)
	if err != nil {
		return fmt.Errorf("load how %s is reached: %w", user, err)
	}
	view := drawHome(directory, directory.Users[user], open, b.reachedHome(reach), b.clock())
	return b.slack.PublishHome(ctx, string(user), view)
}

// The buttons of the home tab.
const (
	actionHomeOverride = "home_override"
	actionHomeSwap     = "home_swap"
	actionHomeSchedule = "home_schedule"
)

// drawHome draws a person's shifts, who is on call now, what is open and what the person
// can do.
func drawHome(d *store.Directory, user oncall.User, open []oncall.Incident, reached string, now time.Time) slack.HomeTabViewRequest {
	_, zone := zoneOf(user)
	blocks := []slack.Block{
		slack.NewHeaderBlock(plain("Your shifts")), section(foreignSection(myShifts(d, user.ID, now, zone))),
		slack.NewActionBlock("home_actions",
			slack.NewButtonBlockElement(actionHomeOverride, "", plain("Override")),
			slack.NewButtonBlockElement(actionHomeSwap, "", plain("Swap")),
			slack.NewButtonBlockElement(actionHomeSchedule, "", plain("Schedule")),
		),
		slack.NewHeaderBlock(plain("How you are reached")),
		slack.NewSectionBlock(words(reached), nil, slack.NewAccessory(slack.NewButtonBlockElement(actionContacts, "", plain("Change…")))),
		slack.NewHeaderBlock(plain("On call now")),
	}
	for _, s := range d.Schedules[:min(len(d.Schedules), homeSchedules)] {
		blocks = append(blocks, section(foreignSection(scheduleLines(d, s, now, zone))))
	}
	switch more := len(d.Schedules) - homeSchedules; {
	case len(d.Schedules) == 0:
		blocks = append(blocks, section("There are no schedules yet."))
	case more > 0:
		blocks = append(blocks, section(count(more, "more schedule")+": `/oncall who` with its name shows each."))
	}
	blocks = append(blocks, slack.NewHeaderBlock(plain("Open incidents")), section(foreignSection(incidentLines(open))),
		slack.NewHeaderBlock(plain("What you can type")))
	blocks = append(blocks, helpBlocks()...)
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
}

func (b *Bot) homeOverride(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, p.trigger, r.overrideModal(wish{whom: wishAll}, ""))
}

func (b *Bot) homeSwap(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, p.trigger, r.swapModal("", "", ""))
}

// homeSchedule opens the schedule that the person may edit, or the choice of one.
func (b *Bot) homeSchedule(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	r.trigger = p.trigger
	var own []*schedule.Schedule
	for _, c := range r.directory.Schedules {
		if r.mayEdit(c.TeamID()) == nil {
			own = append(own, c)
		}
	}
	switch len(own) {
	case 0:
		return b.newSchedule(ctx, r)
	case 1:
		return b.editSchedule(ctx, r, own[0])
	}
	options := make([]option, len(own))
	for i, c := range own {
		options[i] = option{strconv.FormatInt(int64(c.ID()), 10), c.Name()}
	}
	return "", b.openModal(ctx, r.trigger, dialog(modalScheduleChoice, "Schedule", "Open", "",
		choiceField(blockSchedule, "Which one?", "", options[0].value, options)))
}

func (b *Bot) submitScheduleChoice(ctx context.Context, s submission) (answer, error) {
	id := s.form.number(blockSchedule)
	if id == 0 {
		return correct(map[string]string{blockSchedule: "Choose a schedule."}), nil
	}
	e, err := b.editing(ctx, s.user, editMeta{Schedule: oncall.ScheduleID(id)}.String())
	if err != nil {
		return answer{}, err
	}
	return replace(drawSchedule(e.overview(e.schedule, ""))), nil
}

// incidentLines lists incidents, a line each.
func incidentLines(open []oncall.Incident) string {
	if len(open) == 0 {
		return "None."
	}
	lines := make([]string, len(open))
	for i, in := range open {
		lines[i] = incidentLine(in)
	}
	return strings.Join(lines, "\n")
}

// incidentLine is an incident in one line.
func incidentLine(in oncall.Incident) string {
	state := string(in.Status)
	switch {
	case in.Status == oncall.Acknowledged:
		state += " by " + who(in.AckedBy)
	case in.Status == oncall.Snoozed && in.SnoozedUntil != nil:
		state += " until " + stamp(*in.SnoozedUntil, asDay, time.UTC)
	}
	return fmt.Sprintf("%s %s %s: %s (%s)", statuses[in.Status].emoji, in.ID, severityName(in.Severity), foreign(in.Title, maxName), state)
}
