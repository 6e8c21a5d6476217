package bot

import (
	"context"
	"fmt"
	"slices"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// publishHome draws the App Home of one person.
func (b *Bot) publishHome(ctx context.Context, user oncall.UserID) error {
	home, err := b.home(ctx, user)
	if err != nil {
		return err
	}
	return b.slack.PublishHome(ctx, string(user), home.Draw())
}

// home loads what the App Home of one person shows.
func (b *Bot) home(ctx context.Context, user oncall.UserID) (view.HomeTab, error) {
	directory, err := b.store.DirectoryFor(ctx, oncall.ByUser(user))
	if err != nil {
		return view.HomeTab{}, fmt.Errorf("load the directory: %w", err)
	}
	open, err := b.store.OpenIncidents(ctx, oncall.ByUser(user), maxOthers)
	if err != nil {
		return view.HomeTab{}, fmt.Errorf("load open incidents: %w", err)
	}
	orMore := len(open) == maxOthers
	other := func(in oncall.Incident) bool { return !slices.Contains(directory.Members[in.TeamID], user) }
	slices.SortStableFunc(open, func(a, b oncall.Incident) int {
		switch {
		case other(a) == other(b):
			return 0
		case other(a):
			return 1
		}
		return -1
	})
	reach, err := b.store.ContactSettings(ctx, oncall.ByUser(user), user)
	if err != nil {
		return view.HomeTab{}, fmt.Errorf("load how %s is reached: %w", user, err)
	}
	shown := view.OnHome(open)
	may, err := b.store.MayRespond(ctx, oncall.ByUser(user), shown)
	if err != nil {
		return view.HomeTab{}, err
	}
	watched := map[oncall.IncidentID]bool{}
	for _, in := range shown {
		watched[in.ID] = !may[in.ID]
	}
	now := b.clock()
	_, zone := zoneOf(directory.Users[user])
	return view.HomeTab{
		Shifts: ownStints(directory, user, now), Reached: b.reachedHome(directory, user, reach), Schedules: directory.Schedules,
		Overrides: directory.Override, Open: open, OrMore: orMore, Hides: directory.Hides, Links: b.rootLinks(ctx, shown),
		Watched: watched, Covers: mayInSome(directory, user, access.Override), Edits: mayInSome(directory, user, access.EditSchedule), Zone: zone, Now: now,
		Maintenance: inForceAnywhere(directory, now), Pages: b.pages,
	}, nil
}

// rootLinks are links to the messages of incidents, as far as there are any.
func (b *Bot) rootLinks(ctx context.Context, of []oncall.Incident) map[oncall.IncidentID]string {
	ids := make([]oncall.IncidentID, len(of))
	for i, in := range of {
		ids[i] = in.ID
	}
	roots, err := b.store.Roots(ctx, ids)
	if err != nil {
		b.log.Warn().Err(err).Msg("incidents can't be linked to")
	}
	links := map[oncall.IncidentID]string{}
	for id, at := range roots {
		links[id] = b.permalink(ctx, at)
	}
	return links
}

func (b *Bot) homeHelp(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, p.trigger, view.HelpModal(r.abilities()))
}

func (b *Bot) homeOverride(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	v, err := b.overrideModal(r, view.OverrideWish{Replaces: view.ReplaceAll}, "")
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, p.trigger, v)
}

func (b *Bot) homeCover(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, p.trigger, view.CoverForm(p.user, r.stints(p.user), r.location))
}

func (b *Bot) homeSwap(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, p.trigger, r.swapModal("", "", ""))
}

// homeSchedule opens the schedule that the person may edit, or a choice if there are several.
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
	return "", b.openModal(ctx, r.trigger, view.ScheduleChoice(own))
}

func (b *Bot) submitScheduleChoice(ctx context.Context, s submission) (modalResponse, error) {
	id := s.form.number(view.BlockSchedule)
	if id == 0 {
		return correct(fieldErrors{view.BlockSchedule: "Choose a schedule."}), nil
	}
	e, err := b.scheduleEdit(ctx, s.user, view.EditMeta{Schedule: oncall.ScheduleID(id)}.String())
	if err != nil {
		return modalResponse{}, err
	}
	return replace(e.overview(e.schedule, "").Draw()), nil
}
