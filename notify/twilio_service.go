package notify

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/twilio/twilio-go/client"
	messaging "github.com/twilio/twilio-go/rest/messaging/v1"
)

// askMessaging makes one request to Twilio's API of Messaging Services.
func askMessaging[T any](ctx context.Context, t *Twilio, what string, f func(*messaging.ApiService) (T, error)) (T, *exchange, error) {
	return ask(ctx, t, what, func(h *client.RequestHandler) (T, error) { return f(messaging.NewApiService(h)) })
}

// maxServices limits how many Messaging Services are looked at for our number.
const maxServices = 20

// checkService checks whether people can answer what goes by the Messaging Service that is set, or that
// our number is in: a registered campaign needs one. It returns its SID as well.
func (t *Twilio) checkService(ctx context.Context) ([]CheckResult, string) {
	service, x, err := t.findService(ctx)
	switch {
	case err != nil && t.Service == "" && (x.status == http.StatusUnauthorized || x.status == http.StatusForbidden):
		return []CheckResult{{Note: true, Text: "the API key can't see Messaging Services", Remedy: "If " + t.From + " is in one, see that it defers to the sender's webhook: otherwise answers are dropped."}}, ""
	case err != nil:
		return []CheckResult{{Text: err.Error(), Remedy: x.remedy(err, "Check TWILIO_MESSAGING_SERVICE_SID, and give the API key access to Messaging Services.")}}, ""
	case service == nil:
		return nil, ""
	}
	name := "the Messaging Service " + oneLine(deref(service.Sid), maxName)
	hook := deref(service.InboundRequestUrl)
	var found []CheckResult
	switch {
	case deref(service.UseInboundWebhookOnNumber):
		found = append(found, CheckResult{OK: true, Text: name + " leaves answers to the number"})
	case hook == "":
		found = append(found, CheckResult{
			Text:   "Twilio drops all answers to " + name + ", without a trace",
			Remedy: "In Twilio's Console, under the service's Integration, choose \"Defer to sender's webhook\".",
		})
	case t.Public == "" || !strings.HasPrefix(hook, t.Public):
		found = append(found, CheckResult{
			Note: true, Text: name + " passes answers to another program as well",
			Remedy: "See that it sends no texts of its own; Watchbill reads the answers all the same.",
		})
	}
	senders, x, err := t.namedSenders(ctx, deref(service.Sid))
	switch {
	case err != nil:
		found = append(found, CheckResult{Note: true, Text: err.Error(), Remedy: x.remedy(err, "Give the API key access to Messaging Services.")})
	case len(senders) > 0:
		found = append(found, CheckResult{
			Text:   name + " sends as " + oneLine(strings.Join(senders, ", "), maxTitle) + ", which nobody can answer",
			Remedy: "Take the alphanumeric senders out of the service: Twilio prefers them to the number.",
		})
	}
	return found, deref(service.Sid)
}

// findService returns the configured Messaging Service, or the one that contains our number, or nil.
func (t *Twilio) findService(ctx context.Context) (*messaging.MessagingV1Service, *exchange, error) {
	if t.Service != "" {
		return askMessaging(ctx, t, "look at the Messaging Service", func(a *messaging.ApiService) (*messaging.MessagingV1Service, error) {
			return a.FetchService(t.Service)
		})
	}
	all, x, err := askMessaging(ctx, t, "list the Messaging Services", func(a *messaging.ApiService) (*messaging.ListServiceResponse, error) {
		return a.PageService((&messaging.ListServiceParams{}).SetPageSize(maxServices), "", "")
	})
	if err != nil {
		return nil, x, err
	}
	for _, s := range all.Services {
		numbers, x, err := t.numbersOf(ctx, deref(s.Sid))
		if err != nil {
			return nil, x, err
		}
		if slices.Contains(numbers, t.From) {
			return &s, x, nil
		}
	}
	return nil, x, nil
}

// namedSenders lists a service's senders that are names.
func (t *Twilio) namedSenders(ctx context.Context, service string) (names []string, x *exchange, err error) {
	alpha, x, err := askMessaging(ctx, t, "list the alphanumeric senders", func(a *messaging.ApiService) (*messaging.ListAlphaSenderResponse, error) {
		return a.PageAlphaSender(service, (&messaging.ListAlphaSenderParams{}).SetPageSize(messagePage), "", "")
	})
	if err != nil {
		return nil, x, err
	}
	for _, s := range alpha.AlphaSenders {
		names = append(names, deref(s.AlphaSender))
	}
	byCountry, x, err := askMessaging(ctx, t, "list the countries' alphanumeric senders", func(a *messaging.ApiService) (*messaging.ListDestinationAlphaSenderResponse, error) {
		return a.PageDestinationAlphaSender(service, (&messaging.ListDestinationAlphaSenderParams{}).SetPageSize(messagePage), "", "")
	})
	if err != nil {
		return nil, x, err
	}
	for _, s := range byCountry.AlphaSenders {
		names = append(names, deref(s.AlphaSender))
	}
	return names, x, nil
}
