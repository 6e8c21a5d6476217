package bot

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/store"
)

// openRaise opens the form, prefilled with what is known.
func (b *Bot) openRaise(ctx context.Context, r request, w raiseDraft, meta view.RaiseMeta) error {
	if err := r.directory.MayPage(oncall.ByUser(r.user.ID)); err != nil {
		return err
	}
	return b.openModal(ctx, r.trigger, r.raiseForm(w, meta).Draw())
}

// mayPage reports whether the person may page a team.
func (r request) mayPage(team oncall.TeamID) bool {
	return r.directory.Access().May(oncall.ByUser(r.user.ID), access.Page, access.Object{Team: team}) == nil
}

// raiseForm returns the form, prefilled. It offers what the person may page.
func (r request) raiseForm(w raiseDraft, meta view.RaiseMeta) view.RaiseForm {
	f := view.RaiseForm{
		Team: w.Team, Schedule: w.Schedule, User: w.User, Severity: w.Severity, Text: w.Text, Meta: meta, Message: w.problem,
	}
	for _, t := range r.directory.Teams {
		if r.mayPage(t.ID) {
			f.Teams = append(f.Teams, t)
		}
	}
	for _, s := range r.directory.Schedules {
		if r.mayPage(s.TeamID()) {
			f.Schedules = append(f.Schedules, s)
		}
	}
	f.Now = r.pagePreview(w)
	return f
}

// pagePreview describes who would be paged now, and what follows.
func (r request) pagePreview(w raiseDraft) []string {
	team, known := r.directory.Team(w.Team)
	if !known || r.directory.Access().May(r.by(), access.See, access.Object{Team: w.Team}) != nil {
		return nil
	}
	if strings.TrimSpace(w.Text) == "" {
		w.Text = "?" // whom it pages doesn't depend on the text
	}
	change, err := w.Open(0, 0, r.by(), r.directory.Facts(), r.now)
	if problem, refused := refusalOf(err); refused {
		return []string{problem}
	}
	if err != nil {
		return nil
	}
	var users []oncall.UserID
	for _, p := range change.Calls {
		if p.UserID != "" {
			users = append(users, p.UserID)
		}
	}
	var next *oncall.NextStep
	if n, ok := change.Incident.Next(r.directory.Facts()); ok {
		next = &n
	}
	return view.PageNow(team.Name, r.directory.Policies[change.Incident.PolicyID].Name, users, next)
}

// raiseChosen shows in the form who would be paged, once a target is chosen.
func (b *Bot) raiseChosen(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	w, wrong := r.readRaiseForm(formOf(p.view))
	if wrong != "" {
		w.problem = wrong
	}
	return "", b.updateModal(ctx, p.view, r.raiseForm(w, view.ReadRaiseMeta(p.view.PrivateMetadata)).Draw())
}

// readRaiseForm reads the form, and returns what is wrong with the chosen target.
func (r request) readRaiseForm(f form) (draft raiseDraft, wrong string) {
	draft.User, draft.Severity, draft.Text = f.user(view.BlockRaisePerson), oncall.Severity(f.choice(view.BlockSeverity)), f.text(view.BlockRaiseText)
	kind, value, _ := strings.Cut(f.choice(view.BlockRaiseWhom), "/")
	id, _ := strconv.ParseInt(value, 10, 64) // not a number: 0
	switch {
	case kind == "schedule" && id != 0:
		s, known := r.directory.Schedule(oncall.ScheduleID(id))
		if !known {
			return draft, "That schedule no longer exists."
		}
		draft.Team, draft.Schedule = s.TeamID(), s.ID()
	case id != 0:
		draft.Team = oncall.TeamID(id)
	case draft.User != "":
		team, err := r.teamOf(draft.User)
		if problem, refused := refusalOf(err); refused {
			return draft, problem
		}
		draft.Team = team
	}
	return draft, ""
}

// submitRaise pages, and replaces the form by the answer.
func (b *Bot) submitRaise(ctx context.Context, s submission) (modalResponse, error) {
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	draft, wrong := r.readRaiseForm(s.form)
	switch {
	case wrong != "":
		return correct(fieldErrors{view.BlockRaisePerson: wrong}), nil
	case draft.Team == 0:
		return correct(fieldErrors{view.BlockRaisePerson: "Choose a team, a schedule or a person."}), nil
	case strings.TrimSpace(draft.Text) == "":
		return correct(fieldErrors{view.BlockRaiseText: "Say what is wrong."}), nil
	}
	meta := view.ReadRaiseMeta(s.meta())
	draft.Confirmed, draft.Key = meta.Confirmed, "view/"+s.view.ID
	if at := (store.MessageRef{Channel: meta.Channel, TS: meta.TS}); meta.TS != "" {
		draft.Key, draft.Link = "message/"+at.Channel+"/"+at.TS, b.permalink(ctx, at)
	}
	raised, err := b.raise(ctx, r, draft, store.MessageRef{})
	if err != nil {
		return modalResponse{}, err
	}
	if raised.NeedsConfirmation != nil {
		meta.Confirmed = true
		draft.problem = view.Sentence(raised.NeedsConfirmation) + " " + pageAllTheSame
		return replace(r.raiseForm(draft, meta).Draw()), nil
	}
	return replace(view.RaiseDone(b.raisedAnswer(ctx, r, raised))), nil
}

// homePage opens the form from a button.
func (b *Bot) homePage(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	r.trigger = p.trigger
	if p.inModal() {
		if err := r.directory.MayPage(oncall.ByUser(r.user.ID)); err != nil {
			return "", err
		}
		w, meta := readAbout(p.value)
		return "", b.pushModal(ctx, p.trigger, r.raiseForm(w, meta).Draw())
	}
	return "", b.openRaise(ctx, r, raiseDraft{}, view.RaiseMeta{})
}

// An about is the message on which a shortcut was used, as the value of a button.
type about struct{ Channel, TS, Text string }

// aboutMessage returns the value of a button that pages about the message of a shortcut; empty: there is none.
func aboutMessage(c slack.InteractionCallback) string {
	if c.Type != slack.InteractionTypeMessageAction {
		return ""
	}
	a := about{Channel: c.Channel.ID, TS: c.Message.Timestamp, Text: strings.TrimSpace(unescape(c.Message.Text))}
	for most := 1500; ; most /= 2 {
		a.Text = view.CutPlain(a.Text, most)
		data, _ := json.Marshal(a) // texts only
		if len(data) <= maxValueLength || most < 10 {
			return string(data)
		}
	}
}

// readAbout returns what the form begins with after such a button.
func readAbout(value string) (w raiseDraft, meta view.RaiseMeta) {
	var a about
	if json.Unmarshal([]byte(value), &a) == nil {
		w.Text, meta = a.Text, view.RaiseMeta{Channel: a.Channel, TS: a.TS}
	}
	return w, meta
}

// pageShortcut opens the form from a shortcut, about the message on which it was used, if any.
func (b *Bot) pageShortcut(ctx context.Context, r request, c slack.InteractionCallback) error {
	r.trigger = c.TriggerID
	var w raiseDraft
	var meta view.RaiseMeta
	if c.Type == slack.InteractionTypeMessageAction {
		w.Text = strings.TrimSpace(unescape(c.Message.Text))
		meta = view.RaiseMeta{Channel: c.Channel.ID, TS: c.Message.Timestamp}
		for _, t := range r.directory.Teams { // of several, nobody knows which one is meant
			if t.Channel != c.Channel.ID && t.Channel != "#"+c.Channel.Name || !r.mayPage(t.ID) {
				continue
			}
			if w.Team != 0 {
				w.Team = 0
				break
			}
			w.Team = t.ID
		}
	}
	return b.openRaise(ctx, r, w, meta)
}
