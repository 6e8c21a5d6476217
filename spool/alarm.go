package spool

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
)

// An alarm tells the admins that signals are being refused, which only they can fix. It lives in
// memory, because the disk may be what is full.
type alarm struct {
	mu       sync.Mutex
	why      error                    // of the last refusal; nil: none since the admins were told
	at       time.Time                // of the same
	count    int                      // requests refused since then
	messages map[string]*adminMessage // by admin
	ending   sync.WaitGroup
}

// adminMessage is the result of telling one admin.
type adminMessage struct {
	at    time.Time // of the last attempt
	tries int
	done  bool
}

const (
	// alarmEvery is how long an admin is left alone after a message.
	alarmEvery = time.Hour
	// alarmLasts is how long a refusal is still worth a message.
	alarmLasts = time.Minute
)

// noteRefusal records that neither the database nor the spool took a request.
func (a *alarm) noteRefusal(why error, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.why, a.at = why, now
	a.count++
}

// due returns the admins to message now, each at most once an hour, and the text.
func (a *alarm) due(admins []string, now time.Time) (users []string, count int, why error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.why == nil || now.Sub(a.at) > alarmLasts {
		a.why, a.count = nil, 0
		return nil, 0, nil
	}
	if a.messages == nil {
		a.messages = map[string]*adminMessage{}
	}
	waits := false
	for _, user := range admins {
		one := a.messages[user]
		if one == nil || now.Sub(one.at) >= alarmEvery {
			one = &adminMessage{}
			a.messages[user] = one
		}
		switch {
		case one.done || one.tries >= maxAttempts:
		case one.tries > 0 && now.Sub(one.at) < retryAfter:
			waits = true
		default:
			one.at = now
			one.tries++
			waits = true
			users = append(users, user)
		}
	}
	count, why = a.count, a.why
	if !waits { // everybody reachable has been told; the next refusal starts afresh
		a.why, a.count = nil, 0
	}
	return users, count, why
}

func (a *alarm) markNotified(user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.messages[user].done = true
}

// notifyAdmins tells the installation's admins, in Slack, that signals are refused.
func (rc *Receiver) notifyAdmins(ctx context.Context) {
	known, sender := rc.snapshot.Load(), rc.Senders[oncall.MethodSlack]
	if known == nil || sender == nil {
		return
	}
	now := rc.Clock()
	users, count, why := rc.alarm.due(known.Admins, now)
	if len(users) == 0 {
		return
	}
	host, _ := os.Hostname() // without a name the directory is enough
	m := notify.Message{
		Purpose: notify.ForOutage, Severity: string(oncall.Critical), Attempt: 1,
		Title: fmt.Sprintf("Watchbill refuses alerts: its database is down and its spool takes no more (%v)", why),
		Lines: []string{fmt.Sprintf("%d requests of monitors were answered 503 by now; who doesn't send again loses them. "+
			"Make room in %s on %s, or bring the database back.", count, rc.Spool.Dir, host)},
	}
	for _, user := range users {
		to := m
		to.To, to.Key = user, fmt.Sprintf("refused/%d/%s/%s", now.Unix(), user, rc.spool.name())
		rc.alarm.ending.Go(func() {
			limited, cancel := context.WithTimeout(ctx, sendLimit)
			defer cancel()
			if r := sender.Send(limited, to); r.Outcome != notify.Accepted {
				rc.Log.Error().Err(r.Err).Str("user", user).Msg("can't tell an admin that signals are refused")
				return
			}
			rc.alarm.markNotified(user)
		})
	}
	rc.Log.Error().Err(why).Int("requests", count).Int("admins", len(users)).Msg("signals are refused: the database is away and the spool takes no more")
}
