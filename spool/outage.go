package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Limits of one outage.
const (
	maxTracked  = 20_000 // alerts tracked one by one
	maxMessages = 500    // messages
	maxAttempts = 5      // attempts per message
	retryAfter  = 15 * time.Second
	sendLimit   = 20 * time.Second
)

// An outage is a period without the database, and the alerts that wait for its end.
type outage struct {
	mu       sync.Mutex
	since    time.Time // zero: the database answers
	ended    time.Time // when the database last came back
	began    time.Time // start of the first of several outages that count as one for people
	waiting  map[alertKey]waitingAlert
	more     map[oncall.TeamID]int // alerts beyond maxTracked
	messages []*outageMessage
	sending  sync.WaitGroup
	running  int
	unsaved  bool // some messages are not in the database yet
}

type alertKey struct {
	integration oncall.IntegrationID
	dedup       string
}

type waitingAlert struct {
	team     oncall.TeamID
	policy   oncall.PolicyID
	group    string
	severity oncall.Severity
	title    string
	first    time.Time     // when it arrived
	from     time.Time     // when it pages; later if a rule holds it
	kept     *oncall.Alert // what maintenance windows match on, if one keeps it back; otherwise nil
}

// An outageMessage is one message to one person.
type outageMessage struct {
	storedMessage
	sending bool
}

// A storedMessage is a message as stored on the disk.
type storedMessage struct {
	store.OutagePage
	Address  string          `json:"address,omitempty"` // encrypted
	Severity oncall.Severity `json:"severity"`
	TeamName string          `json:"team_name"`
	Due      time.Time       `json:"due"`
	Over     bool            `json:"over"`
}

// active returns since when the database has been unavailable.
func (o *outage) active() (since time.Time, away bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.since, !o.since.IsZero()
}

// begin records that the database doesn't answer, and reports whether that is news.
func (o *outage) begin(rc *Receiver, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.since.IsZero() {
		return false
	}
	o.since = now
	if o.began.IsZero() || now.Sub(o.ended) > oncall.OutagePause {
		o.began, o.messages = now, nil
		if err := rc.spool.deleteMessages(); err != nil {
			rc.Log.Error().Err(err).Msg("can't clear the spool's messages of the last outage")
		}
	}
	return true
}

// end records that the database answers.
func (o *outage) end(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.since.IsZero() {
		o.since, o.ended = time.Time{}, now
	}
}

// clear records that nothing is waiting any more.
func (o *outage) clear(now time.Time) {
	o.end(now)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting, o.more = nil, nil
}

// toSave reports whether messages have to be saved to the database, and whether they can be
// forgotten here afterwards.
func (o *outage) toSave(now time.Time) (save, forget bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.running > 0 || !o.since.IsZero() {
		return false, false
	}
	return o.unsaved, len(o.messages) > 0 && now.Sub(o.ended) > oncall.OutagePause
}

func (o *outage) markSaved(forgot bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unsaved = false
	if forgot {
		o.messages = nil
	}
}

func (o *outage) wait() { o.sending.Wait() }

// track tracks the alerts that signals open and resolve.
func (o *outage) track(k *Snapshot, id oncall.IntegrationID, signals []oncall.Signal, at time.Time) {
	if k == nil {
		return
	}
	in, known := k.Sources[id]
	if !known {
		return
	}
	became := k.outcomes(in, signals, at)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting == nil {
		o.waiting, o.more = map[alertKey]waitingAlert{}, map[oncall.TeamID]int{}
	}
	for i, s := range signals {
		key := alertKey{id, s.DedupKey}
		switch s.Action {
		case oncall.Trigger:
			o.trackFiring(in, s, became[i], at)
		case oncall.Clear:
			delete(o.waiting, key)
		case oncall.Reconcile:
			for other, a := range o.waiting {
				if other.integration == id && a.group == s.GroupKey && !slices.Contains(s.Present, other.dedup) {
					delete(o.waiting, other)
				}
			}
		default:
		}
	}
}

func firstBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// load restores the state an earlier process left: the waiting alerts and the messages sent.
func (o *outage) load(rc *Receiver) {
	err := rc.spool.Each(func(r store.SpooledRequest) {
		var signals []oncall.Signal
		for _, text := range r.Signals {
			var s oncall.Signal
			if json.Unmarshal(text, &s) == nil {
				signals = append(signals, s)
			}
		}
		o.track(rc.snapshot.Load(), r.Integration, signals, r.At)
	})
	records, messagesErr := rc.spool.messages()
	if err := errors.Join(err, messagesErr); err != nil {
		rc.Log.Error().Err(err).Msg("the spool can't be read")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range records { // the same outage, until the database has been reached
		o.messages = append(o.messages, &outageMessage{storedMessage: r})
		o.began, o.ended, o.unsaved = r.Outage, rc.Clock(), true
	}
}

// messagePeople messages people about waiting alerts, once the database has been away long enough.
func (rc *Receiver) messagePeople(ctx context.Context) {
	o, now, known := &rc.outage, rc.Clock(), rc.snapshot.Load()
	o.mu.Lock()
	defer o.mu.Unlock()
	if known == nil || o.since.IsZero() || now.Sub(o.since) < oncall.OutageGrace {
		return
	}
	for team, waits := range o.byTeam(known, now) {
		for _, user := range waits.users(known, now) {
			rc.queueMessages(known, team, user, waits, now)
		}
	}
	for _, one := range o.messages {
		if one.sending || one.Over || now.Before(one.Due) {
			continue
		}
		one.sending = true
		o.running++
		o.sending.Go(func() { rc.send(ctx, one) })
	}
}

// teamWaits sums up the alerts that wait for a team.
type teamWaits struct {
	oncall.Outage
	policies map[oncall.PolicyID]bool
}

// byTeam sums up the waiting alerts of each team that has any worth a page. The caller holds o.mu.
func (o *outage) byTeam(k *Snapshot, now time.Time) map[oncall.TeamID]*teamWaits {
	teams := map[oncall.TeamID]*teamWaits{}
	k.compiling.Do(k.compile)
	for key, a := range o.waiting {
		if !a.pages(k, key, now) {
			continue
		}
		t := teams[a.team]
		if t == nil {
			t = &teamWaits{oncall.Outage{Team: k.Teams[a.team], Waiting: o.more[a.team]}, map[oncall.PolicyID]bool{}}
			teams[a.team] = t
		}
		t.Waiting++
		if t.Worst == "" || a.severity.Worse(t.Worst) || a.severity == t.Worst && a.title < t.Title {
			t.Worst, t.Title = a.severity, a.title
		}
		if a.severity != oncall.Low {
			t.policies[a.policy] = true
		}
	}
	return teams
}

// users returns the people paged first by the policies of the waiting alerts.
func (t *teamWaits) users(k *Snapshot, now time.Time) []oncall.UserID {
	var users []oncall.UserID
	for policy := range t.policies {
		for _, user := range k.onCall(policy, now) {
			if !slices.Contains(users, user) {
				users = append(users, user)
			}
		}
	}
	return users
}

// queueMessages queues messages to a person, once per outage and team. The caller holds the outage's mutex.
func (rc *Receiver) queueMessages(k *Snapshot, team oncall.TeamID, user oncall.UserID, w *teamWaits, now time.Time) {
	o := &rc.outage
	queued := slices.ContainsFunc(o.messages, func(one *outageMessage) bool { return one.Team == team && one.User == user })
	if queued {
		return
	}
	contacts := k.Contacts[user]
	if len(contacts) == 0 {
		contacts = []snapshotContact{{Method: oncall.MethodSlack}}
	}
	for n, c := range contacts {
		if len(o.messages) >= maxMessages {
			rc.outages.Error().Str("user", string(user)).Msg("a person was not told that alerts wait: too many messages in this outage")
			return
		}
		key := fmt.Sprintf("outage/%d/%d/%s/%d/%s", o.began.Unix(), team, user, n, rc.spool.name())
		one := &outageMessage{storedMessage: storedMessage{
			OutagePage: store.OutagePage{
				Key: key, Team: team, User: user, Method: c.Method, Outage: o.began, Waiting: w.Waiting, Title: w.Headline() + ": " + w.Title,
			},
			Address: c.Address, Severity: w.Worst, TeamName: w.Team, Due: now.Add(c.After.Duration()),
		}}
		o.messages = append(o.messages, one)
		o.unsaved = true
		rc.saveMessage(one.storedMessage)
	}
}

// saveMessage writes the state of a message to the disk.
func (rc *Receiver) saveMessage(r storedMessage) {
	if err := rc.spool.putMessage(r); err != nil {
		rc.outages.Error().Err(err).Msg("can't store a message about the outage in the spool")
	}
}

// send makes one attempt, recorded on the disk beforehand.
func (rc *Receiver) send(ctx context.Context, one *outageMessage) {
	first := one.TriedAt
	one.Attempts++
	one.TriedAt, one.Outcome = rc.Clock(), ""
	rc.saveMessage(one.storedMessage)
	receipt := rc.attempt(ctx, one.storedMessage, first)
	one.Outcome, one.Reference, one.Error = string(receipt.Outcome), receipt.Reference, ""
	line := rc.Log.Info()
	if receipt.Outcome != notify.Accepted {
		one.Error = fmt.Sprint(receipt.Err)
		line = rc.Log.Error().Err(receipt.Err)
	}
	one.Due = rc.Clock().Add(max(retryAfter, min(receipt.RetryAfter, time.Minute)))
	one.Over = receipt.Outcome == notify.Accepted || receipt.Outcome == notify.Rejected || one.Attempts >= maxAttempts
	rc.saveMessage(one.storedMessage)
	rc.metrics.messages.WithLabelValues(string(one.Method), string(receipt.Outcome)).Inc()
	line.Str("user", string(one.User)).Str("method", string(one.Method)).Str("outcome", string(receipt.Outcome)).
		Int("attempt", one.Attempts).Msg("sent a message about the database outage")
	o := &rc.outage
	o.mu.Lock()
	defer o.mu.Unlock()
	one.sending = false
	o.running--
}

// attempt sends a message, unless an earlier attempt with an unknown outcome turns out to have
// succeeded.
func (rc *Receiver) attempt(ctx context.Context, one storedMessage, since time.Time) (receipt notify.Receipt) {
	sender := notify.AbilitiesOf(rc.Senders[one.Method])
	address, ok := oncall.Unseal(rc.Secrets, one.Address)
	if one.Method == oncall.MethodSlack {
		address = string(one.User)
	}
	switch {
	case sender.Sender == nil:
		return notify.Receipt{Outcome: notify.Rejected, Err: errNoSender}
	case !ok || address == "":
		return notify.Receipt{Outcome: notify.Rejected, Err: errSealed}
	}
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			receipt = notify.Receipt{Outcome: notify.Unknown, Err: fmt.Errorf("the sender panicked: %v", p)}
		}
	}()
	m := notify.Message{
		Purpose: notify.ForOutage, Key: one.Key, To: address, Attempt: one.Attempts, Title: one.Title,
		Severity: string(one.Severity), Team: one.TeamName, Lines: []string{oncall.Outage{}.Advice()},
	}
	if one.Attempts > 1 && sender.Finder != nil {
		if found, ok, err := sender.Finder.Find(ctx, m, since); err == nil && ok {
			return found
		}
	}
	return sender.Send(ctx, m)
}

var (
	errNoSender = errors.New("there is no sender for this contact method")
	errSealed   = errors.New("its address can't be decrypted: WATCHBILL_SECRET is another one")
)
