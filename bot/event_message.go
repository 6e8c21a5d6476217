package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// byMention are the commands that can be used by a mention of the app in a channel.
var byMention = []string{"who", "next", "teams", "incidents", "page", "help"}

// byMessage are the commands that can be used in a direct message. None of them opens a form.
var byMessage = slices.Concat(byMention, []string{"me", "schedule", "users", "incident", "plan", "why", "ack", "resolve", "unack", "reopen", "escalate"})

// written is what somebody has written to the bot.
type written struct {
	user      slack.User
	text      string
	by        oncall.Actor
	can       []string // commands
	at        store.MessageRef
	answersTo string           // the message to which it is a reply, in a direct message
	follow    store.MessageRef // where whoever pages sees what becomes of it; zero: in a direct message
}

// answerMessage does what somebody writes to the bot, if it is a command that can be written there or pages
// somebody, or says what it understands.
func (b *Bot) answerMessage(ctx context.Context, m written) view.Drawing {
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

// answerWords does what is written. What begins with no command may add to what somebody has raised, or page whom
// it names: "payments the checkout is down".
func (b *Bot) answerWords(ctx context.Context, m written, words []string) (view.Drawing, error) {
	if d, added, err := b.addReply(ctx, oncall.UserID(m.user.ID), store.MessageRef{Channel: m.at.Channel, TS: m.answersTo}, m.text); added || err != nil {
		return d, err
	}
	known, rest, err := findCommand(words)
	if err != nil {
		known, rest = command{}, words
	}
	r, err := b.requestBy(ctx, m.by, rest)
	if err != nil {
		return view.Drawing{}, err
	}
	switch {
	case known.name == "page":
		return b.raiseWritten(ctx, r, m)
	case !slices.Contains(m.can, known.name):
		r.words = typedWords(strings.Join(words, " "), r.directory)
		return b.namedTeam(ctx, r, m)
	case known.name == "help" && len(rest) == 0:
		return view.AllHelp(r.abilities()), nil
	}
	return known.run(b, ctx, r)
}

// namedTeam pages the team or schedule with whose name a mention of the app begins, or says who is on call there where
// that is a question. A direct message has to say that it is to page.
func (b *Bot) namedTeam(ctx context.Context, r request, m written) (view.Drawing, error) {
	w, err := b.readRaise(ctx, r, r.words)
	if _, refused := refusalOf(err); err != nil && !refused {
		return view.Drawing{}, err
	}
	switch {
	case m.follow == (store.MessageRef{}), w.said != "", w.Team == 0, w.User != "":
		return view.Help(), nil
	case w.Text == "", strings.HasSuffix(w.Text, "?"):
		team, _ := r.directory.Team(w.Team)
		r.words = strings.Fields(team.Name)
		if s, known := r.directory.Schedule(w.Schedule); known {
			r.words = strings.Fields(s.Name())
		}
		text, err := b.who(ctx, r)
		return view.Drawing{Text: text}, err
	}
	return b.raiseWritten(ctx, r, m)
}

// raiseWritten pages whom the words name.
func (b *Bot) raiseWritten(ctx context.Context, r request, m written) (view.Drawing, error) {
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
