package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// incidentCommand returns a command about one incident. Its number comes first, unless only one
// incident can be meant. The function run gets the remaining words.
func incidentCommand(name, example string, run func(b *Bot, ctx context.Context, r request, id oncall.IncidentID) (string, error)) command {
	return command{name, textCommand(func(b *Bot, ctx context.Context, r request) (string, error) {
		id, err := b.takeNumber(ctx, &r, name, example)
		if err != nil {
			return "", err
		}
		return run(b, ctx, r, id)
	})}
}

// takeNumber removes the incident's number from the words, or finds the incident that is meant without one.
func (b *Bot) takeNumber(ctx context.Context, r *request, name, example string) (oncall.IncidentID, error) {
	r.words = withoutWord(r.words, "incident")
	if len(r.words) > 0 && !r.onlyLength() {
		if id, known := readIncidentValue(strings.Trim(r.words[0], "#:,")); known {
			r.words = r.words[1:]
			return id, nil
		}
		if byTitle[name] {
			if id, found, err := b.incidentByTitle(ctx, *r, name); found || err != nil {
				r.words = nil
				return id, err
			}
		}
	}
	return b.onlyIncident(ctx, *r, name, example)
}

// byTitle lists the commands that take nothing but an incident, so that its title is enough to name
// it.
var byTitle = map[string]bool{"incident": true, "details": true, "plan": true}

// withoutWord drops a leading word, such as "incident", before a number.
func withoutWord(words []string, word string) []string {
	if len(words) > 1 && strings.EqualFold(words[0], word) {
		return words[1:]
	}
	return words
}

// onlyLength reports whether the words are a duration, such as "2 hours", rather than an incident's number.
func (r request) onlyLength() bool {
	_, n, err := r.reader().Moment(append([]string{"in"}, r.words...))
	return err == nil && n == len(r.words)+1
}

// wordyCommand returns a command that needs arguments. Without them it opens the form.
func wordyCommand(name, example string, form view.Action, read func(b *Bot, ctx context.Context, r request) ([]oncall.Act, error)) command {
	return incidentCommand(name, example, func(b *Bot, ctx context.Context, r request, id oncall.IncidentID) (string, error) {
		if len(r.words) == 0 {
			asks, err := b.formOn(ctx, id, r.user.ID, form)
			if err != nil {
				return "", err
			}
			return "", b.openModal(ctx, r.trigger, asks)
		}
		acts, err := read(b, ctx, r)
		if err != nil {
			return "", err
		}
		return b.actAndShow(ctx, r, id, acts...)
	})
}

// incidentCommands lists the commands about incidents.
var incidentCommands = []command{
	{"incidents", textCommand((*Bot).listIncidents)},
	{"incident", (*Bot).showIncident},
	incidentCommand("details", "12", (*Bot).openOverview),
	incidentCommand("plan", "12", (*Bot).showPlan),
	severalCommand("ack", oncall.ActAck),
	severalCommand("resolve", oncall.ActResolve),
	severalCommand("unack", oncall.ActUnack),
	severalCommand("reopen", oncall.ActReopen),
	severalCommand("escalate", oncall.ActEscalate),
	severalCommand("unsnooze", oncall.ActUnsnooze),
	incidentCommand("channel", "12", (*Bot).openChannel),
	incidentCommand("review", "12", (*Bot).reviewCommand),
	{"action", oneAction.run},
	{"actions", (*Bot).actionsCommand},
	{"update", (*Bot).updateCommand},
	{"why", textCommand((*Bot).why)},
	{"snooze", (*Bot).snooze},
	wordyCommand("reassign", "12 @bo", view.ActionReassign, (*Bot).readReassign),
	wordyCommand("add", "12 @cy", view.ActionAsk, (*Bot).readAdd),
	wordyCommand("note", "12 restarted it", view.ActionNote, inRequest(request.readNote)),
	{"verdict", (*Bot).verdictCommand},
	wordyCommand("severity", "12 high", view.ActionSeverity, inRequest(request.readSeverity)),
	incidentCommand("merge", "12 into 9", (*Bot).mergeCommand),
	wordyCommand("link", "12 with 9", view.ActionMerge, readOther(oncall.ActLink, "link", "with")),
}

// actAndShow performs the acts and returns the incident's new state.
func (b *Bot) actAndShow(ctx context.Context, r request, id oncall.IncidentID, acts ...oncall.Act) (string, error) {
	if err := b.acts(ctx, id, r.user.ID, acts); err != nil {
		return "", err
	}
	picture, err := b.store.Picture(ctx, r.by(), id, b.clock())
	if err != nil {
		b.log.Warn().Err(err).Msg("could not show the result of a command")
		return fmt.Sprintf("Done: incident %s.", id), nil
	}
	outsider := ""
	if slices.ContainsFunc(acts, func(a oncall.Act) bool { return a.Do == oncall.ActAck }) {
		outsider = b.outsiderNote(ctx, r.by(), id)
	}
	if b.saidThere(ctx, r, picture) {
		return outsider, nil
	}
	if !slices.ContainsFunc(acts, func(a oncall.Act) bool { return a.Do != oncall.ActNote }) {
		return view.Noted(picture.Incident, b.rootLink(ctx, id)), nil
	}
	return strings.TrimSuffix(b.summary(ctx, picture)+"\n"+outsider, "\n"), nil
}

// saidThere reports whether the timeline shows what was done in the same place where a mention asked
// for it: the incident's own channel, or the thread of its message. An answer would repeat it.
func (b *Bot) saidThere(ctx context.Context, r request, p oncall.Picture) bool {
	if r.asker.Via != oncall.ViaChannel {
		return false
	}
	if own := p.Incident.Channel; own != nil && own.ID == r.place.Channel && !own.Archived {
		return own.Private || !p.Team.Private
	}
	roots, err := b.store.Roots(ctx, []oncall.IncidentID{p.Incident.ID})
	return err == nil && r.place.TS != "" && roots[p.Incident.ID] == r.place && !b.veiled(ctx, p, r.place.Channel)
}

// summary describes an incident's state in a sentence, with a permalink to its message.
func (b *Bot) summary(ctx context.Context, p oncall.Picture) string {
	return view.IncidentText(p, b.rootLink(ctx, p.Incident.ID))
}

// rootLink returns a permalink to an incident's message, or "" if there is none.
func (b *Bot) rootLink(ctx context.Context, id oncall.IncidentID) string {
	roots, err := b.store.Roots(ctx, []oncall.IncidentID{id})
	if err != nil {
		b.log.Warn().Err(err).Msg("could not link to an incident's message")
	}
	return b.permalink(ctx, roots[id])
}

// showIncident answers `/oncall incident 12`.
func (b *Bot) showIncident(ctx context.Context, r request) (view.Drawing, error) {
	id, err := b.takeNumber(ctx, &r, "incident", "12")
	if err != nil {
		return view.Drawing{}, err
	}
	s, err := b.incidentOverview(ctx, id, r.user.ID)
	if err != nil {
		return view.Drawing{}, err
	}
	summary := b.summary(ctx, s.Picture)
	if r.asker.Via != oncall.ViaChannel { // where others read along, each has their own zone
		summary = s.ForReader(summary)
	}
	return s.Answer(summary), nil
}

// openOverview answers `/oncall details 12`.
func (b *Bot) openOverview(ctx context.Context, r request, id oncall.IncidentID) (string, error) {
	s, err := b.incidentOverview(ctx, id, r.user.ID)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, r.trigger, s.Draw())
}

// showPlan answers `/oncall plan 12`.
func (b *Bot) showPlan(ctx context.Context, r request, id oncall.IncidentID) (string, error) {
	s, err := b.incidentOverview(ctx, id, r.user.ID)
	if err != nil {
		return "", err
	}
	return s.PlanText(), nil
}

// readSnooze parses "2h", "for 2 hours", "until 9am", "work" and "handoff".
func (r request) readSnooze() ([]oncall.Act, error) {
	words := r.words
	until := strings.EqualFold(words[0], "until") || strings.EqualFold(words[0], "till")
	if until && len(words) > 1 {
		words = words[1:]
	}
	switch strings.ToLower(strings.Join(words, "")) {
	case "work", "workinghours", "workinghour", "mynextworkinghour":
		return []oncall.Act{snoozeFor(view.SnoozeWork, r.now)}, nil
	case "handoff", "hand-off", "thenexthand-off", "nexthandoff", "thehandoff", "thehand-off", "thenexthandoff", "nexthand-off", "handover", "thehandover":
		return []oncall.Act{snoozeFor(view.SnoozeHandoff, r.now)}, nil
	}
	at, err := r.snoozeEnd(words, until)
	switch {
	case err != nil:
		return nil, err
	case !at.After(r.now):
		return nil, oncall.Refuse("%s is in the past. "+snoozeExamples, view.Time(at, r.location))
	}
	return []oncall.Act{{Do: oncall.ActSnooze, Until: at}}, nil
}

const snoozeExamples = "Write it like `2h`, `until 9am`, `until mon 9:00`, `work` or `handoff`."

// snoozeEnd parses "2h", "for 2 hours", "tomorrow" and "until the end of the day".
func (r request) snoozeEnd(words []string, until bool) (time.Time, error) {
	reader := r.reader()
	if !until {
		length := words
		if strings.EqualFold(length[0], "for") {
			length = length[1:]
		}
		if m, n, err := reader.Moment(append([]string{"in"}, length...)); n == len(length)+1 && err == nil {
			return m.At(), nil
		}
		if s, n, problem, err := reader.Span(words); n == len(words) && problem == schedule.SpanRead && err == nil && s.Now { // the rest of the day
			return s.To, nil
		}
	}
	m, n, err := reader.Moment(append([]string{"at"}, words...))
	if err == nil && n != len(words)+1 {
		err = oncall.Refuse("%q is not an end of a snooze that Watchbill understands. "+snoozeExamples, view.Name(unescape(strings.Join(words, " "))))
	}
	if err == nil && m.Whole() && !m.At().After(r.now) { // today, after 9:00
		return m.End, nil
	}
	return m.At(), err
}

// readReassign parses a person, or the name of a policy.
func (b *Bot) readReassign(ctx context.Context, r request) ([]oncall.Act, error) {
	words := r.words
	if strings.EqualFold(words[0], "to") && len(words) > 1 {
		words = words[1:]
	}
	typed := unescape(strings.Join(words, " "))
	var names []string
	for _, p := range r.directory.Policies {
		if p.Removed {
			continue
		}
		if strings.EqualFold(p.Name, typed) {
			return []oncall.Act{{Do: oncall.ActReassign, Policy: p.ID}}, nil
		}
		names = append(names, p.Name)
	}
	user, n, err := b.findPerson(ctx, r, words)
	switch {
	case err != nil:
		return nil, err
	case n > 0 && !namesSomebody(words[n:]):
		acts := []oncall.Act{{Do: oncall.ActReassign, User: user}}
		if note := unescape(strings.Join(withoutPlease(words[n:]), " ")); note != "" {
			acts = append(acts, oncall.Act{Do: oncall.ActNote, Text: view.CutPlain(note, view.MaxTyped)})
		}
		return acts, nil
	case n > 0:
		return nil, oncall.Refuse("An incident goes to one person: `/oncall reassign 12 @bo`. `/oncall add 12 @bo @cy` asks several to help.")
	}
	if name := guessPerson(r.directory, typed); name != "" {
		names = append(names, name)
	}
	slices.Sort(names)
	return nil, oncall.Refuse("%q is neither a person nor an escalation policy.%s Write `/oncall reassign 12 @bo`.",
		view.Name(typed), view.DidYouMean(view.Name(oncall.Nearest(typed, names)), "`%s`"))
}

// readAdd parses people, and the request to them.
func (b *Bot) readAdd(ctx context.Context, r request) ([]oncall.Act, error) {
	words := r.words
	if len(words) > 1 && (strings.EqualFold(words[0], "to") || strings.EqualFold(words[0], "help")) {
		words = words[1:]
	}
	if act, n := r.readOnCall(words); n > 0 {
		act.Text = unescape(strings.Join(words[n:], " "))
		return []oncall.Act{act}, nil
	}
	users, rest, err := b.readPeople(ctx, r, words)
	switch {
	case err != nil:
		return nil, err
	case len(users) == 0 && len(words) > 2 && !strings.HasPrefix(unescape(words[0]), "@") && !oneOf(words, 0, "for", "to", "with"): // it is a note
		return r.readNote()
	case len(users) == 0:
		if guess := oncall.Nearest(unescape(words[0]), r.whereOnCall()); guess != "" {
			return nil, oncall.Refuse("%q is neither a person nor a team or schedule.%s", view.Name(unescape(words[0])), view.DidYouMean(view.Name(guess), "%q"))
		}
		return nil, r.nobody(r.words[0], "/oncall add 12 @cy to look at the database")
	}
	text := unescape(strings.Join(rest, " "))
	var acts []oncall.Act
	for _, user := range users {
		acts = append(acts, oncall.Act{Do: oncall.ActAsk, User: user, Text: text})
	}
	return acts, nil
}

// readOnCall parses "whoever is on call in platform" and the like, or the bare name of a team or
// schedule that isn't also a person's. It returns the number of words used.
func (r request) readOnCall(words []string) (oncall.Act, int) {
	at, named := 0, false
	for at < len(words)-1 && slices.Contains([]string{"whoever", "who", "who's", "is", "on", "call", "on-call", "oncall", "in", "for", "from", "of", "the", "team", "schedule"}, strings.ToLower(words[at])) {
		at, named = at+1, true
	}
	for n := min(len(words), at+maxNameWords); n > at; n-- {
		typed := strings.TrimPrefix(strings.Trim(unescape(strings.Join(words[at:n], " ")), `"'“”?`), "@")
		typed = strings.TrimSuffix(typed, " team")
		if !named {
			if id, _, err := r.person(words[:n]); err != nil || id != "" {
				continue
			}
		}
		for _, s := range r.directory.Schedules {
			if strings.EqualFold(s.Name(), typed) {
				return oncall.Act{Do: oncall.ActAsk, Schedule: s.ID()}, n
			}
		}
		for _, t := range r.directory.Teams {
			if strings.EqualFold(t.Name, typed) {
				return oncall.Act{Do: oncall.ActAsk, Team: t.ID}, n
			}
		}
	}
	return oncall.Act{}, 0
}

// whereOnCall returns the names of all teams and schedules.
func (r request) whereOnCall() []string {
	var names []string
	for _, s := range r.directory.Schedules {
		names = append(names, s.Name())
	}
	for _, t := range r.directory.Teams {
		names = append(names, t.Name)
	}
	return names
}

// inRequest adapts a parser that needs only the request.
func inRequest(read func(request) ([]oncall.Act, error)) func(*Bot, context.Context, request) ([]oncall.Act, error) {
	return func(_ *Bot, _ context.Context, r request) ([]oncall.Act, error) { return read(r) }
}

func (r request) readNote() ([]oncall.Act, error) {
	text := unescape(strings.Join(r.words, " "))
	if n := utf8.RuneCountInString(text); n > view.MaxTyped {
		return nil, oncall.Refuse("A note has at most %d characters; this one has %d.", view.MaxTyped, n)
	}
	return []oncall.Act{{Do: oncall.ActNote, Text: text}}, nil
}

// updateCommand answers `/oncall update 12 text`. Without a text it opens the form.
func (b *Bot) updateCommand(ctx context.Context, r request) (view.Drawing, error) {
	id, err := b.takeNumber(ctx, &r, "update", "12 we are on it")
	if err != nil {
		return view.Drawing{}, err
	}
	if len(r.words) == 0 {
		asks, err := b.formOn(ctx, id, r.user.ID, view.ActionUpdate)
		if err != nil {
			return view.Drawing{}, err
		}
		return view.Drawing{}, b.openModal(ctx, r.trigger, asks)
	}
	if err := b.act(ctx, id, r.user.ID, oncall.Act{Do: oncall.ActUpdate, Text: unescape(strings.Join(r.words, " "))}); err != nil {
		return view.Drawing{}, err
	}
	p, err := b.store.Picture(ctx, r.by(), id, b.clock())
	if err != nil {
		b.log.Warn().Err(err).Msg("could not show the result of a command")
		return view.Text(fmt.Sprintf("Posted: an update on %s.", id)), nil
	}
	return view.UpdatePosted(p, b.rootLink(ctx, id), r.mayEdit(p.Team.ID) == nil), nil
}

// readVerdict parses "noise" and "real: restarted the pool"; text alone says what helped.
func (r request) readVerdict() oncall.Act {
	words := r.words
	for len(words) > 1 && oneOf(words, 0, "it", "was", "is", "a", "=") {
		words = words[1:]
	}
	act := oncall.Act{Do: oncall.ActVerdict}
	switch strings.ToLower(strings.Trim(words[0], ".,:;!")) {
	case "real", "true", "genuine", "yes":
		act.Verdict = oncall.VerdictReal
	case "noise", "false", "flaky", "noisy", "no":
		act.Verdict = oncall.VerdictNoise
	case "unsure", "unknown", "?", "unclear":
		act.Verdict = oncall.VerdictUnsure
	}
	if act.Verdict != oncall.NoVerdict {
		words = words[1:]
	}
	act.Text = unescape(strings.Join(words, " "))
	return act
}

// severityNumbers maps the numbers that people use to severities. In almost every tool, 1 is the
// worst.
var severityNumbers = map[string]oncall.Severity{"0": oncall.Critical, "1": oncall.Critical, "2": oncall.High, "3": oncall.Medium, "4": oncall.Low, "5": oncall.Low}

func (r request) readSeverity() ([]oncall.Act, error) {
	words := r.words
	for len(words) > 1 && oneOf(words, 0, "to", "is", "as", "=") {
		words = words[1:]
	}
	text := strings.Join(words, " ")
	first := strings.TrimRight(words[0], ":,;")
	severity, known := severityNumbers[first]
	if !known {
		severity, known = oncall.ParseSeverity(first)
	}
	if known {
		acts := []oncall.Act{{Do: oncall.ActSeverity, Severity: severity}}
		if note := unescape(strings.Join(withoutPlease(words[1:]), " ")); note != "" {
			acts = append(acts, oncall.Act{Do: oncall.ActNote, Text: view.CutPlain(note, view.MaxTyped)})
		}
		return acts, nil
	}
	return nil, oncall.Refuse("%q is not a severity: there are critical, high, medium and low. Write `/oncall severity 12 high`.",
		view.Name(unescape(text)))
}

// readOther parses another incident's number: "into 9" or "with #9".
func readOther(do oncall.ActKind, name, word string) func(*Bot, context.Context, request) ([]oncall.Act, error) {
	return func(_ *Bot, _ context.Context, r request) ([]oncall.Act, error) {
		words := r.words
		if (strings.EqualFold(words[0], word) || oneOf(words, 0, "and", "into", "with", "to", "&amp;")) && len(words) > 1 {
			words = words[1:]
		}
		other, ok := readIncidentValue(strings.TrimPrefix(words[0], "#"))
		if !ok || len(words) > 1 {
			return nil, oncall.Refuse("%q is not the number of an incident. Write `/oncall %s 12 %s 9`.", view.Name(unescape(strings.Join(words, " "))), name, word)
		}
		return []oncall.Act{{Do: do, Other: other}}, nil
	}
}
