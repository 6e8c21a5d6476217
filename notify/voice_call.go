package notify

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// call makes a plain call: it rings and speaks, and if Twilio can reach us it takes a key.
func (v Voice) call(ctx context.Context, m Message) Receipt {
	twiml, err := v.twiml(m)
	if err != nil {
		return Receipt{Outcome: Misconfigured, Err: err}
	}
	p := (&api.CreateCallParams{}).SetTo(m.To).SetFrom(v.From).SetTimeout(ringFor).SetTwiml(twiml)
	c, x, err := askAPI(ctx, v.Twilio, "make a call", func(a *api.ApiService) (*api.ApiV2010Call, error) { return a.CreateCall(p) })
	var sid *string
	if c != nil {
		sid = c.Sid
	}
	return x.receipt(m, sid, err)
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
		Digits: 1, Timeout: waitKey, Say: []string{text, text},
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
	p := (&api.ListCallParams{}).SetTo(m.To).SetFrom(v.From).SetPageSize(messagePage)
	page, _, err := askAPI(ctx, v.Twilio, "list calls", func(a *api.ApiService) (*api.ListCallResponse, error) {
		return a.PageCall(p, "", "")
	})
	if err != nil {
		return "", err
	}
	for _, c := range page.Calls {
		if !twilioTime(c.DateCreated).Before(since.Truncate(time.Second)) && value(c.Direction) != "inbound" {
			return value(c.Sid), nil
		}
	}
	return "", nil
}

// trackCall asks how a plain call went. A machine may have picked up, so if the call offers keys, it
// is answered only if one was pressed.
func (v Voice) trackCall(ctx context.Context, reference string) (Track, error) {
	c, x, err := askAPI(ctx, v.Twilio, "look at a call", func(a *api.ApiService) (*api.ApiV2010Call, error) {
		return a.FetchCall(reference, nil)
	})
	if err != nil {
		return x.gone(err)
	}
	switch value(c.Status) {
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
		return Track{State: Failed, Final: true, Err: errors.New("the call could not be made")}, nil
	case "canceled":
		return Track{State: Failed, Final: true, Err: errors.New("the call was cancelled")}, nil
	}
	return Track{State: Pending}, nil
}

// hangUp ends a call. It is not an error if it has already ended.
func (v Voice) hangUp(ctx context.Context, sid string) error {
	_, x, err := askAPI(ctx, v.Twilio, "hang up", func(a *api.ApiService) (*api.ApiV2010Call, error) {
		return a.UpdateCall(sid, (&api.UpdateCallParams{}).SetStatus("completed"))
	})
	if x.status == http.StatusNotFound || code(err) == 21220 { // already ended
		return nil
	}
	return err
}
