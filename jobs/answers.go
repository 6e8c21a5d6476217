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
	// listenOften is how often a provider is asked for answers while people may answer, and listenSeldom
	// is how often otherwise.
	listenOften  = 5 * time.Second
	listenSeldom = time.Minute
	// unreadableAfter is how long a provider's answers may be unreadable before the admins are told. An
	// answer that can't be carried out is retried for just as long, and at least answerTries times.
	unreadableAfter = time.Minute
	answerTries     = 5
	// listenLimit limits one request, which a provider may hold open until an answer arrives.
	listenLimit = 50 * time.Second
)

// listen carries out the answers that people send by one contact method, until ctx ends. Only one instance listens:
// the one that has claimed the task's name. Another can claim the name when that session ends.
func (j *Jobs) listen(ctx context.Context, method oncall.Method, from notify.Listener) {
	for failing := false; ctx.Err() == nil; {
		err := j.listenAsHolder(ctx, method, from)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, store.ErrNameTaken):
			j.metrics.unreadable.WithLabelValues(string(method)).Set(0)
		case err != nil && !failing:
			j.log.Error().Err(err).Str("method", string(method)).Msg("can't read what people answer; it will be tried again")
			failing = true
		case err == nil:
			failing = false
		}
		pause(ctx, listenOften)
	}
}

// pause waits by the machine's clock, because neither the provider nor the database announces new
// answers.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// listenAsHolder listens while this instance holds the task's name. If the provider can't be read for
// a minute, the admins are told, because people's answers have no effect. Then another instance may
// try.
func (j *Jobs) listenAsHolder(ctx context.Context, method oncall.Method, from notify.Listener) error {
	claim, cancel := context.WithTimeout(ctx, claimLimit)
	name, err := j.store.ClaimInstance(claim, store.AnswersClaim(method))
	cancel()
	if err != nil {
		return err
	}
	defer name.Release()
	ctx, cancel = whileClaimed(ctx, name)
	defer cancel()
	rd := &answerReader{jobs: j, method: method, from: from, failed: map[string]answerFailure{}}
	for ctx.Err() == nil {
		next := time.NewTimer(listenOften)
		err := rd.poll(ctx)
		if unread, ok := errors.AsType[unreadError](err); ok {
			next.Stop()
			if err := rd.unreadable(ctx, unread); err != nil {
				return err
			}
			pause(ctx, listenOften)
			continue
		}
		if err != nil {
			next.Stop()
			return err
		}
		rd.since = time.Time{}
		j.metrics.unreadable.WithLabelValues(string(method)).Set(0)
		if err := j.awaitNextPoll(ctx, method, next); err != nil {
			return err
		}
	}
	return nil
}

// An unreadError means that a provider's answers could not be read.
type unreadError struct{ error }

func (e unreadError) Unwrap() error { return e.error }

// An answerReader reads one contact method's answers while an instance listens.
type answerReader struct {
	jobs   *Jobs
	method oncall.Method
	from   notify.Listener
	since  time.Time                // when reading began to fail; zero: reading works
	failed map[string]answerFailure // answers that couldn't be carried out, by their ID
}

// An answerFailure counts the attempts at an answer that can't be carried out.
type answerFailure struct {
	tries   int
	first   time.Time
	givenUp bool // no further attempts
}

// unreadable handles a provider whose answers can't be read. After the last attempt it returns the
// error.
func (rd *answerReader) unreadable(ctx context.Context, err unreadError) error {
	now := rd.jobs.clock()
	if rd.since.IsZero() {
		rd.since = now
		rd.jobs.log.Error().Err(err).Str("method", string(rd.method)).Msg("can't read what people answer; it will be tried again")
	}
	if ctx.Err() != nil || now.Sub(rd.since) < unreadableAfter {
		return nil //nolint:nilerr // another instance takes over, so the admins are not told
	}
	rd.jobs.metrics.unreadable.WithLabelValues(string(rd.method)).Set(1)
	return errors.Join(err, rd.jobs.store.NotifyUnreadAnswers(ctx, rd.method, err.Error(), now))
}

// awaitNextPoll waits until it is time to ask the provider again, which is soon if somebody may answer.
func (j *Jobs) awaitNextPoll(ctx context.Context, method oncall.Method, next *time.Timer) error {
	defer next.Stop()
	for waited := time.Duration(0); waited < listenSeldom; waited += listenOften {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
			next.Reset(listenOften)
		}
		awaits, err := j.store.AwaitsAnswers(ctx, method, j.clock())
		if err != nil || awaits {
			return err
		}
	}
	return nil
}

// poll asks a provider once and carries out the answers. An answer that fails doesn't stop the ones
// after it. It is retried as long as the cause probably isn't the answer itself.
func (rd *answerReader) poll(ctx context.Context) error {
	cursor, err := rd.jobs.store.AnswerCursor(ctx, rd.method)
	if err != nil {
		return err
	}
	var given []notify.Answer
	var next string
	err = guarded(ctx, "listener", listenLimit, func(ctx context.Context) (err error) {
		given, next, err = rd.from.Listen(ctx, cursor)
		return err
	})
	if err != nil {
		return unreadError{fmt.Errorf("ask for answers: %w", err)}
	}
	again := false
	for _, r := range given {
		err := rd.jobs.answer(ctx, rd.method, r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		again = rd.retry(r.ID, err) || again
	}
	if next == cursor || again {
		return nil
	}
	clear(rd.failed)
	return rd.jobs.store.SaveAnswerCursor(ctx, rd.method, next)
}

// retry records whether an answer could be carried out, and reports whether to retry it.
func (rd *answerReader) retry(id string, err error) bool {
	if err == nil {
		delete(rd.failed, id)
		return false
	}
	f, now := rd.failed[id], rd.jobs.clock()
	if f.tries++; f.tries == 1 {
		f.first = now
		rd.jobs.log.Error().Err(err).Str("method", string(rd.method)).Str("id", id).Msg("an answer can't be carried out; it will be tried again")
	}
	if !f.givenUp && f.tries >= answerTries && now.Sub(f.first) >= unreadableAfter {
		f.givenUp = true
		rd.jobs.log.Error().Err(err).Str("method", string(rd.method)).Str("id", id).Msg("an answer is given up")
		rd.jobs.metrics.givenUp.WithLabelValues(string(rd.method)).Inc()
	}
	rd.failed[id] = f
	return !f.givenUp
}

// intentOf returns the intent behind a button or key.
func intentOf(what notify.ButtonAct, code int) oncall.Intent {
	act := map[notify.ButtonAct]oncall.ActKind{
		notify.Ack: oncall.ActAck, notify.Resolve: oncall.ActResolve, notify.Escalate: oncall.ActEscalate, notify.Decline: oncall.ActDecline,
	}[what]
	return oncall.Intent{Kind: oncall.IntentAct, Act: act, Code: code}
}

// answer carries out one person's answer and sends them the result.
func (j *Jobs) answer(ctx context.Context, method oncall.Method, r notify.Answer) error {
	a := oncall.Answer{
		Method: method, ID: r.ID, From: r.From, Token: r.Token, Message: oncall.ParseMessageKey(r.Key), Text: r.Text,
	}
	if r.Act != "" {
		a.Intent = intentOf(r.Act, r.Code)
	}
	response, err := answers.Handle(ctx, j.store.Store, a, j.clock())
	if err != nil {
		return err
	}
	j.metrics.replies.WithLabelValues(string(method)).Inc()
	if response.Text == "" || response.Repeated || r.From == "" || !method.Info().Replied { // nobody wants a phone call with the result
		return nil
	}
	receipt := send(ctx, j.senders[method], notify.Message{
		Purpose: notify.ForResponse, Key: "answer/" + r.ID, To: r.From, Attempt: 1, Title: response.Text, Expires: j.clock().Add(usefulFor),
	})
	if receipt.Outcome != notify.Accepted { // the answer still took effect
		j.log.Warn().Err(receipt.Err).Str("method", string(method)).Msg("an answer was not answered")
	}
	return nil
}
