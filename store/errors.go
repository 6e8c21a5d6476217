package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// ErrUnavailable says that the database can't be reached or is not answering.
var ErrUnavailable = errors.New("the database is unavailable")

// ErrGone says that a Slack message no longer exists.
var ErrGone = errors.New("the Slack message is gone")

// ErrFrozen says that a Slack message is there and can't be edited, as in an archived channel.
var ErrFrozen = errors.New("the Slack message can't be edited")

// translate turns what the driver says into the errors that callers look for. It is called once for
// each transaction; a Refusal and anything unknown pass as they are.
func translate(err error) error {
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return oncall.ErrNotFound
	case unreachable(err):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// Away reports whether an error says that the database can't be reached or is not answering, also where it is the
// driver's own.
func Away(err error) bool { return errors.Is(err, ErrUnavailable) || unreachable(err) }

// unreachable reports whether the error is about the way to the database or about the server as a
// whole, not about what it was asked.
func unreachable(err error) bool {
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case strings.HasPrefix(answer.Code, "08"), // connection exception
			strings.HasPrefix(answer.Code, "53"),  // disk full, out of memory, too many connections
			strings.HasPrefix(answer.Code, "57P"), // shutdown, crash, starting up, database dropped
			answer.Code == "25006":                // read only: a standby
			return true
		}
		return false
	}
	if errors.Is(err, context.Canceled) {
		return false
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err) // a deadline that has passed is one too
	return connecting || network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		err != nil && strings.Contains(err.Error(), "conn closed") // pgconn keeps that error to itself
}

// malformed reports whether the database refuses the data themselves, so that trying again is
// useless: a value out of range, a broken constraint, a row that is too long for an index.
func malformed(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(answer.Code, "22") || strings.HasPrefix(answer.Code, "23") ||
		strings.HasPrefix(answer.Code, "54"))
}

// wrap adds what was being done; a Refusal stays as it is, for it is shown to a person.
func wrap(err error, format string, args ...any) error {
	if denial, ok := errors.AsType[access.Denial](err); ok {
		return denial
	}
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return refusal
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

// wrapAny is wrap for an error that may be nil.
func wrapAny(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return wrap(err, format, args...)
}
