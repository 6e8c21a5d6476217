package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// openGuide opens the form that sets up a team.
func (b *Bot) openGuide(ctx context.Context, r request, name string) error {
	if err := b.store.May(r.directory, r.by(), access.OthersThings, access.Object{}); err != nil {
		return err
	}
	g := r.guide()
	g.Name = view.CutPlain(name, view.MaxName)
	return b.openModal(ctx, r.trigger, g.Draw())
}

func (r request) guide() view.SetupGuide {
	return view.SetupGuide{
		People: []oncall.UserID{r.user.ID}, Zone: cmp.Or(r.user.TimeZone, "UTC"), Kinds: monitorChoices(), First: len(r.directory.Teams) == 0,
	}
}

// pressNewTeam replaces the list of teams by the form.
func (b *Bot) pressNewTeam(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	r.trigger = p.trigger
	if !p.inModal() {
		return "", b.openGuide(ctx, r, "")
	}
	if err := b.store.May(r.directory, r.by(), access.OthersThings, access.Object{}); err != nil {
		return "", err
	}
	return "", b.updateModal(ctx, p.view, r.guide().Draw())
}

// monitorChoices returns the monitors to choose from.
func monitorChoices() []view.Choice {
	var all []view.Choice
	for _, f := range intake.Formats {
		label := strings.ToUpper(f.Title[:1]) + f.Title[1:]
		if f.Name == intake.Auto {
			label = "Any: what it sends is recognised"
		}
		all = append(all, view.Choice{Value: string(f.Name), Label: label})
	}
	return all
}

// guided is the parsed form.
type guided struct {
	name    string
	channel oncall.SlackChannel
	people  []oncall.UserID
	start   string // "2026-03-02 09:00"
	every   string
	zone    string
	wait    string
	format  oncall.Format
}

// submitGuide sets up a team, all or nothing.
func (b *Bot) submitGuide(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	g, wrong := r.readGuide(s.form)
	if len(wrong) > 0 {
		return correct(wrong), nil
	}
	named, wrong, err := b.chosenChannel(ctx, g.channel.ID, false)
	if err != nil {
		return modalResponse{}, err
	}
	if len(wrong) > 0 {
		return correct(wrong), nil
	}
	g.channel = named.SlackChannel
	if err := b.storeNewPeople(ctx, g.people); err != nil {
		return modalResponse{}, err
	}
	doc, err := b.store.SetupFor(ctx, s.by(), r.now)
	if err != nil {
		return modalResponse{}, err
	}
	if _, taken := doc.Find(setup.TeamPart, g.name); taken {
		return correct(fieldErrors{view.BlockName: fmt.Sprintf("There is a team %q already; /oncall setup opens it.", view.CutPlain(g.name, view.MaxName))}), nil
	}
	edits := g.edits(doc)
	done, err := b.store.EditSetups(ctx, s.by(), edits, r.now)
	if err != nil {
		return modalResponse{}, setupRefusal(err)
	}
	if err := b.store.SaveChannels(ctx, []oncall.NamedChannel{named}, r.now); err != nil {
		b.log.Warn().Err(err).Msg("could not store a channel's id")
	}
	return b.teamReady(ctx, s, g, edits, done)
}

// chosenChannel looks up the channel chosen in a form. A private team needs a private channel.
func (b *Bot) chosenChannel(ctx context.Context, id string, private bool) (oncall.NamedChannel, fieldErrors, error) {
	found, err := b.slack.Channel(ctx, id)
	switch {
	case slackcall.CodeOf(err) == "channel_not_found":
		return oncall.NamedChannel{}, fieldErrors{view.BlockSetupChannel: "Watchbill can't see this channel. Invite the app there first: type /invite @watchbill in it."}, nil
	case err != nil:
		return oncall.NamedChannel{}, nil, fmt.Errorf("look up a channel: %w", err)
	case private && !found.IsPrivate:
		return oncall.NamedChannel{}, fieldErrors{view.BlockSetupChannel: "A private team's channel is a private one, or everybody reads what is the team's."}, nil
	}
	is := oncall.SlackChannel{ID: found.ID, Name: found.Name, Private: found.IsPrivate}
	return oncall.NamedChannel{Named: "#" + found.Name, SlackChannel: is}, nil, nil
}

// teamReady confirms that a team is set up.
func (b *Bot) teamReady(ctx context.Context, s submission, g guided, edits []store.SetupEdit, done []store.EditedSetup) (modalResponse, error) {
	r, err := b.request(ctx, s.user, nil) // includes the new team
	if err != nil {
		return modalResponse{}, err
	}
	reach, err := b.store.ContactSettings(ctx, s.by(), s.user)
	if err != nil {
		return modalResponse{}, fmt.Errorf("load how %s is reached: %w", s.user, err)
	}
	v := view.SetupDone{
		Team: g.name, Invite: g.channel.Private, Reached: b.reachedHome(r.directory, s.user, reach), Now: r.now, Zone: r.location,
	}
	for _, c := range r.directory.Schedules {
		if c.Name() == edits[1].Name {
			v.Schedule = c
		}
	}
	last := len(done) - 1
	v.Integration, v.Key = b.madeKey(r, edits[last].Name, done[last])
	v.Test = r.testAlert(v.Integration)
	return replace(v.Draw()), nil
}

// madeKey returns the key of a new integration, with its snippet.
func (b *Bot) madeKey(r request, name string, done store.EditedSetup) (id oncall.IntegrationID, key view.MadeKey) {
	for _, in := range r.directory.Integrations {
		if in.Name == name {
			id = in.ID
		}
	}
	for _, made := range done.Report.Keys {
		snippet := intake.SnippetFor(made.Format, b.publicURL, made.Key)
		key = view.MadeKey{Name: made.Integration, Key: made.Key, Where: snippet.Where, Snippet: snippet.Text, Local: b.localURL}
	}
	return id, key
}

// wrongTeamName says why a team can't have a name; "": it can.
func wrongTeamName(name string) string {
	switch first, _, _ := strings.Cut(strings.ToLower(name), " "); {
	case name == "" || len([]rune(name)) > view.MaxName:
		return fmt.Sprintf("A team needs a name of at most %d characters.", view.MaxName)
	case slices.Contains(scheduleVerbs, first):
		return fmt.Sprintf("A name can't begin with %q, which is a command.", first)
	}
	return ""
}

// readGuide reads the form.
func (r request) readGuide(f form) (guided, fieldErrors) {
	wrong := fieldErrors{}
	g := guided{
		name: strings.Join(strings.Fields(f.text(view.BlockName)), " "), channel: oncall.SlackChannel{ID: f.input(view.BlockSetupChannel).SelectedConversation},
		people: f.users(view.BlockPeople), zone: strings.TrimSpace(f.text(view.BlockZone)), wait: f.choice(view.BlockSetupWait),
		format: oncall.Format(f.choice(view.BlockSetupKind)),
	}
	if why := wrongTeamName(g.name); why != "" {
		wrong[view.BlockName] = why
	}
	if !oncall.IsChannelID(g.channel.ID) {
		wrong[view.BlockSetupChannel] = "Choose a channel."
	}
	if n := len(g.people); n == 0 || n > maxLookups {
		wrong[view.BlockPeople] = fmt.Sprintf("Choose 1 to %d people; more can be added later.", maxLookups)
	}
	zone, err := schedule.LoadZone(g.zone)
	if err != nil || g.zone == "" {
		wrong[view.BlockZone] = fmt.Sprintf("%q is not a time zone such as Europe/Berlin.", g.zone)
		return g, wrong
	}
	at := f.clock(view.BlockSetupTime, wrong)
	g.every, g.start = lastHandOff(zone, f.choice(view.BlockSetupHandOff), at, r.now)
	return g, wrong
}

// lastHandOff returns the period of a rotation that hands off on a weekday, or every day, and its latest
// hand-off.
func lastHandOff(zone *schedule.Zone, on string, at schedule.TimeOfDay, now time.Time) (every, start string) {
	every = "week"
	if on == view.EveryDay {
		every = "day"
	}
	day, _ := zone.Local(now)
	for range 8 { // within eight days every weekday comes up
		if !zone.Instant(day, at).After(now) && (every == "day" || string(day.Weekday()) == on) {
			break
		}
		day = day.AddDays(-1)
	}
	return every, day.String() + " " + at.String()
}

// edits returns the edits that create the team, its schedule, its policy and its integration.
func (g guided) edits(doc setup.Setup) []store.SetupEdit {
	name := func(kind setup.PartKind, wanted string) string {
		free := wanted
		for n := 2; ; n++ {
			if _, taken := doc.Find(kind, free); !taken {
				return free
			}
			free = fmt.Sprintf("%s-%d", wanted, n)
		}
	}
	ids := make([]string, len(g.people))
	turns := make([]setup.Turn, len(g.people))
	for i, u := range g.people {
		ids[i], turns[i] = string(u), setup.Turn{string(u)}
	}
	rota, policy := name(setup.SchedulePart, g.name), name(setup.PolicyPart, g.name)
	steps := []setup.Step{{Page: []string{"schedule " + rota}, Wait: g.wait}}
	if len(g.people) > 1 {
		steps = append(steps, setup.Step{Page: []string{"next in " + rota}, Wait: g.wait})
	}
	steps = append(steps, setup.Step{Page: []string{"team " + g.name}, Wait: g.wait})
	monitor := name(setup.IntegrationPart, strings.TrimSuffix(g.name+"-"+string(g.format), "-"+string(intake.Auto)))
	return []store.SetupEdit{
		newPart(setup.Part{Kind: setup.TeamPart, Team: &setup.Team{Name: g.name, Channel: "#" + g.channel.Name, Members: ids, Owner: oncall.OwnerSlack}}),
		newPart(setup.Part{Kind: setup.SchedulePart, Schedule: &setup.Schedule{
			Name: rota, Team: g.name, TimeZone: g.zone,
			Rotations: []setup.Rotation{{Name: map[string]string{"week": "weekly", "day": "daily"}[g.every], Start: g.start, Every: g.every, Turns: turns}},
		}}),
		newPart(setup.Part{Kind: setup.PolicyPart, Policy: &setup.Policy{Name: policy, Team: g.name, Steps: steps}}),
		newPart(setup.Part{Kind: setup.IntegrationPart, Integration: &setup.Integration{Name: monitor, Team: g.name, Format: g.format, Policy: policy}}),
	}
}

// newPart returns the edit that creates something.
func newPart(p setup.Part) store.SetupEdit {
	return store.SetupEdit{Part: p, Name: p.Name(), New: true, Formats: intake.Names()}
}

// storeNewPeople stores people whom Watchbill doesn't know yet, all at once, because the answer is due in three seconds.
func (b *Bot) storeNewPeople(ctx context.Context, people []oncall.UserID) error {
	errs := make([]error, len(people))
	known := make([]oncall.User, len(people))
	var all sync.WaitGroup
	for i, id := range people {
		all.Go(func() { known[i], errs[i] = b.user(ctx, id) })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			return err
		}
		if known[i].Standing == oncall.Stranger || known[i].DeactivatedAt != nil {
			return known[i].RefusePage()
		}
		if known[i].Standing == oncall.UnknownStanding {
			return oncall.Refuse("Slack doesn't say who %s is at the moment, and nothing was changed. Please try again in a minute.", people[i])
		}
	}
	return nil
}

// sendTest sends a test alert, and confirms in the form.
func (b *Bot) sendTest(ctx context.Context, p press) (string, error) {
	id, known := readIncidentValue(p.value)
	if !known {
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	answer, err := b.tryIntegration(ctx, p, oncall.IntegrationID(id))
	if err != nil || !p.inModal() {
		return answer, err
	}
	return "", b.updateModal(ctx, p.view, view.WithMessage(p.view, answer))
}

// tryIntegration fires an integration's test alert, and says whom it pages.
func (b *Bot) tryIntegration(ctx context.Context, p press, id oncall.IntegrationID) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	in, err := b.store.TryIntegration(ctx, p.by(), id, r.now)
	if err != nil {
		return "", integrationGone(err)
	}
	users, _ := r.firstPaged(in.PolicyID)
	return view.TryAlertSent(in.Name, users), nil
}

// testAlert returns whom a test alert of an integration would page.
func (r request) testAlert(id oncall.IntegrationID) view.TestAlert {
	in, _ := r.directory.Integration(id)
	var t view.TestAlert
	users, all := r.firstPaged(in.PolicyID)
	for _, u := range users {
		t.Users, t.Names = append(t.Users, u), append(t.Names, r.directory.Users[u].Name)
	}
	t.Self = all && len(users) == 1 && users[0] == r.user.ID
	return t
}

// firstPaged returns the people on call whom the first step of a policy pages now, and whether these are all that it has.
func (r request) firstPaged(id oncall.PolicyID) (users []oncall.UserID, all bool) {
	policy := r.directory.Policies[id]
	if len(policy.Steps) == 0 {
		return nil, false
	}
	all = true
	for _, target := range policy.Steps[0].Targets {
		s, known := r.directory.Schedule(target.Schedule)
		if !known || target.Which != "" {
			all = false
			continue
		}
		for _, d := range s.Who(r.now) {
			users = append(users, d.Users...)
		}
	}
	return users, all
}

// askTest sends a test alert at once if that pages nobody but the person, and otherwise asks first.
func (b *Bot) askTest(ctx context.Context, r request, p press, in store.IntegrationState) (string, error) {
	t := r.testAlert(in.ID)
	if t.Self {
		return b.tryIntegration(ctx, p, in.ID)
	}
	if p.inModal() {
		return "", b.pushModal(ctx, p.trigger, view.TestForm(in.ID, in.Name, t))
	}
	return "", b.openModal(ctx, p.trigger, view.TestForm(in.ID, in.Name, t))
}

// submitTest sends the test alert that was confirmed.
func (b *Bot) submitTest(ctx context.Context, s submission) (modalResponse, error) {
	id, known := readIncidentValue(s.meta())
	if !known {
		return modalResponse{}, oncall.Refuse("This version of Watchbill doesn't know that form, and nothing was changed.")
	}
	answer, err := b.tryIntegration(ctx, press{user: s.user}, oncall.IntegrationID(id))
	if err != nil {
		return modalResponse{}, err
	}
	return replace(view.TextModal(answer)), nil
}
