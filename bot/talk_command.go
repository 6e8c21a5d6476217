package bot

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// talkCommands answer what people say and no command is called. Help doesn't list them.
var talkCommands = []command{
	incidentCommand("timeline", "12", (*Bot).openTimeline),
	incidentCommand("unmerge", "12", (*Bot).unmergeCommand),
	{"take-over", (*Bot).takeOverWhat},
	{"call-off", (*Bot).callOff},
	{"who-has-it", (*Bot).whoHasIt},
	{"whom-to-page", (*Bot).whomToPage},
	incidentCommand("escalate-to", "12 @bo", (*Bot).escalateTo),
}

// isTalk reports whether a command is one of talkCommands, which work wherever people talk to the bot.
func isTalk(name string) bool {
	return slices.ContainsFunc(talkCommands, func(c command) bool { return c.name == name })
}

// takeOverWhat answers "take over" alone: elsewhere it takes an incident, and here it is said of shifts, too.
func (b *Bot) takeOverWhat(ctx context.Context, r request) (view.Drawing, error) {
	open, err := b.store.OpenIncidents(ctx, r.by(), maxOpenLoaded)
	if err != nil {
		return view.Drawing{}, err
	}
	rank, err := b.rankIncidents(ctx, r.directory, r.user.ID, open)
	if err != nil {
		return view.Drawing{}, err
	}
	var choices []choice
	for _, in := range open {
		if rank(in) != rankOthers && !in.With(r.user.ID) && len(choices) < view.MaxChoices-1 {
			choices = append(choices, choice{label: view.IncidentChoice(in), words: []string{"ack", in.ID.String()}})
		}
	}
	choices = append(choices, choice{label: "Somebody's shift…", form: view.ActionHomeOverride})
	return view.Drawing{}, ask(choices, "Do you take over an incident, as `/oncall ack 12` does, or somebody's shift, as `/oncall override me for @bo until 22:00` does?")
}

// escalateTo answers "escalate to bo": with the person as well, or instead.
func (b *Bot) escalateTo(ctx context.Context, r request, id oncall.IncidentID) (string, error) {
	who, _, err := b.findPerson(ctx, r, r.words)
	if err != nil {
		return "", err
	}
	if who == "" {
		return "", oncall.Refuse("To whom? `/oncall add %s @bo` pages somebody as well, `/oncall reassign %s @bo` hands it over.", id.String(), id.String())
	}
	person := fmt.Sprint(who) // as Slack writes a mention
	return "", ask([]choice{
		{label: "Page them as well", words: []string{"add", id.String(), person}}, {label: "Hand it over", words: []string{"reassign", id.String(), person}},
	}, "Shall I page %s as well for %s, or hand it over to them? `/oncall escalate %d` goes to the next step of its policy.", who, id.String(), int64(id))
}

// raisedBy returns the open incidents that somebody raised.
func raisedBy(user oncall.UserID, open []oncall.Incident) []oncall.Incident {
	return slices.DeleteFunc(slices.Clone(open), func(in oncall.Incident) bool { return in.RaisedBy.User != user })
}

// callOff answers "cancel the page" and "sorry, my mistake": it resolves what the person has raised.
func (b *Bot) callOff(ctx context.Context, r request) (view.Drawing, error) {
	open, err := b.store.OpenIncidents(ctx, r.by(), maxOpenLoaded)
	if err != nil {
		return view.Drawing{}, err
	}
	switch own := raisedBy(r.user.ID, open); len(own) {
	case 0:
		return view.Drawing{}, oncall.Refuse("You have paged nobody for anything that is open%s. `/oncall resolve 12` resolves an incident.", r.noneVisible())
	case 1:
		text, err := b.actAndShow(ctx, r, own[0].ID, oncall.Act{Do: oncall.ActResolve})
		return view.Drawing{Text: text}, err
	default:
		r.words = nil
		return view.Drawing{}, r.askIncident("resolve", "Which one is over?", own)
	}
}

// whoHasIt answers "is anyone on it?": what the person has raised, or else what is open.
func (b *Bot) whoHasIt(ctx context.Context, r request) (view.Drawing, error) {
	open, err := b.store.OpenIncidents(ctx, r.by(), maxOpenLoaded)
	if err != nil {
		return view.Drawing{}, err
	}
	switch own := raisedBy(r.user.ID, open); len(own) {
	case 0:
	case 1:
		r.words = []string{own[0].ID.String()}
		return b.showIncident(ctx, r)
	default:
		return view.Text(view.RaisedIncidents(own, b.rootLinks(ctx, own))), nil
	}
	text, err := b.listIncidents(ctx, r)
	return view.Drawing{Text: text}, err
}

// whomToPage answers "who should I page?" with a choice of teams.
func (b *Bot) whomToPage(_ context.Context, r request) (view.Drawing, error) {
	return view.Drawing{}, r.offerPage("", "")
}

// cry matches what somebody says who needs help.
var cry = regexp.MustCompile(`(?i)\b(help|broken|down|outage|urgent|emergency|not working|doesn'?t work|isn'?t working|stopped working|failing|fails|crash(ed|es|ing)?|unreachable|can'?t (log|reach|open|pay|check)|(can|could|would|need|needs|should) (please )?(somebody|someone|anybody|anyone))\b`)

// criesForHelp reports whether words that are no command ask for help: more than one word, of which one says so.
func criesForHelp(words []string) bool {
	return len(words) > 2 && cry.MatchString(strings.ReplaceAll(unescape(strings.Join(words, " ")), "\u2019", "'"))
}

// offerPage asks whom to page: the team that the words name or to which the channel belongs, or else one of them all.
func (r request) offerPage(text, channel string) error {
	var named, here, all []oncall.Team
	for _, t := range r.directory.Teams {
		all = append(all, t)
		if slices.ContainsFunc(titleWords(text), func(w string) bool { return strings.EqualFold(w, t.Name) }) {
			named = append(named, t)
		}
		if channel != "" && t.Channel == channel {
			here = append(here, t)
		}
	}
	for _, likely := range [][]oncall.Team{named, here} {
		if len(likely) > 0 {
			all = likely
			break
		}
	}
	if err := r.directory.MayPage(oncall.ByUser(r.user.ID)); err != nil {
		return err
	}
	if len(all) == 0 {
		return oncall.Refuse("There is no team to page%s.", r.noneVisible())
	}
	var choices []choice
	for _, t := range all {
		what := strings.Fields(text)
		if len(what) > 0 && strings.EqualFold(what[0], t.Name) {
			what = what[1:]
		}
		choices = append(choices, choice{label: "Page " + t.Name, words: append([]string{"page", t.Name}, what...)})
	}
	if len(all) == 1 {
		return ask(choices, "Shall I page %s? Nobody was paged yet.", view.Name(all[0].Name))
	}
	return ask(choices, "Whom shall I page? Nobody was paged yet. Or write it like `page %s the checkout is down`.", view.Name(all[0].Name))
}
