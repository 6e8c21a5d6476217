package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/store"
)

const (
	// learnTimeout leaves enough time to answer the click.
	learnTimeout = time.Second
	// learnPause is how long nobody is looked up after Slack has failed to answer: clicks must not wait.
	learnPause = 30 * time.Second
	// learnAgain is how often Slack is asked again about somebody who may do little or nothing.
	learnAgain = 10 * time.Minute
	// learnEvery is how often people are looked up whom nobody has asked about yet.
	learnEvery = time.Minute
)

// A learner limits how often Slack is asked who somebody is.
type learner struct {
	mu     sync.Mutex
	paused time.Time // until then
	asked  map[oncall.UserID]time.Time
	daily  map[oncall.UserID]time.Time // when they were looked up last, as the set-up names them
}

// may reports whether Slack may be asked now.
func (l *learner) may(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !now.Before(l.paused)
}

// failed notes that Slack has not answered.
func (l *learner) failed(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.paused = now.Add(learnPause)
}

// again reports whether to ask once more about somebody who is known, and notes that.
func (l *learner) again(id oncall.UserID, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.asked[id]) < learnAgain {
		return false
	}
	if l.asked == nil || len(l.asked) > 1000 {
		l.asked = map[oncall.UserID]time.Time{}
	}
	l.asked[id] = now
	return true
}

// learnUnknowns looks up whoever is stored without what they are in the workspace, as everybody is after an
// upgrade from a release that kept no such thing: at night their first click should not wait for Slack.
func (b *Bot) learnUnknowns(ctx context.Context) {
	for {
		_, err := b.guard(ctx, "", func() (string, error) { return "", b.learnEachUnknown(ctx) })
		if err != nil && ctx.Err() == nil {
			b.log.Debug().Err(err).Msg("people can't be looked up; trying again in a minute")
		}
		if !wait(ctx, learnEvery) {
			return
		}
	}
}

func (b *Bot) learnEachUnknown(ctx context.Context) error {
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil {
		return err
	}
	if _, err := b.ourWorkspace(ctx); err != nil {
		return err
	}
	for id, u := range directory.Users {
		if u.Standing != oncall.UnknownStanding || u.DeactivatedAt != nil || !b.learner.again(id, b.clock()) {
			continue
		}
		found, err := b.slack.User(ctx, string(id), slackcall.ForRest)
		switch {
		case slackcall.NoUser(err):
			continue
		case err != nil:
			return err
		}
		if _, err := b.saveFound(ctx, found); err != nil {
			b.log.Debug().Err(err).Str("user", string(id)).Msg("somebody was looked up and not kept")
		}
	}
	return nil
}

// due returns a few people who are named and were not looked up for a day, and notes that they are now.
func (l *learner) due(named []oncall.UserID, now time.Time) (due []oncall.UserID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := make(map[oncall.UserID]time.Time, len(named))
	for _, id := range named {
		at, before := l.daily[id]
		if (!before || now.Sub(at) >= learnDaily) && len(due) < learnAtOnce {
			due, at, before = append(due, id), now, true
		}
		if before {
			kept[id] = at
		}
	}
	l.daily = kept
	return due
}

// ourWorkspace returns the workspace that we are in. Slack is asked only once; while it doesn't answer,
// what it said before counts.
func (b *Bot) ourWorkspace(ctx context.Context) (store.Workspace, error) {
	if w := b.workspace.Load(); w != nil {
		return *w, nil
	}
	err := errNotAsked
	if b.learner.may(b.clock()) {
		var w store.Workspace
		if w, err = b.learnWorkspace(ctx); err == nil {
			b.workspace.Store(&w)
			return w, nil
		}
		b.log.Warn().Err(err).Msg("Slack does not say which workspace this is; going by what it said before")
	}
	kept, unknown := b.store.Workspace(ctx)
	if unknown != nil || kept.Team == "" {
		return store.Workspace{}, fmt.Errorf("learn our workspace: %w", err)
	}
	return kept, nil
}

// errNotAsked means that Slack is not asked, because it failed a moment ago.
var errNotAsked = errors.New("no answer from Slack a moment ago")

func (b *Bot) learnWorkspace(ctx context.Context) (store.Workspace, error) {
	asking, cancel := context.WithTimeout(ctx, learnTimeout)
	defer cancel()
	w, err := b.askWorkspace(asking)
	if err != nil {
		b.learner.failed(b.clock())
		return store.Workspace{}, err
	}
	return w, b.store.SaveWorkspace(ctx, w)
}

// askWorkspace asks Slack which workspace we are in.
func (b *Bot) askWorkspace(ctx context.Context) (store.Workspace, error) {
	answer, err := b.slack.Auth(ctx)
	if err != nil {
		return store.Workspace{}, err
	}
	return store.Workspace{Team: answer.TeamID, Enterprise: answer.EnterpriseID, URL: strings.TrimSuffix(answer.URL, "/") + "/"}, nil
}

// admit refuses people of other organisations, who see our messages in shared channels, and those who
// are deactivated. Whoever passes is known from then on, with what they are in the workspace. Where
// Slack can't be asked about somebody new, they count as a guest.
func (b *Bot) admit(ctx context.Context, u slack.User) error {
	if u.TeamID != "" {
		ours, err := b.ourWorkspace(ctx)
		if err == nil && ours.Enterprise == "" && u.TeamID != ours.Team {
			return oncall.Refuse("Only people of the workspace that runs Watchbill can do this, and nothing was changed.")
		}
	}
	id := oncall.UserID(u.ID)
	if _, err := b.user(ctx, id); err != nil {
		return err
	}
	directory, err := b.store.DirectoryFor(ctx, oncall.ByUser(id))
	if err != nil {
		return fmt.Errorf("load the directory: %w", err)
	}
	return b.store.May(directory, oncall.ByUser(id), access.OwnThings, access.Object{})
}

// permalink is the address of a message, "" if it has none yet.
func (b *Bot) permalink(ctx context.Context, at store.MessageRef) string {
	if at == (store.MessageRef{}) {
		return ""
	}
	ours, err := b.ourWorkspace(ctx)
	if err != nil {
		b.log.Warn().Err(err).Msg("a message can't be linked to")
		return ""
	}
	return ours.URL + "archives/" + at.Channel + "/p" + strings.ReplaceAll(at.TS, ".", "")
}
