package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	monitor "github.com/twilio/twilio-go/rest/monitor/v1"
)

const (
	// alertLag is how long we wait for an alert that says why a call could not be made.
	alertLag = 10 * time.Second
	// alertSkew is how much earlier than its call an alert may be dated.
	alertSkew = time.Minute
	// alertPage limits how many alerts of the account are read.
	alertPage = 200
)

// failed returns the track of a call that could not be made. Only Twilio's alerts have the reason. The alert is about
// the execution if Twilio didn't begin the call, or else about one of the calls.
func (v Voice) failed(ctx context.Context, resource string, begun, ended time.Time, calls func() ([]string, error)) Track {
	unclear := Track{State: Failed, Final: true, Err: errors.New("the call could not be made")}
	alerts, err := v.alerts(ctx, begun.Add(-alertSkew))
	if err != nil { // as with a key that may not see them
		return unclear
	}
	number := alerts[resource]
	if number == 0 && calls != nil {
		made, err := calls()
		if err != nil {
			return unclear
		}
		for _, sid := range made {
			number = cmp.Or(number, alerts[sid])
		}
	}
	if number == 0 {
		if v.Clock().Sub(ended) < alertLag {
			return Track{State: Pending}
		}
		return unclear
	}
	why := cmp.Or(faults[number].why, "the call could not be made ("+docsURL(number)+")")
	return Track{State: Failed, Final: true, Dead: faults[number].dead, Err: fmt.Errorf("error %d: %s", number, why), Remedy: remedyFor(number)}
}

// alerts returns Twilio's error codes by execution or call. Of several codes, one that we can interpret is preferred.
func (v Voice) alerts(ctx context.Context, since time.Time) (map[string]int, error) {
	p := (&monitor.ListAlertParams{}).SetStartDate(since.UTC().Truncate(time.Second)).SetPageSize(alertPage)
	page, _, err := ask(ctx, v.Twilio, "look for alerts", func(h *client.RequestHandler) (*monitor.ListAlertResponse, error) {
		return monitor.NewApiService(h).PageAlert(p, "", "")
	})
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	for _, a := range page.Alerts {
		number, err := strconv.Atoi(deref(a.ErrorCode))
		resource := deref(a.ResourceSid)
		if _, known := faults[number]; err == nil && (known || out[resource] == 0) {
			out[resource] = number
		}
	}
	return out, nil
}

// callsSince lists the calls that we have made to a phone since then, oldest first.
func (v Voice) callsSince(ctx context.Context, to string, since time.Time) ([]api.ApiV2010Call, error) {
	p := (&api.ListCallParams{}).SetTo(to).SetFrom(v.From).SetPageSize(messagePage)
	page, _, err := askAPI(ctx, v.Twilio, "list calls", func(a *api.ApiService) (*api.ListCallResponse, error) {
		return a.PageCall(p, "", "")
	})
	if err != nil {
		return nil, err
	}
	calls := slices.DeleteFunc(page.Calls, func(c api.ApiV2010Call) bool {
		return twilioTime(c.DateCreated).Before(since.Truncate(time.Second)) || deref(c.Direction) == "inbound"
	})
	slices.Reverse(calls)
	return calls, nil
}
