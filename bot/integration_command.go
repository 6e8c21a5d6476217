package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// integrations answers `/oncall integrations [name]`, and opens the form of `add [team or name]`.
func (b *Bot) integrations(ctx context.Context, r request) (view.Drawing, error) {
	if oneOf(r.words, 0, "add", "new", "create") {
		return view.Drawing{}, b.addIntegration(ctx, r, r.words[1:])
	}
	if rest, asked := payloadsAsked(r.words); asked {
		r.words = rest
		return b.payloads(ctx, r)
	}
	all, err := b.store.Integrations(ctx, r.by())
	if err != nil {
		return view.Drawing{}, fmt.Errorf("list integrations: %w", err)
	}
	if len(r.words) > 0 && !r.aboutAll() {
		in, err := r.integration(all, r.words)
		if err != nil {
			return view.Drawing{}, err
		}
		all = []store.IntegrationState{in}
	}
	if len(all) == 0 {
		return view.Drawing{Text: "There is no integration" + r.noneVisible() + ". `/oncall setup` makes one."}, nil
	}
	shown := make([]view.Integration, len(all))
	for i, in := range all {
		shown[i] = shownIntegration(in, r.now)
	}
	return view.Integrations(shown, r.location), nil
}

// addIntegration opens the form of a new integration, in the team that is named or else in the person's only one; of several,
// it asks for one.
func (b *Bot) addIntegration(ctx context.Context, r request, words []string) error {
	may := func(t oncall.Team) bool {
		return r.directory.Access().May(r.by(), access.Integrations, access.Object{Team: t.ID}) == nil
	}
	var own []oncall.Team
	for _, t := range r.directory.Teams {
		if may(t) {
			own = append(own, t)
		}
	}
	var q incidentSearch
	if n := r.takeTeam(words, &q); n > 0 {
		own, words = []oncall.Team{q.team}, words[n:]
	}
	switch {
	case len(r.directory.Teams) == 0:
		return oncall.Refuse("An integration belongs to a team: `/oncall setup` makes one first.")
	case len(own) == 0:
		own = r.directory.Teams[:1] // the refusal says who may
	case len(own) > 1:
		var choices []choice
		for _, t := range own[:min(len(own), view.MaxChoices)] {
			choices = append(choices, choice{label: t.Name, words: slices.Concat([]string{"integrations", "add", t.Name}, words)})
		}
		return ask(choices, "Of which team? Or write it like `/oncall integrations add %s`.", view.Name(own[0].Name))
	}
	e, err := b.setupEdit(ctx, r.user.ID, view.SetupMeta{Team: own[0].Name}.String(), access.Integrations)
	if err != nil {
		return err
	}
	f, err := e.newIntegrationForm()
	if err != nil {
		return err
	}
	f.Is.Name = view.CutPlain(unescape(strings.Join(words, " ")), view.MaxName)
	return b.openModal(ctx, r.trigger, f.Draw())
}

// aboutAll reports whether the words don't name an integration.
func (r request) aboutAll() bool {
	return len(r.words) == 1 && oneOf(r.words, 0, "list", "all", "show", "ls")
}

// shownIntegration converts an integration for the view.
func shownIntegration(in store.IntegrationState, now time.Time) view.Integration {
	v := view.Integration{
		ID: in.ID, Name: in.Name, Format: in.Format, Monitors: in.Monitors, Team: in.Team, Policy: in.Policy, Manages: in.Manages,
		Key: view.Key{Hint: in.Keys[0].Hint, Used: in.Keys[0].UsedAt},
	}
	if in.Mute.Muted(now) {
		v.Muted, v.MutedUntil, v.MutedBy = true, in.Mute.MutedUntil, in.Mute.MutedBy
	}
	for _, k := range in.Keys[1:] {
		// An expired key matters while a monitor still uses it.
		if k.EndsAt != nil && (now.Before(*k.EndsAt) || k.UsedAt != nil && !k.UsedAt.Before(*k.EndsAt) && now.Sub(*k.UsedAt) < oldKeyUseShownFor) {
			v.Old = append(v.Old, view.Key{Hint: k.Hint, Used: k.UsedAt, Ends: *k.EndsAt, Refused: !now.Before(*k.EndsAt)})
		}
	}
	return v
}

// oldKeyUseShownFor is how long the use of an expired key is shown.
const oldKeyUseShownFor = 24 * time.Hour

// integration finds the integration that the words name.
func (r request) integration(all []store.IntegrationState, words []string) (store.IntegrationState, error) {
	in, n := namedIntegration(all, words)
	if n == len(words) && n > 0 {
		return in, nil
	}
	return in, r.noIntegration(all, strings.Join(words, " "))
}

// namedIntegration finds the integration named by the first words, and returns how many words its name has.
func namedIntegration(all []store.IntegrationState, words []string) (store.IntegrationState, int) {
	for n := min(len(words), maxObjectNameWords); n > 0; n-- {
		typed := strings.Trim(unescape(strings.Join(words[:n], " ")), `"'“”`)
		for _, in := range all {
			if strings.EqualFold(in.Name, typed) {
				return in, n
			}
		}
	}
	return store.IntegrationState{}, 0
}

// noIntegration refuses an unknown name, with a guess.
func (r request) noIntegration(all []store.IntegrationState, typed string) error {
	names := make([]string, len(all))
	for i, in := range all {
		names[i] = in.Name
	}
	typed = unescape(typed)
	for _, t := range r.directory.Teams {
		if strings.EqualFold(t.Name, strings.Trim(typed, `"'“”`)) {
			return oncall.Refuse("%q is a team, not an integration. `/oncall maintenance %s 1h` keeps all that comes to it from paging.", view.Name(t.Name), view.Name(t.Name))
		}
	}
	guess := oncall.Nearest(typed, names)
	if guess == "" && len(names) > 0 && len(names) <= 5 {
		for i := range names {
			names[i] = `"` + view.Name(names[i]) + `"`
		}
		return oncall.Refuse("There is no integration %q. There is %s.", view.Name(typed), view.List(names))
	}
	return oncall.Refuse("There is no integration %q%s.%s", view.Name(typed), r.noneVisible(), view.DidYouMean(view.Name(guess), "%q"))
}

// key answers `/oncall key NAME`, and `/oncall key rotate NAME`, which asks for confirmation.
func (b *Bot) key(ctx context.Context, r request) (view.Drawing, error) {
	rotate := oneOf(r.words, 0, "rotate", "new", "replace", "renew", "change", "reset")
	if !rotate {
		return b.integrations(ctx, r)
	}
	words := r.words[1:]
	for len(words) > 1 && oneOf(words, 0, "the", "key", "of", "for") {
		words = words[1:]
	}
	if len(words) == 0 {
		return view.Drawing{}, oncall.Refuse("Say of which integration, as in `/oncall key rotate payments-prometheus`. `/oncall integrations` lists them.")
	}
	all, err := b.store.Integrations(ctx, r.by())
	if err != nil {
		return view.Drawing{}, fmt.Errorf("list integrations: %w", err)
	}
	in, err := r.integration(all, words)
	if err != nil {
		return view.Drawing{}, err
	}
	return view.Drawing{}, b.askRotate(ctx, r, in.ID, r.trigger, false)
}

// askRotate opens the form that confirms the rotation of a key.
func (b *Bot) askRotate(ctx context.Context, r request, id oncall.IntegrationID, trigger string, inModal bool) error {
	in, err := b.store.ManagedIntegration(ctx, r.by(), id)
	if err != nil {
		return integrationGone(err)
	}
	open := b.openModal
	if inModal {
		open = b.pushModal
	}
	return open(ctx, trigger, view.RotateForm(shownIntegration(in, r.now), r.now.Add(store.OldKeyLives), r.location))
}

// submitRotate rotates a key. The new one replaces the form.
func (b *Bot) submitRotate(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	text, hint, _ := strings.Cut(s.meta(), " ")
	number, _ := strconv.ParseInt(text, 10, 64)
	in, err := b.store.ManagedIntegration(ctx, s.by(), oncall.IntegrationID(number))
	if err != nil {
		return modalResponse{}, integrationGone(err)
	}
	how := store.Rotation{AtOnce: s.form.checked(view.BlockKeyEnds, view.KeyEndsNow), Seen: hint}
	created, old, err := b.store.RotateKey(ctx, s.by(), in.Name, how, r.now)
	if err != nil {
		return modalResponse{}, integrationGone(err)
	}
	snippet := intake.SnippetFor(created.Format, b.publicURL, created.Key)
	return replace(view.NewKey(view.MadeKey{
		Name: created.Integration, Key: created.Key, Where: snippet.Where, Snippet: snippet.Text, Local: b.localURL,
		OldHint: old.Hint, OldEnds: *old.EndsAt, AtOnce: how.AtOnce,
	}, r.location)), nil
}

// mute answers `/oncall mute NAME [2h]`. With an incident's number it snoozes the incident, which other tools
// call muting.
func (b *Bot) mute(ctx context.Context, r request) (view.Drawing, error) {
	all, err := b.store.Integrations(ctx, r.by())
	if err != nil {
		return view.Drawing{}, fmt.Errorf("list integrations: %w", err)
	}
	r.words = withoutWord(r.words, "integration")
	in, n := namedIntegration(all, r.words)
	if n == 0 {
		if r.aboutIncident() {
			return runIncidentCommand(ctx, b, r, "snooze")
		}
		if d, ok := r.muteTeam(); ok {
			return d, nil
		}
		return view.Drawing{}, r.noIntegration(all, strings.Join(r.words[:nameLength(r.words)], " "))
	}
	if len(r.words) == n {
		if _, err := b.store.ManagedIntegration(ctx, r.by(), in.ID); err != nil {
			return view.Drawing{}, integrationGone(err)
		}
		return view.AskMute(in.ID, in.Name), nil
	}
	var until *time.Time
	if rest := r.words[n:]; !slices.Contains([]string{"forever", "indefinitely"}, strings.ToLower(strings.Join(rest, " "))) {
		at, err := r.muteEnd(rest)
		if err != nil {
			return view.Drawing{}, err
		}
		until = &at
	}
	return b.setMute(ctx, r, in, until)
}

// muteTeam offers maintenance if the words name a team instead of an integration, and the person may
// begin maintenance for it.
func (r request) muteTeam() (view.Drawing, bool) {
	words := withoutWord(r.words, "team")
	if len(words) == 0 {
		return view.Drawing{}, false
	}
	m, rest, err := r.maintained(words)
	if err != nil || m.IntegrationID != 0 || len(rest) == len(words) {
		return view.Drawing{}, false
	}
	team, _ := r.directory.Team(m.TeamID)
	offers := r.offers(view.OpenMaintenance, access.Maintain, "Maintenance…", "", m.TeamID)
	if len(offers) == 0 {
		return view.Drawing{}, false
	}
	if oneOf(rest, 0, "for") {
		rest = rest[1:]
	}
	if _, err := r.muteEnd(rest); len(rest) > 0 && err == nil {
		length := unescape(strings.Join(rest, " "))
		offers[0].With, offers[0].Label = length, "Maintenance for "+length+"…"
		if oneOf(rest, 0, "until", "till") {
			offers[0].Label = "Maintenance " + length + "…"
		}
	}
	text := fmt.Sprintf("*%s* is a team, not an integration, and nothing was changed. Maintenance keeps all that comes to it from paging.", view.Name(team.Name))
	return view.Offer(view.Text(text), offers), true
}

// muteEnd parses "2h", "for 2 hours" and "until 9am".
func (r request) muteEnd(words []string) (time.Time, error) {
	until := len(words) > 1 && oneOf(words, 0, "until", "till")
	if until {
		words = words[1:]
	}
	at, err := r.snoozeEnd(words, until)
	switch {
	case err != nil:
		return at, oncall.Refuse("%q is not an end of a mute that Watchbill understands. Write it like `2h`, `until 9am` or `until mon 9:00`, or nothing to mute until somebody unmutes.",
			view.Name(unescape(strings.Join(words, " "))))
	case !at.After(r.now):
		return at, oncall.Refuse("%s is in the past.", view.Time(at, r.location))
	}
	return at, nil
}

// muteMorning is when a mute until tomorrow ends.
const muteMorning = schedule.TimeOfDay(9 * 60)

// nameLength returns how many words precede the time, for words that name nothing.
func nameLength(words []string) int {
	for i, w := range words {
		if i > 0 && (oneOf(words, i, "for", "until", "till") || strings.IndexFunc(w, func(c rune) bool { return c >= '0' && c <= '9' }) == 0) {
			return i
		}
	}
	return len(words)
}

// aboutIncident reports whether the words after mute mean an incident: they are its number, or only a
// time.
func (r request) aboutIncident() bool {
	return len(r.words) == 0 || isNumber(strings.TrimPrefix(r.words[len(r.words)-1], "#")) && strings.HasPrefix(r.words[len(r.words)-1], "#") || isNumber(r.words[0]) || oneOf(r.words, 0, "incident", "until", "till", "for", "all", "it", "this") || r.onlyLength()
}

// runIncidentCommand delegates to a command about incidents.
func runIncidentCommand(ctx context.Context, b *Bot, r request, name string) (view.Drawing, error) {
	for _, known := range incidentCommands {
		if known.name == name {
			r.words = rephrase(append([]string{name}, r.words...))[1:]
			return known.run(b, ctx, r)
		}
	}
	return view.Drawing{}, fmt.Errorf("no command %q", name)
}

func (b *Bot) setMute(ctx context.Context, r request, in store.IntegrationState, until *time.Time) (view.Drawing, error) {
	if err := b.store.MuteIntegration(ctx, r.by(), in.Name, until, r.now); err != nil {
		return view.Drawing{}, integrationGone(err)
	}
	return view.Muted(in.ID, in.Name, until, r.location), nil
}

// unmute answers `/oncall unmute NAME`. With an incident's number it ends the incident's snooze.
func (b *Bot) unmute(ctx context.Context, r request) (view.Drawing, error) {
	all, err := b.store.Integrations(ctx, r.by())
	if err != nil {
		return view.Drawing{}, fmt.Errorf("list integrations: %w", err)
	}
	r.words = withoutWord(r.words, "integration")
	in, n := namedIntegration(all, r.words)
	switch {
	case n == 0 && r.aboutIncident():
		return runIncidentCommand(ctx, b, r, "unsnooze")
	case n < len(r.words):
		return view.Drawing{}, r.noIntegration(all, strings.Join(r.words, " "))
	}
	text, err := b.setUnmute(ctx, r, in)
	return view.Drawing{Text: text}, err
}

func (b *Bot) setUnmute(ctx context.Context, r request, in store.IntegrationState) (string, error) {
	was, err := b.store.UnmuteIntegration(ctx, r.by(), in.Name, r.now)
	if err != nil {
		return "", integrationGone(err)
	}
	return view.Unmuted(in.Name, was), nil
}

// integrationGone refuses if the integration of a form or button has been removed.
func integrationGone(err error) error {
	if errors.Is(err, oncall.ErrNotFound) {
		return oncall.Refuse("That integration is no longer there, and nothing was changed.")
	}
	return fmt.Errorf("change an integration: %w", err)
}

// pressIntegration handles the menu next to an integration.
func (b *Bot) pressIntegration(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	verb, text, _ := strings.Cut(p.value, " ")
	number, _ := strconv.ParseInt(text, 10, 64)
	id := oncall.IntegrationID(number)
	if verb == view.IntegrationRotate {
		return "", b.askRotate(ctx, r, id, p.trigger, p.inModal())
	}
	in, err := b.store.ManagedIntegration(ctx, p.by(), id)
	if err != nil {
		return "", integrationGone(err)
	}
	if !p.inModal() || !view.IsSetupTeam(p.view) {
		return b.doIntegration(ctx, r, p, verb, in)
	}
	answer, err := b.doIntegration(ctx, r, p, verb, in)
	if err != nil || answer == "" {
		return "", err
	}
	t, err := b.setupTeam(ctx, r, in.Team, answer)
	if err != nil {
		return "", err
	}
	return "", b.updateModal(ctx, p.view, t.Draw())
}

// doIntegration performs the chosen action and returns the answer, or "" if it opened a form.
func (b *Bot) doIntegration(ctx context.Context, r request, p press, verb string, in store.IntegrationState) (string, error) {
	var answer view.Drawing
	var err error
	switch verb {
	case view.IntegrationEdit:
		return "", b.editIntegration(ctx, p, in)
	case view.IntegrationTest:
		return b.askTest(ctx, r, p, in)
	case view.IntegrationMuteHours:
		until := r.now.Add(view.MuteHours)
		answer, err = b.setMute(ctx, r, in, &until)
	case view.IntegrationMuteHour, view.IntegrationMuteLong, view.IntegrationMuteNight:
		until := r.now.Add(time.Hour)
		switch day, _ := r.zone.Local(r.now); verb {
		case view.IntegrationMuteLong:
			until = r.now.Add(4 * time.Hour)
		case view.IntegrationMuteNight:
			until = r.zone.Instant(day.AddDays(1), muteMorning)
		}
		answer, err = b.setMute(ctx, r, in, &until)
	case view.IntegrationMute:
		answer, err = b.setMute(ctx, r, in, nil)
	case view.IntegrationUnmute:
		return b.setUnmute(ctx, r, in)
	default:
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	return answer.Text, err
}
