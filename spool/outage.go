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
	maxTracked = 20_000 // alerts tracked one by one
	maxTold    = 500    // messages
	toldTries  = 5      // attempts per message
	retryAfter = 15 * time.Second
	sendLimit  = 20 * time.Second
)

// An outage is a period without the database, and the alerts that wait for its end.
type outage struct {
	mu      sync.Mutex
	since   time.Time // zero: the database answers
	ended   time.Time // when the database last came back
	began   time.Time // start of the first of several outages that count as one for people
	waiting map[alertKey]waitingAlert
	more    map[oncall.TeamID]int // alerts beyond maxTracked
	orders  []*order
	sending sync.WaitGroup
	running int
	unsaved bool // some messages are not in the database yet
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

// An order is one message to one person.
type order struct {
	record
	running bool
}

// A record is an order as stored on the disk.
type record struct {
	store.OutagePage
	Address  string          `json:"address,omitempty"` // encrypted
	Severity oncall.Severity `json:"severity"`
	TeamName string          `json:"team_name"`
	Due      time.Time       `json:"due"`
	Over     bool            `json:"over"`
}

// away returns since when the database has been unavailable.
func (o *outage) away() (since time.Time, away bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.since, !o.since.IsZero()
}

// gone records that the database doesn't answer, and reports whether that is news.
func (o *outage) gone(d *Receiver, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.since.IsZero() {
		return false
	}
	o.since = now
	if o.began.IsZero() || now.Sub(o.ended) > oncall.OutagePause {
		o.began, o.orders = now, nil
		if err := d.spool.forgetTold(); err != nil {
			d.Log.Error().Err(err).Msg("can't clear the spool's messages of the last outage")
		}
	}
	return true
}

// back records that the database answers.
func (o *outage) back(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.since.IsZero() {
		o.since, o.ended = time.Time{}, now
	}
}

// over records that nothing is waiting any more.
func (o *outage) over(now time.Time) {
	o.back(now)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting, o.more = nil, nil
}

// toWriteDown reports whether messages have to be saved to the database, and whether they can be
// forgotten here afterwards.
func (o *outage) toWriteDown(now time.Time) (save, forget bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.running > 0 || !o.since.IsZero() {
		return false, false
	}
	return o.unsaved, len(o.orders) > 0 && now.Sub(o.ended) > oncall.OutagePause
}

func (o *outage) wroteDown(forgot bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unsaved = false
	if forgot {
		o.orders = nil
	}
}

func (o *outage) wait() { o.sending.Wait() }

// note tracks the alerts that signals open and resolve.
func (o *outage) note(k *Known, id oncall.IntegrationID, signals []oncall.Signal, at time.Time) {
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
			o.fires(in, s, became[i], at)
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
func (o *outage) load(d *Receiver) {
	err := d.spool.Each(func(r store.SpooledRequest) {
		var signals []oncall.Signal
		for _, text := range r.Signals {
			var s oncall.Signal
			if json.Unmarshal(text, &s) == nil {
				signals = append(signals, s)
			}
		}
		o.note(d.known.Load(), r.Integration, signals, r.At)
	})
	records, toldErr := d.spool.told()
	if err := errors.Join(err, toldErr); err != nil {
		d.Log.Error().Err(err).Msg("the spool can't be read")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range records { // the same outage, until the database has been reached
		o.orders = append(o.orders, &order{record: r})
		o.began, o.ended, o.unsaved = r.Outage, d.Clock(), true
	}
}

// tell messages people about waiting alerts, once the database has been away long enough.
func (d *Receiver) tell(ctx context.Context) {
	o, now, known := &d.outage, d.Clock(), d.known.Load()
	o.mu.Lock()
	defer o.mu.Unlock()
	if known == nil || o.since.IsZero() || now.Sub(o.since) < oncall.OutageGrace {
		return
	}
	for team, waits := range o.byTeam(known, now) {
		for _, user := range waits.users(known, now) {
			d.order(known, team, user, waits, now)
		}
	}
	for _, one := range o.orders {
		if one.running || one.Over || now.Before(one.Due) {
			continue
		}
		one.running = true
		o.running++
		o.sending.Go(func() { d.send(ctx, one) })
	}
}

// teamWaits sums up the alerts that wait for a team.
type teamWaits struct {
	oncall.Outage
	policies map[oncall.PolicyID]bool
}

// byTeam sums up the waiting alerts of each team that has any worth a page. The caller holds o.mu.
func (o *outage) byTeam(k *Known, now time.Time) map[oncall.TeamID]*teamWaits {
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

// users are the people whom the policies of the waiting alerts page first.
func (t *teamWaits) users(k *Known, now time.Time) []oncall.UserID {
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

// order queues messages to a person, once per outage and team. The caller holds the outage's mutex.
func (d *Receiver) order(k *Known, team oncall.TeamID, user oncall.UserID, w *teamWaits, now time.Time) {
	o := &d.outage
	queued := slices.ContainsFunc(o.orders, func(one *order) bool { return one.Team == team && one.User == user })
	if queued {
		return
	}
	contacts := k.Contacts[user]
	if len(contacts) == 0 {
		contacts = []knownContact{{Method: oncall.MethodSlack}}
	}
	for n, c := range contacts {
		if len(o.orders) >= maxTold {
			d.outages.Error().Str("user", string(user)).Msg("a person was not told that alerts wait: too many messages in this outage")
			return
		}
		key := fmt.Sprintf("outage/%d/%d/%s/%d/%s", o.began.Unix(), team, user, n, d.spool.name())
		one := &order{record: record{
			OutagePage: store.OutagePage{
				Key: key, Team: team, User: user, Method: c.Method, Outage: o.began, Waiting: w.Waiting, Title: w.Headline() + ": " + w.Title,
			},
			Address: c.Address, Severity: w.Worst, TeamName: w.Team, Due: now.Add(c.After.Duration()),
		}}
		o.orders = append(o.orders, one)
		o.unsaved = true
		d.note(one.record)
	}
}

// note writes the state of a message to the disk.
func (d *Receiver) note(r record) {
	if err := d.spool.tell(r); err != nil {
		d.outages.Error().Err(err).Msg("can't store a message about the outage in the spool")
	}
}

// send makes one attempt, recorded on the disk beforehand.
func (d *Receiver) send(ctx context.Context, one *order) {
	first := one.TriedAt
	one.Attempts++
	one.TriedAt, one.Outcome = d.Clock(), ""
	d.note(one.record)
	r := d.attempt(ctx, one.record, first)
	one.Outcome, one.Reference, one.Error = string(r.Outcome), r.Reference, ""
	line := d.Log.Info()
	if r.Outcome != notify.Accepted {
		one.Error = fmt.Sprint(r.Err)
		line = d.Log.Error().Err(r.Err)
	}
	one.Due = d.Clock().Add(max(retryAfter, min(r.RetryAfter, time.Minute)))
	one.Over = r.Outcome == notify.Accepted || r.Outcome == notify.Rejected || one.Attempts >= toldTries
	d.note(one.record)
	d.metrics.told.WithLabelValues(string(one.Method), string(r.Outcome)).Inc()
	line.Str("user", string(one.User)).Str("method", string(one.Method)).Str("outcome", string(r.Outcome)).
		Int("attempt", one.Attempts).Msg("sent a message about the database outage")
	o := &d.outage
	o.mu.Lock()
	defer o.mu.Unlock()
	one.running = false
	o.running--
}

// attempt sends a message, unless an earlier attempt with an unknown outcome turns out to have
// succeeded.
func (d *Receiver) attempt(ctx context.Context, one record, since time.Time) (r notify.Receipt) {
	sender := notify.AbilitiesOf(d.Senders[one.Method])
	address, ok := oncall.Unseal(d.Secrets, one.Address)
	if one.Method == oncall.MethodSlack {
		address = string(one.User)
	}
	switch {
	case sender.Sender == nil:
		return notify.Receipt{Outcome: notify.Rejected, Err: errNobody}
	case !ok || address == "":
		return notify.Receipt{Outcome: notify.Rejected, Err: errSealed}
	}
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			r = notify.Receipt{Outcome: notify.Unknown, Err: fmt.Errorf("the sender panicked: %v", p)}
		}
	}()
	m := notify.Message{
		Purpose: notify.ForOutage, Key: one.Key, To: address, Attempt: one.Attempts, Title: one.Title,
		Severity: string(one.Severity), Team: one.TeamName, Lines: []string{oncall.Outage{}.Advice()},
	}
	if one.Attempts > 1 && sender.Finder != nil {
		if found, is, err := sender.Finder.Find(ctx, m, since); err == nil && is {
			return found
		}
	}
	return sender.Send(ctx, m)
}

var (
	errNobody = errors.New("there is no sender for this contact method")
	errSealed = errors.New("its address can't be decrypted: WATCHBILL_SECRET is another one")
)
