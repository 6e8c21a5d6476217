package bot

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/notify"
)

// A socket is one of the two Socket Mode connections. Slack delivers each envelope to either of them. Two are
// needed because a client that Slack asks to reconnect hangs up before it dials again.
type socket struct {
	client  atomic.Pointer[slackcall.Socket] // the current client, which sends acknowledgements
	greeted atomic.Bool
	trouble string // the last error logged, so that it is logged once
	dials   dials
}

const (
	// slack-go doubles its pause up to five minutes; once it is longer than this, the
	// client is replaced.
	maxReconnectBackoff = 15 * time.Second
	// ackTimeout bounds the wait for slack-go to accept an acknowledgement, which could otherwise last as long
	// as an outage.
	ackTimeout = 2500 * time.Millisecond
	// flushTime is for slack-go to write the last acknowledgements before we hang up, because it doesn't report
	// when it has.
	flushTime = 200 * time.Millisecond
	// silence is how long both sockets may be down before an error is logged.
	silence    = time.Minute
	watchEvery = 5 * time.Second
	stagger    = time.Second
)

// Run listens until ctx ends. Then it admits no further envelopes, finishes those in progress, and hangs up
// once the last acknowledgement is out.
func (b *Bot) Run(ctx context.Context) error {
	listening, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	for i := range b.sockets {
		b.all.Go(func() {
			// Sockets opened at the same moment would be refreshed at the same moment.
			if sleep(listening, time.Duration(i)*stagger) {
				b.keep(listening, &b.sockets[i])
			}
		})
	}
	b.all.Go(func() { b.watch(listening) })
	b.all.Go(func() { b.backfillUsers(listening) })
	b.all.Go(func() { b.refreshHomes(listening) })
	<-ctx.Done()
	b.inFlight.drain()
	sleep(listening, flushTime)
	hangUp()
	close(b.hungUp)
	b.all.Wait()
	b.slack.Close()
	return nil
}

// watch logs an error when Slack has been unreachable for a while.
func (b *Bot) watch(ctx context.Context) {
	for quiet := time.Duration(0); sleep(ctx, watchEvery); {
		quiet += watchEvery
		if b.Connected() > 0 {
			quiet = 0
		}
		if quiet == silence {
			b.log.Error().Msg("no connection to Slack for a minute: commands and clicks don't arrive")
		}
	}
}

// keep keeps one socket connected until ctx ends.
func (b *Bot) keep(ctx context.Context, s *socket) {
	for ctx.Err() == nil {
		pause := b.connect(ctx, s)
		s.greeted.Store(false)
		sleep(ctx, pause)
	}
}

// connect runs one client until it ends or has to be replaced, and returns how long to wait before the next
// one.
func (b *Bot) connect(listening context.Context, s *socket) time.Duration {
	ctx, cancel := context.WithCancel(listening)
	defer cancel()
	client := b.slack.Socket()
	s.client.Store(client)
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	pause := time.Second + rand.N(time.Second)
	for {
		select {
		case e := <-client.Events():
			if longer, replace := b.handleSocketEvent(listening, s, e); replace {
				pause = longer
				cancel()
			}
		case err := <-ended:
			for range len(client.Events()) {
				b.handleSocketEvent(listening, s, <-client.Events())
			}
			// slack-go gives up only if retrying is useless, as with a revoked token. An admin has to act, so
			// there is no hurry.
			if err != nil && ctx.Err() == nil {
				b.logConnectError(s, err)
				pause = maxReconnectBackoff
			}
			return pause
		}
	}
}

// handleSocketEvent handles an event of slack-go. It never blocks, because slack-go answers no pings meanwhile. It reports
// whether to replace the client after a pause.
func (b *Bot) handleSocketEvent(listening context.Context, s *socket, e socketmode.Event) (pause time.Duration, replace bool) {
	switch e.Type {
	case socketmode.EventTypeHello:
		s.greeted.Store(true)
		s.dials.greeted = true
		if e.Request != nil {
			b.counted.Set(float64(e.Request.NumConnections))
		}
		if s.trouble != "" {
			s.trouble = ""
			b.log.Info().Msg("connected to Slack again")
		}
	case socketmode.EventTypeConnecting:
		s.greeted.Store(false)
		if why := s.dials.record(time.Now()); why != nil { //nolint:forbidigo // of the network, not the product's time
			b.logConnectError(s, why)
			return stormPause + rand.N(stormPause/2), true
		}
	case socketmode.EventTypeConnectionError:
		return b.connectionError(s, e)
	case socketmode.EventTypeErrorBadMessage:
		b.ackUnreadable(listening, s, e)
	case socketmode.EventTypeErrorWriteFailed:
		b.envelopes.WithLabelValues("ack", "lost").Inc()
		b.log.Warn().Msg("an acknowledgement to Slack was lost with its connection")
	case socketmode.EventTypeEventsAPI, socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive:
		b.receive(listening, s, e)
	default:
		if e.Request != nil && e.Request.EnvelopeID != "" {
			b.envelopes.WithLabelValues(string(e.Type), "unknown").Inc()
			b.all.Go(func() { b.ack(listening, s, e.Request.EnvelopeID, nil) })
		}
	}
	return 0, false
}

const (
	// More than stormDials attempts without a greeting within stormWithin are too many, and stormGreeted with
	// one: slack-go redials at once whenever Slack hangs up.
	stormDials   = 3
	stormGreeted = 10
	stormWithin  = 10 * time.Second
	stormPause   = 30 * time.Second
)

// Why a socket that keeps being disconnected waits.
var (
	errTooMany = errors.New("no more connections of this app are greeted by Slack, which allows ten: " +
		"too many instances, or another installation uses the same app token")
	errHungUp = errors.New("the connection is closed by Slack again and again")
)

// dials holds the recent connection attempts of a socket.
type dials struct {
	at      []time.Time
	greeted bool // since the first attempt
}

// record counts an attempt. The error says that there were too many in a short time, and why.
func (d *dials) record(now time.Time) error {
	d.at = slices.DeleteFunc(append(d.at, now), func(t time.Time) bool { return now.Sub(t) > stormWithin })
	if len(d.at) == 1 {
		d.greeted = false
	}
	if len(d.at) <= stormDials || d.greeted && len(d.at) <= stormGreeted {
		return nil
	}
	greeted := d.greeted
	*d = dials{}
	if greeted {
		return errHungUp
	}
	return errTooMany
}

func (b *Bot) connectionError(s *socket, e socketmode.Event) (pause time.Duration, replace bool) {
	s.greeted.Store(false)
	s.dials = dials{} // slack-go waits by itself after a failed attempt
	failed, ok := e.Data.(*slack.ConnectionErrorEvent)
	if !ok {
		return 0, false
	}
	b.logConnectError(s, failed.ErrorObj)
	if failed.Backoff <= maxReconnectBackoff {
		return 0, false
	}
	if limited := slackcall.Classify(failed.ErrorObj); limited.Outcome == notify.Throttled {
		return limited.RetryAfter() + rand.N(time.Second), true
	}
	return time.Second + rand.N(4*time.Second), true
}

// logConnectError logs why there is no connection, once per reason.
func (b *Bot) logConnectError(s *socket, err error) {
	line := b.log.Warn
	if !errors.Is(err, errTooMany) && !errors.Is(err, errHungUp) {
		classified := slackcall.Classify(err)
		if slackcall.NoToken(classified) {
			line = b.log.Error // only people can mend that
		}
		err = errors.Unwrap(classified)
	}
	if text := err.Error(); text != s.trouble {
		s.trouble = text
		line().Err(err).Msg("can't connect to Slack; trying again")
	}
}

// ackUnreadable acknowledges an envelope that slack-go can't parse, because Slack would redeliver it again and
// again. Its content is not logged, because people wrote it.
func (b *Bot) ackUnreadable(listening context.Context, s *socket, e socketmode.Event) {
	bad, ok := e.Data.(*socketmode.ErrorBadMessage)
	if !ok {
		return
	}
	var envelope struct {
		ID   string `json:"envelope_id"`
		Type string `json:"type"`
	}
	_ = json.Unmarshal(bad.Message, &envelope) // without an id there is nothing to acknowledge
	b.envelopes.WithLabelValues("unreadable", "acked").Inc()
	b.log.Warn().Err(bad.Cause).Str("type", envelope.Type).Int("bytes", len(bad.Message)).
		Msg("Slack sent something that Watchbill can't read")
	if envelope.ID != "" {
		b.all.Go(func() { b.ack(listening, s, envelope.ID, nil) })
	}
}

// ack tells Slack that an envelope has arrived.
func (b *Bot) ack(listening context.Context, s *socket, envelope string, payload any) {
	ctx, cancel := context.WithTimeout(listening, ackTimeout)
	defer cancel()
	if err := s.client.Load().Ack(ctx, envelope, payload); err != nil {
		b.envelopes.WithLabelValues("ack", "lost").Inc()
		b.log.Warn().Err(err).Msg("could not send an acknowledgement to Slack")
	}
}
