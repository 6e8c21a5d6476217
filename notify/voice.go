package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	studio "github.com/twilio/twilio-go/rest/studio/v2"
)

// Voice calls people through Twilio. With a Studio flow the keys that they press are read from
// Twilio, so that nobody needs to reach us; without one people can answer only if Twilio can reach
// us.
type Voice struct{ *Twilio }

// Number returns the calling number.
func (v Voice) Number() string { return v.From }

const (
	ringFor  = 20 // seconds, to which Twilio may add 5; most voicemail answers later
	spoken   = 300
	waitKey  = 8 // seconds
	callSays = 3 // times: a phone that screens calls picks up first, and its owner hears only the rest
	longCall = 4 * time.Minute
	// farewell is how long a call lasts at most after its key.
	farewell = 30 * time.Second
	// executionPages limits how many calls are listed at once.
	executionPages = 4
)

// flowData is the data of an execution of our flow.
type flowData struct {
	Key string `json:"attempt"`
	Say string `json:"say"`
}

// Send calls one person.
func (v Voice) Send(ctx context.Context, message Message) Receipt {
	if r := v.forbidden(message.To); r != nil {
		return *r
	}
	if v.isPlainCall(message) {
		return v.call(ctx, message)
	}
	receipt, busy := v.execute(ctx, message)
	if !busy {
		return receipt
	}
	// Twilio runs one execution per phone. We wait for a call that is still going on, and end what
	// is left of an earlier one.
	lasts, err := v.endStaleExecutions(ctx, message.To)
	if lasts {
		return Receipt{Outcome: Throttled, RetryAfter: 15 * time.Second, Err: errors.New("another call to this phone lasts")}
	}
	if err == nil {
		if receipt, busy = v.execute(ctx, message); !busy {
			return receipt
		}
	}
	return v.call(ctx, message)
}

// isPlainCall reports whether to make a plain call, without the Studio flow. A call with a verification code needs no key. And
// while Studio accepts every number, Twilio refuses a plain call to an impossible number at once, so that the person
// learns of the mistake while still looking at the form.
func (v Voice) isPlainCall(m Message) bool {
	return v.Flow == "" || m.Purpose == ForVerify || m.Purpose == ForOutage
}

// execute starts the flow. It reports busy if Twilio is still running one for this phone.
func (v Voice) execute(ctx context.Context, m Message) (r Receipt, busy bool) {
	p := (&studio.CreateExecutionParams{}).SetTo(m.To).SetFrom(v.From).SetParameters(flowData{m.Key, voiceText(m, keys(m))})
	e, x, err := askStudio(ctx, v.Twilio, "start a call", func(s *studio.ApiService) (*studio.StudioV2Execution, error) {
		return s.CreateExecution(v.Flow, p)
	})
	var sid *string
	if e != nil {
		sid = e.Sid
	}
	return x.receipt(m, sid, err), x.status == http.StatusConflict
}

// endStaleExecutions ends executions that have lasted longer than any call, or whose person has answered. It reports whether another
// execution may still be a running call.
func (v Voice) endStaleExecutions(ctx context.Context, to string) (lasts bool, err error) {
	err = v.executions(ctx, v.Clock().Add(-24*time.Hour), func(execution studio.StudioV2Execution) (bool, error) {
		switch {
		case deref(execution.ContactChannelAddress) != to || deref(execution.Status) != "active":
		case v.Clock().Sub(deref(execution.DateCreated)) < longCall:
			a, err := v.callReport(ctx, deref(execution.Sid))
			if err == nil && v.isStuck(a, execution) {
				return true, v.end(ctx, deref(execution.Sid))
			}
			lasts = true
		default:
			return true, v.end(ctx, deref(execution.Sid))
		}
		return true, nil
	})
	return lasts, err
}

// executions lists the executions of our flow, newest first, until visit returns false.
func (v Voice) executions(ctx context.Context, since time.Time, visit func(studio.StudioV2Execution) (bool, error)) error {
	p := (&studio.ListExecutionParams{}).SetDateCreatedFrom(since.UTC().Truncate(time.Second)).SetPageSize(messagePage)
	token, number := "", ""
	for range executionPages {
		page, _, err := askStudio(ctx, v.Twilio, "list calls", func(s *studio.ApiService) (*studio.ListExecutionResponse, error) {
			return s.PageExecution(v.Flow, p, token, number)
		})
		if err != nil {
			return err
		}
		for _, e := range page.Executions {
			if more, err := visit(e); err != nil || !more {
				return err
			}
		}
		if token, number = nextPage(page.Meta.NextPageUrl); token == "" && number == "" {
			return nil
		}
	}
	return nil
}

// A callReport is the record of a call, from the context of its execution. Variables set by our flow take precedence over
// Twilio's own.
type callReport struct {
	Contact struct {
		Channel struct {
			Address string `json:"address"`
		} `json:"channel"`
	} `json:"contact"`
	Flow struct {
		Data      flowData          `json:"data"`
		Variables map[string]string `json:"variables"`
	} `json:"flow"`
	Widgets map[string]map[string]any `json:"widgets"`
}

// answer returns the meaning of the pressed key, or "" if none was pressed.
func (r callReport) answer() ButtonAct {
	digits, _ := r.Widgets[widgetMenu]["Digits"].(string)
	return map[string]ButtonAct{"1": Ack, "2": Resolve, "3": Escalate}[cmp.Or(r.Flow.Variables[variableKey], digits)]
}

// outcome returns how the call ended without a key.
func (r callReport) outcome() string {
	if end := r.Flow.Variables[variableEnd]; end != "" {
		return end
	}
	status, _ := r.Widgets[widgetCall]["CallStatus"].(string)
	return status
}

// isStuck reports whether an execution hangs after its person pressed a key and hung up. That happens if the call ends
// while Studio is busy, and would block the next call.
func (v Voice) isStuck(a callReport, e studio.StudioV2Execution) bool {
	last := latest(deref(e.DateCreated), deref(e.DateUpdated))
	return a.answer() != "" && deref(e.Status) == "active" && v.Clock().Sub(last) > farewell
}

// callReport reads what happened in an execution.
func (v Voice) callReport(ctx context.Context, sid string) (callReport, error) {
	var a callReport
	c, _, err := askStudio(ctx, v.Twilio, "look into a call", func(s *studio.ApiService) (*studio.StudioV2ExecutionContext, error) {
		return s.FetchExecutionContext(v.Flow, sid)
	})
	if err != nil {
		return a, err
	}
	if err := decode(c.Context, &a); err != nil {
		return a, fmt.Errorf("read the context of a call: %w", err)
	}
	return a, nil
}

// Lag returns how long a call may be missing from Twilio's list.
func (v Voice) Lag() time.Duration { return twilioLag }

// Find looks for the message's call. A plain call has no mark and is recognised by phone and time.
func (v Voice) Find(ctx context.Context, message Message, since time.Time) (Receipt, bool, error) {
	if v.isPlainCall(message) {
		return foundReceipt(v.findCall(ctx, message, since))
	}
	reference := ""
	err := v.executions(ctx, since.Add(-twilioSkew), func(e studio.StudioV2Execution) (bool, error) {
		if deref(e.ContactChannelAddress) != message.To {
			return true, nil
		}
		a, err := v.callReport(ctx, deref(e.Sid))
		if err == nil && a.Flow.Data.Key == message.Key {
			reference = deref(e.Sid)
		}
		return reference == "", err
	})
	return foundReceipt(reference, err)
}

// Track asks how a call went.
func (v Voice) Track(ctx context.Context, reference string) (Track, error) {
	if strings.HasPrefix(reference, "CA") {
		return v.trackCall(ctx, reference)
	}
	execution, x, err := v.execution(ctx, reference)
	if err != nil {
		return x.goneTrack(err)
	}
	a, err := v.callReport(ctx, reference)
	if err != nil {
		return Track{}, err
	}
	switch {
	case v.isStuck(a, *execution):
		return Track{State: Answered, Final: true}, v.end(ctx, reference)
	case a.answer() != "":
		return Track{State: Answered, Final: deref(execution.Status) != "active"}, nil
	case deref(execution.Status) == "active" && v.Clock().Sub(deref(execution.DateCreated)) < longCall:
		return Track{State: Pending}, nil
	case deref(execution.Status) == "active": // otherwise it would block the next call
		return noAnswer("nobody pressed a key"), v.end(ctx, reference)
	}
	switch a.outcome() {
	case "busy":
		return noAnswer("the phone was busy"), nil
	case "no-answer":
		return noAnswer("nobody picked up"), nil
	case "failed":
		begun := deref(execution.DateCreated)
		return v.failed(ctx, reference, begun, latest(begun, deref(execution.DateUpdated)), func() (sids []string, err error) {
			calls, err := v.callsSince(ctx, deref(execution.ContactChannelAddress), begun)
			for _, c := range calls {
				sids = append(sids, deref(c.Sid))
			}
			return sids, err
		}), nil
	}
	return noAnswer("nobody pressed a key"), nil
}

func noAnswer(why string) Track {
	return Track{State: Unanswered, Final: true, Err: errors.New(why)}
}

// Cancel ends a call that is ringing or going on.
func (v Voice) Cancel(ctx context.Context, reference string) error {
	if strings.HasPrefix(reference, "CA") {
		return v.hangUp(ctx, reference)
	}
	execution, x, err := v.execution(ctx, reference)
	if x.status == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	a, err := v.callReport(ctx, reference)
	switch {
	case err != nil:
		return err
	case a.answer() != "" || a.Flow.Variables[variableEnd] != "": // a person who has pressed a key hears the confirmation
		return nil
	}
	if deref(execution.Status) == "active" {
		if err := v.end(ctx, reference); err != nil {
			return err
		}
	}
	if sid, _ := a.Widgets[widgetCall]["CallSid"].(string); sid != "" {
		return v.hangUp(ctx, sid)
	}
	return v.hangUpFirst(ctx, a.Contact.Channel.Address, deref(execution.DateCreated))
}

// hangUpFirst ends an execution's call while the phone rings. The execution doesn't list a ringing call, so the first
// call to this phone since the execution began is taken.
func (v Voice) hangUpFirst(ctx context.Context, to string, begun time.Time) error {
	calls, err := v.callsSince(ctx, to, begun)
	switch {
	case err != nil:
		return err
	case len(calls) > 0:
		return v.hangUp(ctx, deref(calls[0].Sid))
	case v.Clock().Sub(begun) < twilioLag:
		return errors.New("the call is not listed yet")
	}
	return nil
}

// execution looks at an execution.
func (v Voice) execution(ctx context.Context, sid string) (*studio.StudioV2Execution, *exchange, error) {
	return askStudio(ctx, v.Twilio, "look at a call", func(s *studio.ApiService) (*studio.StudioV2Execution, error) {
		return s.FetchExecution(v.Flow, sid)
	})
}

// end ends an execution.
func (v Voice) end(ctx context.Context, sid string) error {
	_, _, err := askStudio(ctx, v.Twilio, "end a call", func(s *studio.ApiService) (*studio.StudioV2Execution, error) {
		return s.UpdateExecution(v.Flow, sid, (&studio.UpdateExecutionParams{}).SetStatus("ended"))
	})
	return err
}

// voiceCursor records which calls' keys have been read.
type voiceCursor struct {
	Done seen `json:"done"`           // executions with nothing more to read
	Said seen `json:"said,omitempty"` // executions whose key has been read
}

// Listen reads the keys pressed in recent calls.
func (v Voice) Listen(ctx context.Context, cursor string) ([]Answer, string, error) {
	if v.Flow == "" {
		return nil, cursor, nil
	}
	var last voiceCursor
	next := voiceCursor{Done: seen{}, Said: seen{}}
	if cursor != "" {
		if err := json.Unmarshal([]byte(cursor), &last); err != nil {
			return nil, cursor, fmt.Errorf("read the cursor: %w", v.secrets().clean(err))
		}
	}
	var replies []Answer
	err := v.executions(ctx, v.Clock().Add(-firstLook), func(execution studio.StudioV2Execution) (bool, error) {
		sid := deref(execution.Sid)
		if _, known := last.Done[sid]; known {
			return true, nil
		}
		a, err := v.callReport(ctx, sid)
		if err != nil {
			return false, err
		}
		if answer := a.answer(); answer != "" {
			next.Said[sid] = deref(execution.DateCreated)
			if _, known := last.Said[sid]; !known {
				replies = append(replies, Answer{ID: sid, From: deref(execution.ContactChannelAddress), Key: a.Flow.Data.Key, Act: answer})
			}
		}
		if v.isStuck(a, execution) && v.end(ctx, sid) == nil || deref(execution.Status) != "active" {
			next.Done[sid] = deref(execution.DateCreated)
		}
		return true, nil
	})
	if err != nil {
		return nil, cursor, err
	}
	slices.Reverse(replies)
	next.Done.add(last.Done, v.Clock().Add(-2*firstLook))
	next.Said.add(last.Said, v.Clock().Add(-2*firstLook))
	out, err := json.Marshal(next)
	if err != nil {
		return nil, cursor, fmt.Errorf("write the cursor: %w", err)
	}
	return replies, string(out), nil
}
