package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// publishHome publishes a person's App Home.
func (b *Bot) publishHome(ctx context.Context, user oncall.UserID) error {
	home, err := b.home(ctx, user)
	if err != nil {
		return err
	}
	tab := home.Draw()
	shows, err := digestOf(tab)
	if err != nil {
		return err
	}
	if err := b.slack.PublishHome(ctx, string(user), tab); err != nil {
		return err
	}
	b.homes.drawn(user, shows, b.clock())
	return nil
}

// home loads a person's App Home.
func (b *Bot) home(ctx context.Context, user oncall.UserID) (view.HomeTab, error) {
	by, now := oncall.ByUser(user), b.clock()
	directory, err := b.store.DirectoryFor(ctx, by)
	if err != nil {
		return view.HomeTab{}, fmt.Errorf("load the directory: %w", err)
	}
	open, err := b.store.OpenIncidents(ctx, by, maxOpenLoaded)
	if err != nil {
		return view.HomeTab{}, fmt.Errorf("load open incidents: %w", err)
	}
	h := view.HomeTab{
		Reader: user, Open: open, OrMore: len(open) == maxOpenLoaded, Hides: directory.Hides, Overrides: directory.Override, Now: now,
		Shifts: ownStints(directory, user, now), Maintenance: inForceAnywhere(directory, now), TimeZone: directory.Users[user].TimeZone, Pages: b.pages,
	}
	_, h.Zone = zoneOf(directory.Users[user])
	homeTeams(&h, directory)
	if b.findings != nil && slices.Contains(directory.Access().AdminIDs(), user) {
		h.Findings, h.FoundAt = b.findings()
	}
	if h.Mine, h.Own, err = b.sortOwnFirst(ctx, directory, user, open); err != nil {
		return h, err
	}
	reach, err := b.store.ContactSettings(ctx, by, user)
	if err != nil {
		return h, fmt.Errorf("load how %s is reached: %w", user, err)
	}
	h.Reached = b.reachedHome(directory, user, reach)
	if h.Swaps, h.Covers, err = b.store.Waiting(ctx, by, now); err != nil {
		return h, err
	}
	if h.Actions, err = b.store.OwnReviewActions(ctx, by); err != nil {
		return h, err
	}
	shown := view.OnHome(open)
	may, err := b.store.MayRespond(ctx, by, shown)
	if err != nil {
		return h, err
	}
	h.Watched, h.Links = map[oncall.IncidentID]bool{}, b.rootLinks(ctx, shown)
	for _, in := range shown {
		h.Watched[in.ID] = !may[in.ID]
	}
	return h, nil
}

// homeTeams fills in the person's teams and rights.
func homeTeams(h *view.HomeTab, dir *store.Directory) {
	h.Teams = len(dir.Teams)
	for _, t := range dir.Teams {
		if slices.Contains(dir.Members[t.ID], h.Reader) {
			h.InTeam = true
		} else {
			h.Others++
		}
	}
	for _, s := range dir.Schedules {
		if slices.Contains(dir.Members[s.TeamID()], h.Reader) {
			h.Schedules = append(h.Schedules, s)
		}
	}
	model := dir.Access()
	h.Covering, h.Edits = mayInSome(dir, h.Reader, access.Override), mayInSome(dir, h.Reader, access.EditSchedule)
	h.Makes = model.May(oncall.ByUser(h.Reader), access.OthersThings, access.Object{}) == nil
	if h.Teams == 0 {
		h.Admins = model.AdminIDs()
	}
	if !h.InTeam {
		h.Managers = managersOf(dir)
	}
}

// maxAsked is how many managers are named to somebody who is in no team.
const maxAsked = 5

// managersOf returns the managers of all visible teams, or nil if there are too many to name.
func managersOf(d *store.Directory) (all []oncall.UserID) {
	model := d.Access()
	for _, t := range d.Teams {
		for _, u := range model.ManagersOf(t.ID) {
			if !slices.Contains(all, u) {
				all = append(all, u)
			}
		}
	}
	if len(all) > maxAsked {
		return nil
	}
	return all
}

// The ranks of incidents for a person.
const (
	rankTheirs = iota // they have it, or it pages them now
	rankTeam          // it paged them before, they were asked to help, or are a member or on call in its team
	rankOthers
)

// rankIncidents returns a function that ranks some incidents for a person.
func (b *Bot) rankIncidents(ctx context.Context, dir *store.Directory, user oncall.UserID, of []oncall.Incident) (func(oncall.Incident) int, error) {
	paged, err := b.store.PagedFor(ctx, oncall.ByUser(user), of)
	if err != nil {
		return nil, err
	}
	now := b.clock()
	teams := map[oncall.TeamID]bool{}
	for _, stint := range dir.Roster().Stints(user, now, now.Add(time.Second)) {
		if s, known := dir.Schedule(stint.Schedule); known {
			teams[s.TeamID()] = true
		}
	}
	return func(in oncall.Incident) int {
		switch {
		case in.With(user), paged[in.ID] && in.Status == oncall.Triggered:
			return rankTheirs
		case paged[in.ID], in.RaisedBy.User == user, teams[in.TeamID], slices.Contains(dir.Members[in.TeamID], user),
			slices.ContainsFunc(in.Responders, func(r oncall.Responder) bool { return r.User == user }):
			return rankTeam
		}
		return rankOthers
	}, nil
}

// urgency orders the incidents of one rank: first what nobody has, last what waits.
var urgency = map[oncall.Status]int{oncall.Triggered: 0, oncall.Acknowledged: 1, oncall.Snoozed: 2}

// sortOwnFirst puts the person's incidents first, then those of their teams, and first of each what needs somebody. It returns how many are
// the person's, and how many are the person's or their teams'.
func (b *Bot) sortOwnFirst(ctx context.Context, d *store.Directory, user oncall.UserID, open []oncall.Incident) (mine, own int, err error) {
	rank, err := b.rankIncidents(ctx, d, user, open)
	if err != nil {
		return 0, 0, err
	}
	slices.SortStableFunc(open, func(a, b oncall.Incident) int {
		return cmp.Or(rank(a)-rank(b), urgency[a.Status]-urgency[b.Status])
	})
	for _, in := range open {
		switch rank(in) {
		case rankTheirs:
			mine, own = mine+1, own+1
		case rankTeam:
			own++
		}
	}
	return mine, own, nil
}

// findTeam opens the team search.
func (b *Bot) findTeam(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	if err := b.store.May(r.directory, r.by(), access.See, access.Object{}); err != nil {
		return "", err
	}
	return "", b.openModal(ctx, p.trigger, view.FindTeam{Teams: r.directory.Teams}.Draw())
}

// foundTeam shows the chosen team.
func (b *Bot) foundTeam(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	id := oncall.TeamID(formOf(p.view).number(view.BlockFind))
	v := view.FindTeam{Teams: r.directory.Teams, Found: id, Overrides: r.directory.Override, Zone: r.location, Now: r.now}
	for _, s := range r.directory.Schedules {
		if s.TeamID() == id {
			v.Schedules = append(v.Schedules, s)
		}
	}
	open, err := b.store.OpenIncidents(ctx, r.by(), maxOpenLoaded)
	if err != nil {
		return "", fmt.Errorf("load open incidents: %w", err)
	}
	v.Open = slices.DeleteFunc(open, func(in oncall.Incident) bool { return in.TeamID != id })
	return "", b.updateModal(ctx, p.view, v.Draw())
}

// fromHome wraps a handler so that it redraws the home tab if the button was pressed there.
func fromHome(run func(b *Bot, ctx context.Context, p press) (string, error)) func(b *Bot, ctx context.Context, p press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		answer, err := run(b, ctx, p)
		if err == nil && p.view.Type == slack.VTHomeTab {
			if err := b.publishHome(ctx, p.user); err != nil {
				b.log.Warn().Err(err).Msg("could not redraw a home tab")
			}
		}
		return answer, err
	}
}

// rootLinks returns permalinks to the incidents that have a message.
func (b *Bot) rootLinks(ctx context.Context, of []oncall.Incident) map[oncall.IncidentID]string {
	ids := make([]oncall.IncidentID, len(of))
	for i, in := range of {
		ids[i] = in.ID
	}
	return b.linksTo(ctx, ids)
}

// linksTo returns permalinks to the given incidents that have a message.
func (b *Bot) linksTo(ctx context.Context, ids []oncall.IncidentID) map[oncall.IncidentID]string {
	if len(ids) == 0 {
		return nil
	}
	roots, err := b.store.Roots(ctx, ids)
	if err != nil {
		b.log.Warn().Err(err).Msg("could not link to incidents")
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
	v, err := b.overrideModal(r, view.OverrideDraft{Replaces: view.ReplaceAll}, "")
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
	return "", b.openModal(ctx, p.trigger, view.CoverForm(p.user, r.stints(p.user), view.ReadStintPart(p.value), r.location, ""))
}

func (b *Bot) homeSwap(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, p.trigger, r.swapModal("", "", ""))
}

// homeSchedule opens the schedule that the person may edit, or lets them choose among several.
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
	return "", b.openModal(ctx, r.trigger, view.ScheduleChoice(own, "edit"))
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
	if s.meta() == "history" {
		return replace(view.ScheduleHistory(e.meta, e.schedule, e.location)), nil
	}
	return replace(e.overview(e.schedule, "").Draw()), nil
}
