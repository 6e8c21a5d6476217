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
)

// answerShortcut handles the shortcuts: who is on call now, and the form to page them.
func (b *Bot) answerShortcut(ctx context.Context, callback slack.InteractionCallback) error {
	if err := b.admit(ctx, callback.User); err != nil {
		return err
	}
	r, err := b.request(ctx, oncall.UserID(callback.User.ID), nil)
	if err != nil {
		return err
	}
	if callback.CallbackID == view.ShortcutPage || callback.CallbackID == view.ShortcutPageMessage {
		return b.pageShortcut(ctx, r, callback)
	}
	text, err := b.who(ctx, r)
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		text, err = view.Sentence(refusal.Sentence), nil
	}
	if err != nil {
		return err
	}
	return b.openModal(ctx, callback.TriggerID, view.Shortcut(text, aboutMessage(callback)))
}

// who answers `/oncall who [team or schedule or person] [when]`.
func (b *Bot) who(ctx context.Context, r request) (string, error) {
	r.words = r.withoutSmallTalk(r.words)
	if len(r.words) == 1 && plainName(r.words[0]) == "i" {
		r.words[0] = "me"
	}
	schedules, when, err := b.whoAndWhen(ctx, &r)
	if err != nil {
		id, n, ambiguous := b.findPerson(ctx, r, r.words)
		switch {
		case ambiguous != nil && n > 0:
			return "", ambiguous
		case n == 0 || ambiguous != nil:
			return "", err
		}
		return b.whoIs(ctx, r, id, r.withoutSmallTalk(r.words[n:]))
	}
	if len(schedules) == 0 {
		return "", oncall.Refuse("There are no schedules%s.", cmp.Or(r.noneVisible(), " yet"))
	}
	at := when.At()
	if !when.Whole() && at.Before(r.now) && when.End.After(r.now) { // tonight, after midnight
		at = r.now
	}
	text := view.OnCall(schedules, r.directory.Override, at, r.now, r.location)
	if !at.Equal(r.now) {
		return text, nil
	}
	var teams []oncall.TeamID
	for _, s := range schedules {
		if !slices.Contains(teams, s.TeamID()) {
			teams = append(teams, s.TeamID())
		}
	}
	return strings.Join(append([]string{text}, view.MaintenanceLines(r.maintenanceOf(teams...), r.now, r.location)...), "\n"), nil
}

// whoIs lists what a person is on call for, now and next, or from a given time.
func (b *Bot) whoIs(ctx context.Context, r request, id oncall.UserID, rest []string) (string, error) {
	from := r.now
	if len(rest) > 0 {
		when, err := r.moment(rest)
		if err != nil {
			return "", err
		}
		from = when.At()
	}
	if id == r.user.ID && from.Equal(r.now) {
		return b.me(ctx, request{user: r.user, now: r.now, zone: r.zone, location: r.location, directory: r.directory, asker: r.asker})
	}
	if _, err := b.user(ctx, id); err != nil {
		return "", err
	}
	return view.ShiftsOf(id, ownStints(r.directory, id, from), from, r.now, r.location), nil
}

// smallTalk lists filler words in questions.
var smallTalk = []string{"is", "are", "will", "be", "on", "call", "oncall", "on-call", "for", "in", "at", "the", "team", "currently", "right", "of", "doing", "has", "had", "was", "were", "duty", "and", "when", "next"}

// withoutSmallTalk drops phrases such as "is on call in", unless they are part of a name or a time.
func (r request) withoutSmallTalk(words []string) []string {
	words = slices.Clone(words)
	if n := len(words); n > 0 {
		words[n-1] = strings.TrimRight(words[n-1], "?!")
		if words[n-1] == "" {
			words = words[:n-1]
		}
	}
	for len(words) > 0 && slices.Contains(smallTalk, strings.ToLower(words[0])) {
		if _, known := lookUp(r.directory, strings.Join(words, " ")); known {
			break
		}
		if _, n, err := r.reader().Moment(words); n > 0 || err != nil { // as in "next week"
			break
		}
		words = words[1:]
	}
	return words
}
