package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/answers"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const (
	// listenOften and listenSeldom are how often a provider is asked for answers while somebody may
	// answer, and otherwise.
	listenOften  = 5 * time.Second
	listenSeldom = time.Minute
	// listenLimit limits one request, which a provider may keep open until there is an answer.
	listenLimit = 50 * time.Second
)

// listen carries out what people answer by one contact method, until ctx ends. Only one of all
// instances listens: the one that holds a name, which another takes over when its session ends.
func (j *Jobs) listen(ctx context.Context, method oncall.Method, from notify.Listener) {
	for failing := false; ctx.Err() == nil; {
		err := j.listenInTurn(ctx, method, from)
		switch {
		case errors.Is(err, store.ErrTaken) || ctx.Err() != nil:
		case err != nil && !failing:
			j.log.Error().Err(err).Str("method", string(method)).Msg("can't read what people answer; it will be tried again")
			failing = true
		case err == nil:
			failing = false
		}
		pause(ctx, listenOften)
	}
}

// pause waits by the machine's clock, because nothing tells us when a provider has answers or when
// the database is back.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// listenInTurn listens as long as it is this instance's turn.
func (j *Jobs) listenInTurn(ctx context.Context, method oncall.Method, from notify.Listener) error {
	claim, cancel := context.WithTimeout(ctx, claimLimit)
	turn, err := j.store.HoldInstance(claim, "replies by "+string(method))
	cancel()
	if err != nil {
		return err
	}
	defer turn.Release()
	ctx, cancel = whileHeld(ctx, turn)
	defer cancel()
	for ctx.Err() == nil {
		next := time.NewTimer(listenOften)
		if err := j.hear(ctx, method, from); err != nil {
			next.Stop()
			return err
		}
		if err := j.idle(ctx, method, next); err != nil {
			return err
		}
	}
	return nil
}

// idle waits until it is time to ask the provider again, which is soon if somebody may answer.
func (j *Jobs) idle(ctx context.Context, method oncall.Method, next *time.Timer) error {
	defer next.Stop()
	for waited := time.Duration(0); waited < listenSeldom; waited += listenOften {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
			next.Reset(listenOften)
		}
		awaits, err := j.store.Awaits(ctx, method, j.clock())
		if err != nil || awaits {
			return err
		}
	}
	return nil
}

// hear asks a provider once, and carries out the answers.
func (j *Jobs) hear(ctx context.Context, method oncall.Method, from notify.Listener) error {
	cursor, err := j.store.Cursor(ctx, method)
	if err != nil {
		return err
	}
	var replies []notify.Reply
	var next string
	err = guarded(ctx, listenLimit, func(ctx context.Context) (err error) {
		replies, next, err = from.Listen(ctx, cursor)
		return err
	})
	if err != nil {
		return fmt.Errorf("ask for answers: %w", err)
	}
	for _, r := range replies {
		if err := j.reply(ctx, method, r); err != nil {
			return err
		}
	}
	if next == cursor {
		return nil
	}
	return j.store.SaveCursor(ctx, method, next)
}

// asks translates what a button or key stands for into a request.
func asks(what notify.Act, code int) oncall.Reply {
	act := map[notify.Act]oncall.ActKind{
		notify.Ack: oncall.ActAck, notify.Resolve: oncall.ActResolve, notify.Escalate: oncall.ActEscalate, notify.Decline: oncall.ActDecline,
	}[what]
	return oncall.Reply{Kind: oncall.ReplyAct, Act: act, Code: code}
}

// reply does what one person has answered, and says so.
func (j *Jobs) reply(ctx context.Context, method oncall.Method, r notify.Reply) error {
	a := oncall.Answer{
		Method: method, ID: r.ID, From: r.From, Token: r.Token, Message: oncall.ParseMessageKey(r.Key), Text: r.Text,
	}
	if r.Act != "" {
		a.Reply = asks(r.Act, r.Code)
	}
	said, err := answers.Take(ctx, j.store.Store, a, j.clock())
	if err != nil {
		return err
	}
	j.metrics.replies.WithLabelValues(string(method)).Inc()
	if said.Text == "" || said.Again || r.From == "" || !method.Info().Replied { // nobody wants to be called to hear that
		return nil
	}
	receipt := send(ctx, j.senders[method], notify.Message{
		Purpose: notify.ForAnswer, Key: "answer/" + r.ID, To: r.From, Attempt: 1, Title: said.Text, Expires: j.clock().Add(neededFor),
	})
	if receipt.Outcome != notify.Accepted { // it is done all the same
		j.log.Warn().Err(receipt.Err).Str("method", string(method)).Msg("an answer was not answered")
	}
	return nil
}
