package bot

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// mentionCommands lists the commands that work in a mention of the app.
var mentionCommands = slices.Concat([]string{"who", "next", "teams", "incidents", "page", "help"}, hereCommands)

// directCommands lists the commands that work in a direct message. A message can't open a form: those of planning answer with
// a button for it, and the others say so.
var directCommands = slices.Concat(mentionCommands, []string{"me", "schedule", "users", "actions", "swap", "cover", "override", "away"}, rareCommands)

// rareCommands lists the commands of a direct message whose names also begin cries for help: "integration is broken, help".
// What shows addresses, links and keys is left out, because a message stays.
var rareCommands = []string{
	"shift", "leaver", "remind", "history", "report", "details", "merge", "link", "setup", "integrations", "payloads", "routes", "heartbeats", "mute", "unmute", "maintenance",
}

// formButtons lists the buttons that open the planning forms.
var formButtons = map[string]view.Action{
	"swap": view.ActionHomeSwap, "cover": view.ActionHomeCover, "override": view.ActionHomeOverride, "away": view.ActionHomeAway,
}

// hereCommands lists the commands about one incident.
var hereCommands = []string{
	"incident", "plan", "why", "ack", "resolve", "unack", "reopen", "escalate", "unsnooze", "snooze", "severity", "note", "update", "action", "review", "verdict",
	"add", "reassign", "channel",
}

// typedMessage is a message that mentions the bot or was sent to it.
type typedMessage struct {
	user    slack.User
	text    string
	by      oncall.Actor
	can     []string // allowed commands
	at      store.MessageRef
	replyTo string           // the parent message, if it is a reply in a direct message
	follow  store.MessageRef // where to show the raised incident's progress; zero: in a direct message
}

// answerMessage runs the command in a message, or raises the incident that it describes; otherwise it lists the
// commands that work here.
func (b *Bot) answerMessage(ctx context.Context, m typedMessage) view.Drawing {
	words := strings.Fields(m.text)
	if len(words) > 0 && strings.EqualFold(words[0], "/oncall") {
		words = words[1:]
	}
	if len(words) == 0 {
		return view.Help()
	}
	if err := b.admit(ctx, m.user); err != nil {
		return view.Text(b.explain(err, "", "message"))
	}
	d, err := b.answerWords(ctx, m, words)
	switch {
	case err != nil:
		return view.Text(b.explain(err, "", "message"))
	case len(d.Blocks) == 0 && d.Text != "":
		return view.Text(view.CutPlain(d.Text, view.MaxAnswer))
	}
	return d
}

// answerWords answers the words of a message. Without a command they may add to an incident that the
// person raised, or raise a new one: "payments the checkout is down".
func (b *Bot) answerWords(ctx context.Context, typed typedMessage, words []string) (view.Drawing, error) {
	if d, added, err := b.addReply(ctx, typed); added || err != nil {
		return d, err
	}
	known, rest, err := findCommand(rephrase(words))
	if err != nil {
		if known, rest, err = findCommand(words); err != nil {
			known, rest = command{}, words
		}
	}
	if text, hint := elsewhere[word(words, 0)]; hint && known.name == "" && len(words) < 3 {
		return view.Text(text), nil
	}
	r, err := b.requestBy(ctx, typed.by, rest)
	if err != nil {
		return view.Drawing{}, err
	}
	r.place = store.MessageRef{Channel: typed.at.Channel, TS: cmp.Or(typed.follow.TS, typed.replyTo)}
	switch {
	case known.name == "page":
		return b.raiseFromMessage(ctx, r, typed)
	case known.name == "whom-to-page":
		return drawQuestion(r, typed.follow, nil, view.Drawing{}, r.offerPage("", typed.at.Channel))
	case !slices.Contains(typed.can, known.name) && !isTalk(known.name):
		r.words = typedWords(strings.Join(words, " "), r.directory)
		if known.name == "" && r.onlyTime() {
			text, err := b.who(ctx, r)
			return view.Drawing{Text: text}, err
		}
		return b.pageNamedTeam(ctx, r, typed, known.name)
	case known.name == "help" && len(rest) == 0 && typed.follow != (store.MessageRef{}): // seventy lines are too many for a channel
		return view.ShortHelp(), nil
	case known.name == "help" && len(rest) == 0:
		return view.AllHelp(r.abilities()), nil
	}
	d, err := known.run(b, ctx, r)
	if does := formButtons[known.name]; does != "" && errors.Is(err, errNeedsForm) {
		return view.OpensForm(does), nil
	}
	return drawQuestion(r, typed.follow, append([]string{known.name}, rest...), d, err)
}

// pageNamedTeam pages the team or schedule named at the beginning of a mention; a question is answered with who is
// on call there. A direct message must use the command to page. name is the command that the words begin with, if any.
func (b *Bot) pageNamedTeam(ctx context.Context, r request, typed typedMessage, name string) (view.Drawing, error) {
	w, err := b.readRaise(ctx, r, r.words)
	if _, refused := refusalOf(err); err != nil && !refused {
		return view.Drawing{}, err
	}
	switch {
	case typed.follow == (store.MessageRef{}), w.problem != "", w.Team == 0, w.User != "":
		return r.notUnderstood(typed, name)
	case w.Text == "", strings.HasSuffix(w.Text, "?"):
		team, _ := r.directory.Team(w.Team)
		r.words = strings.Fields(team.Name)
		if s, known := r.directory.Schedule(w.Schedule); known {
			r.words = strings.Fields(s.Name())
		}
		text, err := b.who(ctx, r)
		return view.Drawing{Text: text}, err
	}
	return b.raiseFromMessage(ctx, r, typed)
}

// notUnderstood answers words that do nothing where they were written: a command that works elsewhere, a cry for help, or neither.
func (r request) notUnderstood(m typedMessage, name string) (view.Drawing, error) {
	switch does := formButtons[name]; {
	case does != "":
		pointer := ask([]choice{{label: "Open the form", form: does}}, "`/oncall %s` does that in any channel, and a direct message to me: it is yours alone.", name)
		return drawQuestion(r, m.follow, nil, view.Drawing{}, pointer)
	case criesForHelp(r.words):
		return drawQuestion(r, m.follow, nil, view.Drawing{}, r.offerPage(strings.Join(r.words, " "), m.at.Channel))
	case name == "" && len(r.words) > 0:
		_, _, err := findCommand(rephrase(r.words))
		if _, asks := errors.AsType[question](err); asks && len(r.words) == 2 && isNumber(r.words[1]) {
			return drawQuestion(r, m.follow, nil, view.Drawing{}, err)
		}
		if _, known := elsewhere[word(rephrase(r.words), 0)]; known {
			return view.Drawing{}, err
		}
	case name != "":
		return view.Drawing{}, oncall.Refuse("`/oncall %s` does that in any channel.", name)
	}
	return view.Help(), nil
}

// raiseFromMessage raises the incident that a message describes.
func (b *Bot) raiseFromMessage(ctx context.Context, r request, m typedMessage) (view.Drawing, error) {
	w, err := b.readRaise(ctx, r, r.words)
	if err != nil {
		return view.Drawing{}, err
	}
	w.Key, w.Link = "message/"+m.at.Channel+"/"+m.at.TS, ""
	if m.follow != (store.MessageRef{}) {
		w.Link = b.permalink(ctx, m.at)
	}
	return b.raiseMessage(ctx, r, w, m.follow)
}
