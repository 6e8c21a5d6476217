package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// raiseCommand answers `/oncall page [team|schedule|@person] what is wrong`: it pages, or opens a form if
// something is missing or needs a confirmation.
func (b *Bot) raiseCommand(ctx context.Context, r request) (view.Drawing, error) {
	draft, err := b.readRaise(ctx, r, r.words)
	if err != nil {
		return view.Drawing{}, err
	}
	if !draft.complete() {
		return view.Drawing{}, b.openRaise(ctx, r, draft, view.RaiseMeta{})
	}
	draft.Key = "command/" + r.trigger
	raised, err := b.raise(ctx, r, draft, store.MessageRef{})
	if err != nil {
		return view.Drawing{}, err
	}
	if raised.NeedsConfirmation != nil {
		draft.problem = view.Sentence(raised.NeedsConfirmation) + " " + pageAllTheSame
		return view.Drawing{}, b.openRaise(ctx, r, draft, view.RaiseMeta{Confirmed: true})
	}
	return view.Drawing{Text: b.raisedAnswer(ctx, r, raised)}, nil
}

const pageAllTheSame = "This one isn't sent yet. If it can't wait, send it."

// raise opens the incident for the person who asked.
func (b *Bot) raise(ctx context.Context, r request, w raiseDraft, follow store.MessageRef) (store.Raised, error) {
	if w.User != "" { // may be unknown to the store
		if _, err := b.user(ctx, w.User); err != nil {
			return store.Raised{}, err
		}
	}
	return b.store.Raise(ctx, oncall.ByUser(r.user.ID), w.RaiseRequest, follow, b.clock())
}

// raisedAnswer describes the raised incident, as far as the person may see it.
func (b *Bot) raisedAnswer(ctx context.Context, r request, raised store.Raised) string {
	picture, err := b.store.Picture(ctx, oncall.ByUser(r.user.ID), raised.Incident.ID, b.clock())
	if _, refused := refusalOf(err); refused {
		return view.RaisedVeiledText(raised.Incident)
	}
	if err != nil {
		b.log.Warn().Err(err).Msg("could not show a raised incident")
		return fmt.Sprintf("Paged: %s.", raised.Incident.ID)
	}
	roots, err := b.store.Roots(ctx, []oncall.IncidentID{raised.Incident.ID})
	if err != nil {
		b.log.Warn().Err(err).Msg("could not link to an incident's message")
	}
	return view.RaisedText(picture, raised.Again, b.permalink(ctx, roots[raised.Incident.ID]))
}

// raiseMessage raises an incident from a message, where no form can open: it pages, or says what is missing.
// The draw job answers with a reply to follow or a direct message; the returned drawing is then empty.
func (b *Bot) raiseMessage(ctx context.Context, r request, draft raiseDraft, follow store.MessageRef) (view.Drawing, error) {
	if !draft.complete() {
		problem := draft.problem
		if problem == "" {
			problem = "Say what is wrong, too."
		}
		return view.Text(problem + " Write it like `page payments the checkout is down`, or `/oncall page` for a form."), nil
	}
	raised, err := b.raise(ctx, r, draft, follow)
	if err != nil {
		return view.Drawing{}, err
	}
	if raised.NeedsConfirmation != nil {
		return view.RaiseAsk(view.Sentence(raised.NeedsConfirmation), confirmation{Raise: draft.RaiseRequest, User: r.user.ID, Follow: follow}.String()), nil
	}
	if follow == (store.MessageRef{}) && !raised.Again {
		return view.Drawing{}, nil
	}
	if raised.Again {
		return view.Text(b.raisedAnswer(ctx, r, raised)), nil
	}
	return view.Drawing{}, nil
}

// A confirmation is the value of the button that pages beyond the limits.
type confirmation struct {
	Raise  oncall.RaiseRequest
	User   oncall.UserID // who may press it
	Follow store.MessageRef
}

// maxValueLength is the maximum length of a button's value.
const maxValueLength = 2000

// String encodes it, with as much of the text as fits.
func (c confirmation) String() string {
	for most := 1500; ; most /= 2 {
		c.Raise.Text = view.CutPlain(c.Raise.Text, most)
		data, _ := json.Marshal(c) // texts and numbers only
		if len(data) <= maxValueLength || most < 10 {
			return string(data)
		}
	}
}

// confirmRaise pages in spite of many recent pages.
func (b *Bot) confirmRaise(ctx context.Context, p press) (string, error) {
	var c confirmation
	if err := json.Unmarshal([]byte(p.value), &c); err != nil {
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	if c.User != p.user {
		return "", oncall.Refuse("Only %s can confirm this. `/oncall page` pages somebody as well.", c.User)
	}
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	c.Raise.Confirmed = true
	made, err := b.raise(ctx, r, raiseDraft{RaiseRequest: c.Raise}, c.Follow)
	if err != nil {
		return "", err
	}
	return b.raisedAnswer(ctx, r, made), nil
}

// raisedAdd opens the form for adding to an incident that the person raised.
func (b *Bot) raisedAdd(ctx context.Context, p press) (string, error) {
	id, known := readIncidentValue(p.value)
	if !known {
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	return "", b.openModal(ctx, p.trigger, view.RaisedAddForm(id))
}

// addReply adds a reply to the raiser's message to the incident. It reports whether the message was one. Nobody is told of what is added to
// an incident that is over, so the answer says so, and offers to page.
func (b *Bot) addReply(ctx context.Context, typed typedMessage) (view.Drawing, bool, error) {
	if typed.replyTo == "" {
		return view.Drawing{}, false, nil
	}
	user := oncall.UserID(typed.user.ID)
	id, err := b.store.RaisedAt(ctx, oncall.ByUser(user), store.MessageRef{Channel: typed.at.Channel, TS: typed.replyTo})
	if err != nil || id == 0 {
		return view.Drawing{}, false, err
	}
	text := view.CutPlain(unescape(strings.TrimSpace(typed.text)), view.MaxTyped)
	if err := b.act(ctx, id, user, oncall.Act{Do: oncall.ActNote, Text: text}); err != nil {
		return view.Drawing{}, true, err
	}
	in, err := b.store.Incident(ctx, oncall.ByUser(user), id)
	over := err == nil && !in.Open() // nobody tells whoever paged a private team
	if !over {
		return view.Text(fmt.Sprintf("Added to %s.", id)), true, nil
	}
	r, err := b.request(ctx, user, nil)
	if err != nil {
		return view.Drawing{}, true, err
	}
	choices := []choice{{label: "Reopen it", words: []string{"reopen", id.String()}}}
	if team, known := r.directory.Team(in.TeamID); known && r.mayPage(team.ID) {
		choices = append(choices, choice{label: "Page again", words: append([]string{"page", team.Name}, strings.Fields(text)...)})
	}
	d, err := drawQuestion(r, store.MessageRef{}, nil, view.Drawing{}, ask(choices, "%s", view.AddedAfterwards(in, r.now, r.location)))
	return d, true, err
}
