package bot

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A question is a refusal that asks what is meant, with a button for each thing that may be.
type question struct {
	oncall.Refusal
	choices []choice
}

// A choice is one answer to a question: the words of a command, or an action that opens a form.
type choice struct {
	label string
	words []string
	form  view.Action
}

// Unwrap returns the refusal, which is the question without its buttons.
func (q question) Unwrap() error { return q.Refusal }

// ask returns a question.
func ask(choices []choice, text string, args ...any) error {
	refusal, _ := errors.AsType[oncall.Refusal](oncall.Refuse(text, args...))
	return question{Refusal: refusal, choices: choices}
}

// askIncident asks which of some incidents a command is about.
func (r request) askIncident(name, text string, of []oncall.Incident) error {
	var choices []choice
	for _, in := range of[:min(len(of), view.MaxChoices)] {
		choices = append(choices, choice{label: view.IncidentChoice(in), words: append([]string{name, in.ID.String()}, r.words...)})
	}
	return ask(choices, "%s%s", text, view.WhichIncident(of))
}

// said is the value of a button that does what its words say.
type said struct {
	User   oncall.UserID // who was asked
	Words  string
	Follow store.MessageRef // where to show a raised incident's progress; zero: nowhere but in direct messages
}

// drawQuestion draws a question with its buttons, or returns the error if it is none. A form that a message can't open is asked for, too.
func drawQuestion(r request, follow store.MessageRef, typed []string, d view.Drawing, err error) (view.Drawing, error) {
	q, asks := errors.AsType[question](err)
	if errors.Is(err, errNeedsForm) && len(typed) > 0 {
		refusal, _ := errors.AsType[oncall.Refusal](err)
		q, asks = question{Refusal: refusal, choices: []choice{{label: "Open the form", words: typed}}}, true
	}
	if !asks {
		return d, err
	}
	var choices []view.QuestionButton
	for _, c := range q.choices {
		one := view.QuestionButton{Label: c.label, Does: c.form}
		if c.form == "" {
			value, err := json.Marshal(said{User: r.user.ID, Words: strings.Join(c.words, " "), Follow: follow})
			if err != nil || len(value) > maxValueLength {
				continue // too long to repeat; the text says what to type
			}
			one.Does, one.Value = view.ActionSay, string(value)
		}
		choices = append(choices, one)
	}
	return view.Question(view.Sentence(q.Sentence), choices), nil
}

// pressSay does what the words of a button say, for the person who was asked.
func (b *Bot) pressSay(ctx context.Context, p press) (view.Drawing, error) {
	var s said
	if err := json.Unmarshal([]byte(p.value), &s); err != nil || s.Words == "" {
		return view.Drawing{}, oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	if s.User != p.user {
		return view.Drawing{}, oncall.Refuse("Only %s was asked this. `/oncall help` says what you can type.", s.User)
	}
	known, rest, err := findCommand(strings.Fields(s.Words))
	if err != nil {
		return view.Drawing{}, err
	}
	r, err := b.request(ctx, p.user, rest)
	if err != nil {
		return view.Drawing{}, err
	}
	r.trigger = p.trigger
	if known.name == "page" && s.Follow != (store.MessageRef{}) {
		text, err := b.pressPage(ctx, r, s.Follow)
		return view.Text(text), err
	}
	d, err := known.run(b, ctx, r)
	return drawQuestion(r, s.Follow, nil, d, err)
}

// pressPage pages for somebody who has asked for help in a channel: the answer follows what becomes of it in the thread.
func (b *Bot) pressPage(ctx context.Context, r request, follow store.MessageRef) (string, error) {
	draft, err := b.readRaise(ctx, r, r.words)
	switch {
	case err != nil:
		return "", err
	case !draft.complete():
		return "", b.openRaise(ctx, r, draft, view.RaiseMeta{})
	}
	draft.Key, draft.Link = "message/"+follow.Channel+"/"+follow.TS, b.permalink(ctx, follow)
	raised, err := b.raise(ctx, r, draft, follow)
	if err != nil {
		return "", err
	}
	if raised.NeedsConfirmation != nil {
		draft.problem = view.Sentence(raised.NeedsConfirmation) + " " + pageAllTheSame
		return "", b.openRaise(ctx, r, draft, view.RaiseMeta{Confirmed: true})
	}
	return b.raisedAnswer(ctx, r, raised), nil
}
