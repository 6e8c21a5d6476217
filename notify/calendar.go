package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

const (
	calendarLimit     = 15 * time.Second // for one answer
	calendarBytes     = 4<<20 + 1        // one more than allowed
	calendarRedirects = 4
)

// Calendars fetches calendars from addresses that people enter.
type Calendars struct{ web *httpClient }

// NewCalendars returns a Calendars.
func NewCalendars(rules AddressRules) *Calendars {
	w := newUntrustedClient("the calendar", rules)
	w.limit, w.longest = calendarLimit, calendarBytes
	return &Calendars{w}
}

var errInsecureRedirect = errors.New("the calendar has moved to an address without https, which is not read")

// Read fetches a calendar and its ETag. The body is nil if the calendar still has the given ETag.
// Errors contain neither the address, which is secret, nor any of the response.
func (c *Calendars) Read(ctx context.Context, address, tag string) (body []byte, is string, err error) {
	header := http.Header{"User-Agent": {"Watchbill"}, "Accept": {"text/calendar, */*;q=0.5"}}
	if tag != "" {
		header.Set("If-None-Match", tag)
	}
	for range calendarRedirects + 1 {
		response, err := c.web.get(ctx, address, header)
		switch {
		case err != nil:
			return nil, "", err
		case response.status == http.StatusNotModified && tag != "":
			return nil, tag, nil
		case response.status == http.StatusOK:
			if response.body == nil {
				response.body = []byte{}
			}
			return response.body, response.header.Get("ETag"), nil
		case response.status < http.StatusMultipleChoices || response.status >= http.StatusBadRequest:
			return nil, "", fmt.Errorf("the calendar answers %d", response.status)
		}
		if address, err = movedTo(address, response.header.Get("Location")); err != nil {
			return nil, "", err
		}
	}
	return nil, "", errors.New("the calendar has moved too often")
}

// movedTo returns a redirect's target. Unlike a page, a calendar is only read, so following redirects repeats nothing.
func movedTo(address, location string) (string, error) {
	from, err := url.Parse(address)
	if err != nil {
		return "", errors.New("the calendar has no address")
	}
	to, err := from.Parse(location)
	if err != nil || location == "" || parseServiceURL(to.String()) == nil {
		return "", errors.New("the calendar has moved, and doesn't say where to")
	}
	if from.Scheme == "https" && to.Scheme != "https" {
		return "", errInsecureRedirect
	}
	return to.String(), nil
}
