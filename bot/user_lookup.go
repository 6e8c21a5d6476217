package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	// lookupTimeout leaves enough time to answer the click.
	lookupTimeout = time.Second
	// lookupPause is how long no lookups are made after Slack has failed to answer, because clicks must not
	// wait.
	lookupPause = 30 * time.Second
	// recheckAfter is the minimum time between two lookups of a person who may do little or nothing.
	recheckAfter = 10 * time.Minute
	// backfillEvery is the interval of lookups of people who haven't acted yet.
	backfillEvery = time.Minute
)

// A lookupLimiter limits how often Slack is asked for users.
type lookupLimiter struct {
	mu     sync.Mutex
	paused time.Time // no lookups before this time
	asked  map[oncall.UserID]time.Time
	daily  map[oncall.UserID]time.Time // last lookup of each person named in the set-up
}

// allowed reports whether a lookup is allowed now.
func (l *lookupLimiter) allowed(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !now.Before(l.paused)
}

// failed records that Slack didn't answer.
func (l *lookupLimiter) failed(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.paused = now.Add(lookupPause)
}

// recheck reports whether to look a known person up again, and records the lookup.
func (l *lookupLimiter) recheck(id oncall.UserID, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.asked[id]) < recheckAfter {
		return false
	}
	if l.asked == nil || len(l.asked) > 1000 {
		l.asked = map[oncall.UserID]time.Time{}
	}
	l.asked[id] = now
	return true
}

// backfillUsers looks up stored people whose standing in the workspace is unknown, as everybody's is after an
// upgrade from a release that didn't store it: a click at night should not have to wait for Slack.
func (b *Bot) backfillUsers(ctx context.Context) {
	for {
		_, err := b.guard(ctx, "", func() (string, error) { return "", b.backfillOnce(ctx) })
		if err != nil && ctx.Err() == nil {
			b.log.Debug().Err(err).Msg("could not look up people; trying again in a minute")
		}
		if !sleep(ctx, backfillEvery) {
			return
		}
	}
}

func (b *Bot) backfillOnce(ctx context.Context) error {
	directory, err := b.store.DirectoryFor(ctx, oncall.ByTimer())
	if err != nil {
		return err
	}
	if _, err := b.ourWorkspace(ctx); err != nil {
		return err
	}
	for id, u := range directory.Users {
		if u.Standing != oncall.UnknownStanding || u.DeactivatedAt != nil || !b.lookups.recheck(id, b.clock()) {
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
			b.log.Debug().Err(err).Str("user", string(id)).Msg("could not save a user who was looked up")
		}
	}
	return nil
}

// due returns a few named people who haven't been looked up for a day, and records their lookup.
func (l *lookupLimiter) due(named []oncall.UserID, now time.Time) (due []oncall.UserID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := make(map[oncall.UserID]time.Time, len(named))
	for _, id := range named {
		at, before := l.daily[id]
		if (!before || now.Sub(at) >= refreshAfter) && len(due) < maxLookups {
			due, at, before = append(due, id), now, true
		}
		if before {
			kept[id] = at
		}
	}
	l.daily = kept
	return due
}

// ourWorkspace returns the workspace that the bot is in. Slack is asked only once; until it answers, the stored
// workspace counts.
func (b *Bot) ourWorkspace(ctx context.Context) (store.Workspace, error) {
	if w := b.workspace.Load(); w != nil {
		return *w, nil
	}
	err := errLookupsPaused
	if b.lookups.allowed(b.clock()) {
		var w store.Workspace
		if w, err = b.refreshWorkspace(ctx); err == nil {
			b.workspace.Store(&w)
			return w, nil
		}
	}
	kept, unknown := b.store.Workspace(ctx)
	none := unknown != nil || kept.Team == ""
	if !errors.Is(err, errLookupsPaused) {
		b.logNoWorkspace(err, none)
	}
	if none {
		return store.Workspace{}, fmt.Errorf("look up the workspace: %w", err)
	}
	return kept, nil
}

// logNoWorkspace logs why Slack was asked in vain for the workspace, and what counts meanwhile.
func (b *Bot) logNoWorkspace(err error, none bool) {
	what := "could not ask Slack for the workspace; using the stored one"
	if none {
		what = "could not ask Slack for the workspace, and none is stored yet"
	}
	b.failing(err).Err(err).Msg(what)
}

// failing returns a log line about a failed call: an error if Slack refuses our token, because only people can mend
// that.
func (b *Bot) failing(err error) *zerolog.Event {
	if slackcall.NoToken(err) {
		return b.log.Error()
	}
	return b.log.Warn()
}

// errLookupsPaused means that no call was made, because Slack failed to answer a moment ago.
var errLookupsPaused = errors.New("no answer from Slack a moment ago")

func (b *Bot) refreshWorkspace(ctx context.Context) (store.Workspace, error) {
	asking, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	w, err := b.fetchWorkspace(asking)
	if err != nil {
		b.lookups.failed(b.clock())
		return store.Workspace{}, err
	}
	return w, b.store.SaveWorkspace(ctx, w)
}

// fetchWorkspace asks Slack for the bot's workspace.
func (b *Bot) fetchWorkspace(ctx context.Context) (store.Workspace, error) {
	answer, err := b.slack.Auth(ctx)
	if err != nil {
		return store.Workspace{}, err
	}
	return store.Workspace{Team: answer.TeamID, Enterprise: answer.EnterpriseID, URL: strings.TrimSuffix(answer.URL, "/") + "/"}, nil
}
