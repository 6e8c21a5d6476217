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
)

// listed bounds how many open incidents a command lists.
const listed = 20

// incidentCommand makes a command about one incident, whose number comes first. run gets
// the words after it.
func incidentCommand(name, example string, run func(b *Bot, ctx context.Context, r request, id oncall.IncidentID) (string, error)) command {
	return command{name, inWords(func(b *Bot, ctx context.Context, r request) (string, error) {
		id, known := oncall.IncidentID(0), false
		if len(r.words) > 0 {
			id, known = readIncidentValue(strings.TrimPrefix(r.words[0], "#"))
		}
		if !known {
			return "", oncall.Refuse("Say which incident by its number: `/oncall %s %s`. `/oncall incidents` lists what is open.", name, example)
		}
		r.words = r.words[1:]
		return run(b, ctx, r, id)
	})}
}

// plainCommand makes a command that needs no more words.
func plainCommand(name string, do oncall.ActKind) command {
	return incidentCommand(name, "12", func(b *Bot, ctx context.Context, r request, id oncall.IncidentID) (string, error) {
		if len(r.words) > 0 {
			return "", oncall.Refuse("`/oncall %s` takes the number of an incident and nothing else: `/oncall %s 12`.", name, name)
		}
		return b.actAndShow(ctx, r, id, oncall.Act{Do: do})
	})
}

// wordyCommand makes a command that needs more words; without them it opens the form.
func wordyCommand(name, example string, form view.Action, read func(r request) ([]oncall.Act, error)) command {
	return incidentCommand(name, example, func(b *Bot, ctx context.Context, r request, id oncall.IncidentID) (string, error) {
		if len(r.words) == 0 {
			s, err := b.sheet(ctx, id, r.user.ID)
			if err != nil {
				return "", err
			}
			return "", b.openModal(ctx, r.trigger, actForms[form](s))
		}
		acts, err := read(r)
		if err != nil {
			return "", err
		}
		return b.actAndShow(ctx, r, id, acts...)
	})
}

// incidentCommands are the commands about incidents.
var incidentCommands = []command{
	{"incidents", inWords((*Bot).listIncidents)},
	incidentCommand("incident", "12", (*Bot).showIncident),
	incidentCommand("plan", "12", (*Bot).showPlan),
	plainCommand("ack", oncall.ActAck),
	plainCommand("resolve", oncall.ActResolve),
	plainCommand("unack", oncall.ActUnack),
	plainCommand("reopen", oncall.ActReopen),
	plainCommand("escalate", oncall.ActEscalate),
	wordyCommand("snooze", "12 2h", view.ActionSnooze, request.readSnooze),
	wordyCommand("reassign", "12 @bo", view.ActionReassign, request.readReassign),
	wordyCommand("add", "12 @cy", view.ActionAsk, request.readAdd),
	wordyCommand("note", "12 restarted it", view.ActionNote, request.readNote),
	wordyCommand("severity", "12 high", view.ActionSeverity, request.readSeverity),
	wordyCommand("merge", "12 into 9", view.ActionMerge, readOther(oncall.ActMerge, "merge", "into")),
	wordyCommand("link", "12 with 9", view.ActionMerge, readOther(oncall.ActLink, "link", "with")),
}

// actAndShow does what was typed and returns how the incident stands then.
func (b *Bot) actAndShow(ctx context.Context, r request, id oncall.IncidentID, acts ...oncall.Act) (string, error) {
	if err := b.acts(ctx, id, r.user.ID, acts); err != nil {
		return "", err
	}
	p, err := b.store.Picture(ctx, id, b.clock())
	if err != nil {
		b.log.Warn().Err(err).Msg("what a command has done can't be shown")
		return fmt.Sprintf("Done: incident %s.", id), nil
	}
	return b.summary(ctx, p), nil
}

// summary says in words how an incident stands, and where its message is.
func (b *Bot) summary(ctx context.Context, p oncall.Picture) string {
	id := p.Incident.ID
	roots, err := b.store.Roots(ctx, []oncall.IncidentID{id})
	if err != nil {
		b.log.Warn().Err(err).Msg("an incident's message can't be linked to")
	}
	return view.IncidentText(p, b.permalink(ctx, roots[id]))
}

// showIncident answers `/oncall incident 12`.
func (b *Bot) showIncident(ctx context.Context, r request, id oncall.IncidentID) (string, error) {
	s, err := b.sheet(ctx, id, r.user.ID)
	if err != nil {
		return "", err
	}
	return b.summary(ctx, s.Picture) + "\n" + s.NextSteps(), nil
}

// showPlan answers `/oncall plan 12`.
func (b *Bot) showPlan(ctx context.Context, r request, id oncall.IncidentID) (string, error) {
	s, err := b.sheet(ctx, id, r.user.ID)
	if err != nil {
		return "", err
	}
	return s.PlanText(), nil
}

// listIncidents answers `/oncall incidents`.
func (b *Bot) listIncidents(ctx context.Context, r request) (string, error) {
	if len(r.words) > 0 {
		return "", oncall.Refuse("`/oncall incidents` lists all that are open. For one of them: `/oncall incident 12`.")
	}
	open, err := b.store.OpenIncidents(ctx, maxOthers)
	if err != nil {
		return "", fmt.Errorf("load open incidents: %w", err)
	}
	if len(open) == 0 {
		return "No incident is open.", nil
	}
	shown := open[:min(len(open), listed)]
	ids := make([]oncall.IncidentID, len(shown))
	for i, in := range shown {
		ids[i] = in.ID
	}
	roots, err := b.store.Roots(ctx, ids)
	if err != nil {
		return "", fmt.Errorf("find the messages of open incidents: %w", err)
	}
	links := map[oncall.IncidentID]string{}
	for id, at := range roots {
		links[id] = b.permalink(ctx, at)
	}
	return view.OpenIncidents(open, len(shown), len(open) == maxOthers, links), nil
}

// readSnooze reads "2h", "for 2 hours", "until 9am", "work" and "handoff".
func (r request) readSnooze() ([]oncall.Act, error) {
	words := r.words
	until := strings.EqualFold(words[0], "until") || strings.EqualFold(words[0], "till")
	if until && len(words) > 1 {
		words = words[1:]
	}
	switch strings.ToLower(strings.Join(words, "")) {
	case "work", "workinghours", "workinghour", "mynextworkinghour":
		return []oncall.Act{snoozeFor(view.SnoozeWork, r.now)}, nil
	case "handoff", "hand-off", "thenexthand-off", "nexthandoff":
		return []oncall.Act{snoozeFor(view.SnoozeHandoff, r.now)}, nil
	}
	if d, err := time.ParseDuration(strings.ToLower(strings.Join(words, ""))); err == nil && !until { // "90s", to the second
		return []oncall.Act{{Do: oncall.ActSnooze, Until: r.now.Add(d)}}, nil
	}
	at, ok := readWhen(append([]string{"in"}, words...), r.zone, r.now, r.now)
	if !ok || until {
		at, ok = readWhen(words, r.zone, r.now, r.now)
	}
	switch {
	case !ok:
		return nil, oncall.Refuse("%q is not an end of a snooze that Watchbill understands. Write it like `2h`, `until 9am`, `until mon 9:00`, `work` or `handoff`.",
			view.Name(unescape(strings.Join(words, " "))))
	case !at.After(r.now):
		return nil, oncall.Refuse("%s is in the past. Write it like `2h`, `until 9am`, `until mon 9:00`, `work` or `handoff`.", view.Time(at, r.location))
	}
	return []oncall.Act{{Do: oncall.ActSnooze, Until: at}}, nil
}

// readReassign reads a person or the name of a policy.
func (r request) readReassign() ([]oncall.Act, error) {
	words := r.words
	if strings.EqualFold(words[0], "to") && len(words) > 1 {
		words = words[1:]
	}
	if user, ok := view.ReadMention(words[0]); ok {
		if len(words) > 1 {
			return nil, oncall.Refuse("An incident goes to one person: `/oncall reassign 12 @bo`. `/oncall add 12 @bo @cy` asks several to help.")
		}
		return []oncall.Act{{Do: oncall.ActReassign, User: user}}, nil
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
	slices.Sort(names)
	return nil, oncall.Refuse("%q is neither a person nor an escalation policy.%s Write `/oncall reassign 12 @bo`.",
		view.Name(typed), view.DidYouMean(view.Name(nearest(typed, names)), "`%s`"))
}

// readAdd reads people, and what they are asked to do.
func (r request) readAdd() ([]oncall.Act, error) {
	n := 0
	for n < len(r.words) {
		if _, ok := view.ReadMention(r.words[n]); !ok {
			break
		}
		n++
	}
	if n == 0 {
		return nil, oncall.Refuse("%q is nobody in this workspace. Write `/oncall add 12 @cy`, and after it what for, if you like.",
			view.Name(unescape(r.words[0])))
	}
	text := unescape(strings.Join(r.words[n:], " "))
	var acts []oncall.Act
	for _, word := range r.words[:n] {
		user, _ := view.ReadMention(word)
		acts = append(acts, oncall.Act{Do: oncall.ActAsk, User: user, Text: text})
	}
	return acts, nil
}

func (r request) readNote() ([]oncall.Act, error) {
	text := unescape(strings.Join(r.words, " "))
	if n := utf8.RuneCountInString(text); n > view.MaxTyped {
		return nil, oncall.Refuse("A note has at most %d characters; this one has %d.", view.MaxTyped, n)
	}
	return []oncall.Act{{Do: oncall.ActNote, Text: text}}, nil
}

func (r request) readSeverity() ([]oncall.Act, error) {
	severity := oncall.Severity(strings.ToLower(strings.Join(r.words, " ")))
	switch severity {
	case oncall.Critical, oncall.High, oncall.Medium, oncall.Low:
		return []oncall.Act{{Do: oncall.ActSeverity, Severity: severity}}, nil
	}
	return nil, oncall.Refuse("%q is not a severity: there are critical, high, medium and low. Write `/oncall severity 12 high`.",
		view.Name(unescape(string(severity))))
}

// readOther reads "into 9" or "with #9".
func readOther(do oncall.ActKind, name, word string) func(request) ([]oncall.Act, error) {
	return func(r request) ([]oncall.Act, error) {
		words := r.words
		if strings.EqualFold(words[0], word) && len(words) > 1 {
			words = words[1:]
		}
		other, ok := readIncidentValue(strings.TrimPrefix(words[0], "#"))
		if !ok || len(words) > 1 {
			return nil, oncall.Refuse("%q is not the number of an incident. Write `/oncall %s 12 %s 9`.", view.Name(unescape(strings.Join(words, " "))), name, word)
		}
		return []oncall.Act{{Do: do, Other: other}}, nil
	}
}
