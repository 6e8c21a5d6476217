package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// reviewCommand answers `/oncall review 12`.
func (b *Bot) reviewCommand(ctx context.Context, r request, id oncall.IncidentID) (string, error) {
	return b.draftReview(ctx, r.by(), id)
}

// pressReview handles the button "Draft a review".
func (b *Bot) pressReview(ctx context.Context, p press) (string, error) {
	id, known := readIncidentValue(p.value)
	if !known {
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	text, err := b.draftReview(ctx, p.by(), id)
	if err == nil && p.inModal() {
		return "", b.pushModal(ctx, p.trigger, view.TextModal(text))
	}
	return text, err
}

// draftReview has the review of an incident drafted, if it is over and the person may act on it.
func (b *Bot) draftReview(ctx context.Context, by oncall.Actor, id oncall.IncidentID) (string, error) {
	in, err := b.store.Incident(ctx, by, id)
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		return "", noIncident(id)
	case err != nil:
		return "", err
	}
	if err := in.RefuseReview(); err != nil {
		return "", err
	}
	_, _, thread, err := b.placeOfReview(ctx, by, id)
	if err != nil {
		return "", err
	}
	if err := b.store.QueueReview(ctx, by, id, b.clock()); err != nil {
		return "", err
	}
	return view.ReviewComes(id, thread), nil
}

// placeOfReview returns what a review is about, the incident's message, and whether the draft goes into its thread. Otherwise only the
// person who wants it gets it.
func (b *Bot) placeOfReview(ctx context.Context, by oncall.Actor, id oncall.IncidentID) (p oncall.Picture, root store.MessageRef, thread bool, err error) {
	if p, err = b.store.Picture(ctx, by, id, b.clock()); err != nil {
		return p, root, false, err
	}
	roots, err := b.store.Roots(ctx, []oncall.IncidentID{id})
	if err != nil {
		return p, root, false, err
	}
	root = roots[id]
	return p, root, root != (store.MessageRef{}) && !b.veiled(ctx, p, root.Channel), nil
}

// DraftReview drafts the review of an incident from what there is now, and delivers it.
func (b *Bot) DraftReview(ctx context.Context, job oncall.DraftReview) error {
	by := oncall.ByUser(job.By)
	picture, root, thread, err := b.placeOfReview(ctx, by, job.Incident)
	if err != nil {
		return err
	}
	r, err := b.review(ctx, by, picture, root)
	if err != nil {
		return err
	}
	if thread {
		err = b.deliverReview(ctx, r, root)
	} else {
		err = b.upload(ctx, job.By, reviewFile(r))
	}
	if slackcall.Refused(err) && !slackcall.NoToken(err) { // the next attempt would be, too
		return oncall.Refuse("Slack refuses the draft: %s.", slackcall.CodeOf(err))
	}
	return err
}

// review loads what a review is drafted from.
func (b *Bot) review(ctx context.Context, by oncall.Actor, picture oncall.Picture, root store.MessageRef) (view.Review, error) {
	directory, err := b.store.DirectoryFor(ctx, by)
	if err != nil {
		return view.Review{}, fmt.Errorf("load the directory: %w", err)
	}
	r := view.Review{Picture: picture, Names: directory.Users, Channels: directory.ChannelCalled, Now: b.clock()}
	_, r.Zone = zoneOf(directory.Users[by.User])
	if zone := directory.TeamZone(picture.Incident.TeamID); zone != "" && zone != time.UTC.String() { // everybody reads it
		_, r.Zone = zoneOf(oncall.User{TimeZone: zone})
	}
	if r.Actions, err = b.store.ReviewActions(ctx, by, picture.Incident.ID); err != nil {
		return r, err
	}
	us, err := b.slack.Auth(ctx)
	if err != nil {
		return r, err
	}
	if root != (store.MessageRef{}) {
		r.Talk = b.conversation(ctx, slackcall.MessageID(root), us.UserID)
	}
	if own := picture.Incident.Channel; own != nil && own.ID != "" {
		r.Talk = append(r.Talk, b.conversation(ctx, slackcall.MessageID{Channel: own.ID}, us.UserID)...)
	}
	r.Names = maps.Clone(r.Names)
	r.Names[oncall.UserID(us.UserID)] = oncall.User{Name: us.User}
	b.nameReferences(ctx, &r)
	return r, nil
}

// nameReferences looks up in Slack the people and channels that a review has no names for. Without an answer the draft does without
// them; the names of private channels stay where they are.
func (b *Bot) nameReferences(ctx context.Context, r *view.Review) {
	people, channels := r.References()
	for _, id := range people[:min(len(people), maxLookups)] {
		if u, err := b.slack.User(ctx, string(id), slackcall.ForRest); err == nil {
			r.Names[id] = b.person(u)
		}
	}
	if len(channels) == 0 {
		return
	}
	all, err := b.Channels(ctx)
	if err != nil {
		b.log.Warn().Err(err).Msg("could not look up the channels that people named; the draft of a review lacks them")
	}
	known := r.Channels
	r.Channels = func(id string) string {
		if name := known(id); name != "" {
			return name
		}
		for _, c := range all {
			if c.ID == id && !c.Private {
				return c.Name
			}
		}
		return ""
	}
}

// conversation returns what people wrote in a thread or channel, without what they told us to do: the timeline has that. Where Slack
// doesn't let us read it, the draft does without.
func (b *Bot) conversation(ctx context.Context, in slackcall.MessageID, us string) (out []view.Remark) {
	messages, err := b.slack.Talk(ctx, in)
	if err != nil {
		b.log.Warn().Err(err).Str("channel", in.Channel).Msg("could not read what people wrote about an incident; the draft of its review lacks it")
	}
	for _, m := range messages {
		if m.BotID != "" || m.User == "" || m.Text == "" || m.SubType != "" && m.SubType != "thread_broadcast" && m.SubType != "file_share" {
			continue
		}
		if view.Addresses(m.Text, oncall.UserID(us)) {
			continue
		}
		out = append(out, view.Remark{At: slackTime(m.Timestamp), By: oncall.UserID(m.User), Text: m.Text})
	}
	return out
}

// slackTime returns when a message was posted.
func slackTime(ts string) time.Time {
	seconds, _, _ := strings.Cut(ts, ".")
	n, _ := strconv.ParseInt(seconds, 10, 64) // not a number: 1970
	return time.Unix(n, 0).UTC()
}

func reviewFile(r view.Review) slack.UploadFileParameters {
	text, id := r.Markdown(), int64(r.Picture.Incident.ID)
	return slack.UploadFileParameters{
		Filename: fmt.Sprintf("incident-%d-review.md", id), Title: fmt.Sprintf("Review of incident %d", id), FileSize: len(text), Reader: strings.NewReader(text),
	}
}

// deliverReview puts the draft into the incident's thread, also as a canvas where the workspace has them.
func (b *Bot) deliverReview(ctx context.Context, r view.Review, root store.MessageRef) error {
	file, id := reviewFile(r), r.Picture.Incident.ID
	file.Channel, file.ThreadTimestamp = root.Channel, root.TS
	if _, err := b.slack.Upload(ctx, file); err != nil {
		return err
	}
	canvas, err := b.slack.CreateCanvas(ctx, file.Title, r.Markdown())
	if err == nil {
		err = b.slack.ShareCanvas(ctx, canvas, root.Channel)
	}
	if err != nil {
		if slackcall.OutcomeOf(err) != notify.Misconfigured { // a free plan, or no scope: the file has to do
			b.log.Warn().Err(err).Msg("could not make a canvas of a review")
		}
		return nil
	}
	ours, err := b.ourWorkspace(ctx)
	if err != nil {
		return err
	}
	m := slackcall.Message{Channel: root.Channel, Thread: root.TS, Incident: int64(id), Priority: slackcall.ForThread}
	_, err = b.post(ctx, m, view.ReviewCanvas(id, ours.URL+"docs/"+ours.Team+"/"+canvas))
	return err
}

// actionCommand answers `/oncall action 12 @bo text until friday`, and opens the form without a text.
func (b *Bot) actionCommand(ctx context.Context, r request, id oncall.IncidentID) (string, error) {
	if len(r.words) == 0 {
		asks, err := b.formOn(ctx, id, r.user.ID, view.ActionReviewAdd)
		if err != nil {
			return "", err
		}
		return "", b.openModal(ctx, r.trigger, asks)
	}
	a, err := b.readAction(ctx, r)
	if err != nil {
		return "", err
	}
	if a, err = b.addAction(ctx, r.by(), id, a); err != nil {
		return "", err
	}
	return view.ActionAdded(a, r.location), nil
}

// readAction parses "@bo fix the alert until friday", with the person anywhere in it.
func (b *Bot) readAction(ctx context.Context, r request) (oncall.ReviewAction, error) {
	user, words, err := b.takeDoer(ctx, r)
	if err != nil {
		return oncall.ReviewAction{}, err
	}
	if user == "" {
		return oncall.ReviewAction{}, oncall.Refuse("Say who is to do it: `/oncall action 12 @bo fix the alert until friday`.")
	}
	action := oncall.ReviewAction{UserID: user}
	for i := len(words) - 2; i > 0; i-- {
		if !oneOf(words, i, "until", "till", "by") {
			continue
		}
		if m, read, err := r.reader().Moment(append([]string{"at"}, words[i+1:]...)); err == nil && read == len(words)-i {
			action.DueAt, words = m.At(), words[:i]
			if m.Whole() {
				action.DueAt = m.End
			}
			break
		}
	}
	action.Text = unescape(strings.Join(words, " "))
	return action, nil
}

// takeDoer finds who is to do something: whom the words begin with, or else the only one mentioned in them. It returns the
// other words, without the "for" before the person.
func (b *Bot) takeDoer(ctx context.Context, r request) (user oncall.UserID, rest []string, err error) {
	user, n, err := b.findPerson(ctx, r, r.words)
	if err != nil || n > 0 {
		return user, r.words[n:], err
	}
	at, length := 0, 0
	for i := 1; i < len(r.words); i++ {
		if _, mentioned := view.ReadMention(r.words[i]); !mentioned && !strings.HasPrefix(r.words[i], "@") {
			continue
		}
		found, n, err := b.findPerson(ctx, r, r.words[i:])
		switch {
		case err != nil:
			return "", nil, err
		case n == 0:
		case user != "" && found != user:
			return "", nil, oncall.Refuse("Say first who is to do it, before whom else it is about: `/oncall action 12 @bo talk to @cy about the alert`.")
		default:
			user, at, length = found, i, n
		}
	}
	if user == "" {
		return "", nil, nil
	}
	before := r.words[:at]
	if oneOf(before, at-1, "for", "to", "by", "-", "\u2013", "->", "-&gt;") && at > 1 {
		before = before[:at-1]
	}
	return user, slices.Concat(before, r.words[at+length:]), nil
}

func (b *Bot) addAction(ctx context.Context, by oncall.Actor, id oncall.IncidentID, a oncall.ReviewAction) (oncall.ReviewAction, error) {
	if _, err := b.user(ctx, a.UserID); err != nil {
		return a, err
	}
	a, err := b.store.AddReviewAction(ctx, by, id, a, b.clock())
	if errors.Is(err, oncall.ErrNotFound) {
		return a, noIncident(id)
	}
	return a, err
}

// submitAction saves the form of an action.
func (b *Bot) submitAction(ctx context.Context, s submission) (modalResponse, error) {
	id, known := readIncidentValue(s.meta())
	if !known {
		return modalResponse{}, oncall.Refuse("This version of Watchbill doesn't know that form, and nothing was changed.")
	}
	r, err := b.requestBy(ctx, s.by(), nil)
	if err != nil {
		return modalResponse{}, err
	}
	action := oncall.ReviewAction{UserID: s.form.user(view.BlockPerson), Text: s.form.text(view.BlockText)}
	wrong := fieldErrors{}
	if strings.TrimSpace(action.Text) == "" {
		wrong[view.BlockText] = "Write what is to be done."
	}
	if action.UserID == "" {
		wrong[view.BlockPerson] = "Choose somebody."
	}
	if day := s.form.input(view.BlockDue).SelectedDate; day != "" {
		if d := s.form.date(view.BlockDue, wrong); len(wrong) == 0 {
			action.DueAt = endOfDay(r.zone, d)
		}
	}
	if len(wrong) > 0 {
		return correct(wrong), nil
	}
	if _, err := b.addAction(ctx, s.by(), id, action); err != nil {
		return modalResponse{}, err
	}
	return closeAll(), nil
}

func endOfDay(zone *schedule.Zone, d schedule.Date) time.Time { return zone.Instant(d.AddDays(1), 0) }

// actionPress returns the handler of the buttons of an action.
func actionPress(later bool) func(b *Bot, ctx context.Context, p press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		id, err := strconv.ParseInt(p.value, 10, 64)
		if err != nil {
			return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
		}
		a, err := b.store.EndReviewAction(ctx, p.by(), oncall.ReviewActionID(id), later, b.clock())
		if err != nil {
			return "", err
		}
		r, err := b.request(ctx, p.user, nil)
		if err != nil {
			return "", err
		}
		return view.ActionEnded(a, r.location), nil
	}
}
