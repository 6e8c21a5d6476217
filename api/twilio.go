package api

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/twilio/twilio-go/client"

	"github.com/watchbill/watchbill/answers"
	"github.com/watchbill/watchbill/oncall"
)

// Twilio holds what is needed to verify that a webhook comes from Twilio.
type Twilio struct {
	Tokens []string // auth tokens of the account that may have signed; none: no webhooks
	Public string   // the base address that Twilio calls, without a trailing slash
}

const (
	twilioTimeout = 10 * time.Second // Twilio itself waits 15
	twilioBody    = 64 << 10
)

// The TwiML elements that replies use.
type (
	twiml struct {
		XMLName xml.Name     `xml:"Response"`
		Message string       `xml:",omitempty"`
		Gather  *twimlGather `xml:",omitempty"`
		Say     string       `xml:",omitempty"`
	}
	twimlGather struct {
		Action  string `xml:"action,attr"`
		Digits  int    `xml:"numDigits,attr"`
		Timeout int    `xml:"timeout,attr"`
		Say     string
	}
)

// twilioRoutes adds addresses only if Twilio can reach this server. Otherwise answers are polled from
// Twilio's API.
func (s *server) twilioRoutes(mux *http.ServeMux) {
	if len(s.Twilio.Tokens) == 0 || s.Twilio.Public == "" {
		return
	}
	mux.HandleFunc("POST /v1/twilio/sms", s.twilioSigned(s.twilioSMS))
	mux.HandleFunc("POST /v1/twilio/voice", s.twilioSigned(s.twilioVoice))
}

// twilioSigned admits only requests that Twilio signed. The signature covers the public address, even
// if a proxy rewrote it, and only the first value of a repeated parameter, so requests with a second
// value are refused.
func (s *server) twilioSigned(do func(ctx context.Context, r *http.Request, form url.Values) (*twiml, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), twilioTimeout)
		defer cancel()
		arrived := bodyWithin(w, r, formTimeout)
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, twilioBody))
		arrived()
		if err != nil {
			w.Header().Set("Connection", "close")
			newProblem(http.StatusBadRequest, "The body can't be read, or is too large.").write(w)
			return
		}
		form, err := url.ParseQuery(string(body))
		if err != nil || !s.fromTwilio(r, body, form) {
			newProblem(http.StatusForbidden, "The signature is not that of the configured Twilio account for this address; check WATCHBILL_PUBLIC_URL and TWILIO_AUTH_TOKEN.").write(w)
			return
		}
		out, err := do(ctx, r, form)
		switch {
		case err != nil:
			s.outages.Error().Err(err).Msg("can't handle an answer from Twilio")
			unavailable("The answer could not be taken; it is read again later.").write(w)
		case out == nil: // Twilio treats an empty 200 as an error
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Content-Type", "application/xml; charset=utf-8")
			_ = xml.NewEncoder(w).Encode(out) // an error means that the client is gone
		}
	}
}

func (s *server) fromTwilio(r *http.Request, body []byte, form url.Values) bool {
	for _, values := range form {
		if len(values) != 1 {
			return false
		}
	}
	good := false
	for _, token := range s.Twilio.Tokens {
		validator := client.NewRequestValidator(token)
		good = good || validator.ValidateBody(s.Twilio.Public+r.RequestURI, body, r.Header.Get("X-Twilio-Signature"))
	}
	return good
}

// twilioSMS handles a message sent to our number. The same message is also polled from Twilio's list,
// and whichever arrives first counts. Twilio's other messengers put a prefix in From, such as
// "whatsapp:". Watchbill has no method for them, so such a message is not matched to a person.
func (s *server) twilioSMS(ctx context.Context, _ *http.Request, form url.Values) (*twiml, error) {
	reply, err := answers.Handle(ctx, s.System.Store, oncall.Answer{
		Method: oncall.MethodSMS, ID: form.Get("MessageSid"), From: form.Get("From"), Text: form.Get("Body"),
	}, s.Clock())
	if err != nil || reply.Text == "" || reply.Repeated {
		return nil, err
	}
	return &twiml{Message: reply.Text}, nil
}

// keyActs maps a pressed key to an answer.
var keyActs = map[string]oncall.ActKind{"1": oncall.ActAck, "2": oncall.ActResolve, "3": oncall.ActEscalate}

// twilioVoice handles a key pressed during a call. The signed address identifies the message that the key answers.
func (s *server) twilioVoice(ctx context.Context, r *http.Request, form url.Values) (*twiml, error) {
	means, known := keyActs[form.Get("Digits")]
	if !known {
		return &twiml{Gather: &twimlGather{
			Action: s.Twilio.Public + r.RequestURI, Digits: 1, Timeout: 8,
			Say: "Press 1 to acknowledge, 2 to resolve, 3 to escalate.",
		}, Say: "Nothing was pressed. Goodbye."}, nil
	}
	reply, err := answers.Handle(ctx, s.System.Store, oncall.Answer{
		Method: oncall.MethodVoice, ID: form.Get("CallSid") + " " + form.Get("Digits"), From: form.Get("To"),
		Message: oncall.ParseMessageKey(r.URL.Query().Get("key")), Intent: oncall.Intent{Kind: oncall.IntentAct, Act: means},
	}, s.Clock())
	if err != nil {
		return nil, err
	}
	if reply.Text == "" || reply.Repeated {
		reply.Text = "Thank you."
	}
	return &twiml{Say: reply.Text + " Goodbye."}, nil
}
