package bot

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

const (
	homeRefreshEvery = 5 * time.Second
	// homeRefreshFor is how long somebody's home tab is kept up to date after they opened it. Slack
	// doesn't say when they leave it.
	homeRefreshFor = 15 * time.Minute
	// maxHomesRefreshed limits what is loaded every few seconds. The tabs opened earliest go first.
	maxHomesRefreshed = 50
)

// openHomes are the home tabs that this instance drew recently, and their content.
type openHomes struct {
	mu     sync.Mutex
	byUser map[oncall.UserID]openHome
}

type openHome struct {
	openedAt time.Time
	shows    [sha256.Size]byte
}

// drawn records what a home tab shows after its person has done something there.
func (h *openHomes) drawn(user oncall.UserID, shows [sha256.Size]byte, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byUser == nil {
		h.byUser = map[oncall.UserID]openHome{}
	}
	h.byUser[user] = openHome{openedAt: now, shows: shows}
	maps.DeleteFunc(h.byUser, func(_ oncall.UserID, o openHome) bool { return now.Sub(o.openedAt) > homeRefreshFor })
	if len(h.byUser) > maxHomesRefreshed {
		earliest := user
		for u, o := range h.byUser {
			if o.openedAt.Before(h.byUser[earliest].openedAt) {
				earliest = u
			}
		}
		delete(h.byUser, earliest)
	}
}

// redrawn records what a home tab shows after an update.
func (h *openHomes) redrawn(user oncall.UserID, shows [sha256.Size]byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if o, open := h.byUser[user]; open {
		o.shows = shows
		h.byUser[user] = o
	}
}

func (h *openHomes) forget(user oncall.UserID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.byUser, user)
}

func (h *openHomes) all(now time.Time) map[oncall.UserID]openHome {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.byUser, func(_ oncall.UserID, o openHome) bool { return now.Sub(o.openedAt) > homeRefreshFor })
	return maps.Clone(h.byUser)
}

// refreshHomes keeps recently opened home tabs up to date.
func (b *Bot) refreshHomes(ctx context.Context) {
	for sleep(ctx, homeRefreshEvery) {
		all := b.homes.all(b.clock())
		for _, user := range slices.Sorted(maps.Keys(all)) {
			if err := b.refreshHome(ctx, user, all[user]); err != nil && ctx.Err() == nil {
				b.log.Warn().Err(err).Str("user", string(user)).Msg("could not bring a home tab up to date; opening it does")
				b.homes.forget(user)
			}
		}
	}
}

func (b *Bot) refreshHome(ctx context.Context, user oncall.UserID, o openHome) error {
	home, err := b.home(ctx, user)
	if err != nil {
		return err
	}
	tab := home.Draw()
	shows, err := digestOf(tab)
	if err != nil || shows == o.shows {
		return err
	}
	if err := b.slack.PublishHome(ctx, string(user), tab); err != nil {
		return err
	}
	b.homes.redrawn(user, shows)
	return nil
}

func digestOf(tab slack.HomeTabViewRequest) ([sha256.Size]byte, error) {
	data, err := json.Marshal(tab)
	return sha256.Sum256(data), err
}
