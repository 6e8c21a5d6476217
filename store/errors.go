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

// ErrFrozen says that a Slack message exists but can't be edited, for instance in an archived channel.
var ErrFrozen = errors.New("the Slack message can't be edited")

// translate turns the driver's errors into the errors that callers check for. It is called once for each
// transaction. A Refusal and any unknown error pass unchanged.
func translate(err error) error {
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return oncall.ErrNotFound
	case unreachable(err):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// IsUnavailable reports whether an error, translated or the driver's own, means that the database can't be reached or is
// not answering.
func IsUnavailable(err error) bool { return errors.Is(err, ErrUnavailable) || unreachable(err) }

// unreachable reports whether the error concerns the connection or the server as a whole, and not the statement
// that was sent.
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
	_, network := errors.AsType[net.Error](err) // includes a deadline that has passed
	return connecting || network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		err != nil && strings.Contains(err.Error(), "conn closed") // pgconn doesn't export that error
}

// Malformed reports whether the database refuses the data as such, so that a retry is useless: a value out of
// range, a violated constraint, a row that is too long for an index.
func Malformed(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(answer.Code, "22") || strings.HasPrefix(answer.Code, "23") ||
		strings.HasPrefix(answer.Code, "54"))
}

// wrap adds context to an error. A Refusal stays unchanged, because a person will read it.
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
