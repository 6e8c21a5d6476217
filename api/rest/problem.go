package rest

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/store"
)

// notFoundSentence answers requests for objects that don't exist or that the caller may not see, without a
// difference.
const notFoundSentence = "There is nothing like this, or it is not yours to see."

// problem converts an error to a response: a Refusal's sentence is shown, as in Slack; anything
// else is logged.
func (s *server) problem(err error) error {
	if _, ok := errors.AsType[huma.StatusError](err); ok {
		return err
	}
	if denial, ok := errors.AsType[access.Denial](err); ok {
		if denial.Act == access.See {
			return huma.NewError(http.StatusNotFound, notFoundSentence)
		}
		return huma.NewError(http.StatusForbidden, denial.Error())
	}
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return huma.NewError(http.StatusConflict, refusal.Error())
	}
	if problems, ok := errors.AsType[store.SetupProblems](err); ok {
		details := make([]error, 0, len(problems))
		for _, one := range problems {
			details = append(details, &huma.ErrorDetail{Message: one, Location: "body"})
		}
		return huma.NewError(http.StatusUnprocessableEntity, problems[0], details...)
	}
	switch {
	case errors.Is(err, oncall.ErrNotFound):
		return huma.NewError(http.StatusNotFound, notFoundSentence)
	case errors.Is(err, store.ErrStale):
		return huma.NewError(http.StatusPreconditionFailed, "It has changed since you read it, and nothing was changed; read it again.")
	case store.IsUnavailable(err):
		s.outages.Warn().Err(err).Msg("a request can't be answered")
		return huma.ErrorWithHeaders(huma.NewError(http.StatusServiceUnavailable, "The database is unavailable; try again."), http.Header{"Retry-After": {"5"}})
	}
	s.outages.Error().Err(err).Msg("a request failed")
	return huma.NewError(http.StatusInternalServerError, "Watchbill failed on this request; its log says where.")
}

// statusAndSentence returns the status and sentence of an error's response.
func statusAndSentence(err error) (status int, sentence string) {
	with, _ := errors.AsType[huma.StatusError](err)
	return with.GetStatus(), with.Error()
}

// unavailable returns the error of a request that can be retried later.
func unavailable(sentence string) error {
	return huma.ErrorWithHeaders(huma.NewError(http.StatusTooManyRequests, sentence), http.Header{"Retry-After": {"10"}})
}

// invalid returns the error of an invalid request.
func invalid(sentence string) error { return huma.NewError(http.StatusUnprocessableEntity, sentence) }

// write responds with an error before the operation is reached.
func (s *server) write(ctx huma.Context, err error) {
	if with, ok := errors.AsType[huma.HeadersError](err); ok {
		for name, values := range with.GetHeaders() {
			for _, v := range values {
				ctx.SetHeader(name, v)
			}
		}
	}
	status, sentence := statusAndSentence(err)
	writeProblem(ctx, status, sentence)
}

func writeProblem(ctx huma.Context, status int, sentence string) {
	ctx.SetHeader("Content-Type", "application/problem+json")
	ctx.SetStatus(status)
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(huma.NewError(status, sentence))
}
