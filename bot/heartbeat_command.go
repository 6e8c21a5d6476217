package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// heartbeats answers `/oncall heartbeats [name]`, `… mute NAME [2h]` and `… unmute NAME`.
func (b *Bot) heartbeats(ctx context.Context, r request) (view.Drawing, error) {
	all, err := b.store.Heartbeats(ctx, r.by())
	if err != nil {
		return view.Drawing{}, fmt.Errorf("list heartbeats: %w", err)
	}
	words := r.words
	switch {
	case oneOf(words, 0, "mute", "silence", "pause", "disable"):
		return b.muteHeartbeat(ctx, r, all, words[1:])
	case oneOf(words, 0, "unmute", "unsilence", "resume", "enable"):
		h, err := r.heartbeat(all, words[1:])
		if err != nil {
			return view.Drawing{}, err
		}
		was, err := b.store.UnmuteHeartbeat(ctx, r.by(), h.Integration, h.Name, r.now)
		return view.Drawing{Text: view.HeartbeatUnmuted(shownHeartbeat(h, r.now), was)}, heartbeatGone(err)
	case len(words) > 0 && !r.aboutAll():
		h, err := r.heartbeat(all, words)
		if err != nil {
			return view.Drawing{}, err
		}
		return b.showHeartbeat(ctx, r, h)
	case len(all) == 0:
		return view.Drawing{Text: "There is no heartbeat" + r.noneVisible() + ". A first ping with `?create=1` makes one, or the set-up file."}, nil
	}
	shown := make([]view.HeartbeatLine, len(all))
	for i, h := range all {
		shown[i] = shownHeartbeat(h, r.now)
	}
	return view.Drawing{Text: view.Heartbeats(shown, r.location)}, nil
}

// showHeartbeat shows a heartbeat. People who manage it also see what pings it.
func (b *Bot) showHeartbeat(ctx context.Context, r request, h store.HeartbeatDetail) (view.Drawing, error) {
	v := shownHeartbeat(h, r.now)
	if h.Manages {
		in, err := b.store.ManagedIntegration(ctx, r.by(), h.IntegrationID)
		if err != nil {
			return view.Drawing{}, heartbeatGone(err)
		}
		v.Address = strings.TrimSuffix(b.publicURL, "/") + "/ping/KEY/" + h.Name
		v.KeyHint, v.KeyOf = in.Keys[0].Hint, in.ID
	}
	return view.Heartbeat(v, r.location), nil
}

func shownHeartbeat(h store.HeartbeatDetail, now time.Time) view.HeartbeatLine {
	v := view.HeartbeatLine{
		Name: h.Name, Integration: h.Integration, Team: h.Team, State: h.State(now), Every: h.Every.Duration(), Grace: h.Grace.Duration(),
		Heard: h.HeardAt, Due: h.DueAt, Running: h.RunAt, Down: h.DownAt, Why: h.Why, Body: h.Said,
	}
	if h.Muted(now) {
		v.Muted, v.MutedUntil, v.MutedBy = true, h.MutedUntil, h.MutedBy
	}
	return v
}

// muteHeartbeat mutes a heartbeat, by its name and an optional end.
func (b *Bot) muteHeartbeat(ctx context.Context, r request, all []store.HeartbeatDetail, words []string) (view.Drawing, error) {
	if len(words) == 0 {
		return view.Drawing{}, oncall.Refuse("Say which one, as in `/oncall heartbeats mute backup 2h`. `/oncall heartbeats` lists them.")
	}
	h, err := r.heartbeat(all, words[:1])
	if err != nil {
		return view.Drawing{}, err
	}
	var until *time.Time
	if rest := words[1:]; len(rest) > 0 && !slices.Contains([]string{"forever", "indefinitely"}, strings.ToLower(strings.Join(rest, " "))) {
		at, err := r.muteEnd(rest)
		if err != nil {
			return view.Drawing{}, err
		}
		until = &at
	}
	if err := b.store.MuteHeartbeat(ctx, r.by(), h.Integration, h.Name, until, r.now); err != nil {
		return view.Drawing{}, heartbeatGone(err)
	}
	return view.Drawing{Text: view.HeartbeatMuted(shownHeartbeat(h, r.now), until, r.location)}, nil
}

// heartbeat finds a heartbeat by its name: "backup", or "cron/backup" if the name isn't unique.
func (r request) heartbeat(all []store.HeartbeatDetail, words []string) (store.HeartbeatDetail, error) {
	typed := strings.ToLower(strings.Trim(unescape(strings.Join(words, " ")), `"'“”`))
	var found []store.HeartbeatDetail
	var names []string
	for _, h := range all {
		if typed == h.Name || typed == strings.ToLower(h.Integration+"/"+h.Name) {
			found = append(found, h)
		}
		names = append(names, h.Name)
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return store.HeartbeatDetail{}, oncall.Refuse("Several heartbeats are called %q. Name the integration too, as in %q.", view.Name(typed), view.Name(found[0].Integration+"/"+found[0].Name))
	}
	return store.HeartbeatDetail{}, oncall.Refuse("There is no heartbeat %q%s.%s", view.Name(typed), r.noneVisible(), view.DidYouMean(view.Name(oncall.Nearest(typed, names)), "%q"))
}

// heartbeatGone refuses if the heartbeat has been removed in the meantime.
func heartbeatGone(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, oncall.ErrNotFound):
		return oncall.Refuse("That heartbeat is no longer there, and nothing was changed.")
	}
	return fmt.Errorf("change a heartbeat: %w", err)
}
