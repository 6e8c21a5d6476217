package notify

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// call makes a plain call: it rings and speaks, and if Twilio can reach us it takes a key.
func (v Voice) call(ctx context.Context, message Message) Receipt {
	twiml, err := v.twiml(message)
	if err != nil {
		return Receipt{Outcome: Misconfigured, Err: err}
	}
	p := (&api.CreateCallParams{}).SetTo(message.To).SetFrom(v.From).SetTimeout(ringFor).SetTwiml(twiml)
	c, x, err := askAPI(ctx, v.Twilio, "make a call", func(a *api.ApiService) (*api.ApiV2010Call, error) { return a.CreateCall(p) })
	var sid *string
	if c != nil {
		sid = c.Sid
	}
	return x.receipt(message, sid, err)
}

// The few TwiML verbs that our calls need.
type (
	twimlResponse struct {
		XMLName xml.Name `xml:"Response"`
		Gather  *twimlGather
		Say     []string
	}
	twimlGather struct {
		Action  string `xml:"action,attr"`
		Method  string `xml:"method,attr"`
		Digits  int    `xml:"numDigits,attr"`
		Timeout int    `xml:"timeout,attr"`
		Finish  string `xml:"finishOnKey,attr"`
		Say     []string
	}
)

func (v Voice) twiml(m Message) (string, error) {
	if v.Public == "" || keys(m) == "" {
		text := voiceText(m, "Look at Slack.")
		return marshalTwiML(twimlResponse{Say: []string{text, text}})
	}
	text := voiceText(m, keys(m))
	return marshalTwiML(twimlResponse{Gather: &twimlGather{
		Action: v.Public + "/v1/twilio/voice?key=" + url.QueryEscape(m.Key), Method: http.MethodPost,
		Digits: 1, Timeout: waitKey, Say: slices.Repeat([]string{text}, callSays),
	}, Say: []string{"Nothing was pressed. Goodbye."}})
}

func marshalTwiML(response twimlResponse) (string, error) {
	out, err := xml.Marshal(response)
	if err != nil {
		return "", fmt.Errorf("write the call: %w", err)
	}
	return string(out), nil
}

func (v Voice) findCall(ctx context.Context, m Message, since time.Time) (string, error) {
	calls, err := v.callsSince(ctx, m.To, since)
	if err != nil || len(calls) == 0 {
		return "", err
	}
	return deref(calls[len(calls)-1].Sid), nil
}

// trackCall asks how a plain call went. A machine may have picked up, so if the call offers keys, it
// is answered only if one was pressed.
func (v Voice) trackCall(ctx context.Context, reference string) (Track, error) {
	c, x, err := askAPI(ctx, v.Twilio, "look at a call", func(a *api.ApiService) (*api.ApiV2010Call, error) {
		return a.FetchCall(reference, nil)
	})
	if err != nil {
		return x.goneTrack(err)
	}
	switch deref(c.Status) {
	case "completed":
		if v.Public == "" {
			return Track{State: Delivered, Final: true}, nil
		}
		return noAnswer("nobody pressed a key"), nil
	case "busy":
		return noAnswer("the phone was busy"), nil
	case "no-answer":
		return noAnswer("nobody picked up"), nil
	case "failed":
		begun := twilioTime(c.DateCreated)
		return v.failed(ctx, reference, begun, latest(begun, twilioTime(c.DateUpdated)), nil), nil
	case "canceled":
		return Track{State: Failed, Final: true, Err: errors.New("the call was cancelled")}, nil
	}
	return Track{State: Pending}, nil
}

// hangUp ends a call: one that waits or rings is cancelled, one in progress is completed. It is not an
// error if it has already ended.
func (v Voice) hangUp(ctx context.Context, sid string) error {
	for _, status := range []string{"canceled", "completed"} {
		_, x, err := askAPI(ctx, v.Twilio, "hang up", func(a *api.ApiService) (*api.ApiV2010Call, error) {
			return a.UpdateCall(sid, (&api.UpdateCallParams{}).SetStatus(status))
		})
		switch {
		case err == nil || x.status == http.StatusNotFound:
			return nil
		case code(err) != notInProgress:
			return err
		}
	}
	return nil
}

// notInProgress is Twilio's code for a call whose status doesn't allow what is asked.
const notInProgress = 21220
