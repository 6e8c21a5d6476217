package intake

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// KeyParameters are names of the key in an address.
var KeyParameters = []string{"token", "key", "apiKey", "api_key", "integrationKey", "integration_key", "routing_key"}

// Said is what a request says, as JSON: a form becomes an object, and an empty body what the address says.
func Said(query url.Values, contentType string, body []byte) []byte {
	for _, name := range KeyParameters {
		query.Del(name)
	}
	form, is := Form(body, contentType)
	switch {
	case is:
		for name, values := range query {
			if !form.Has(name) {
				form[name] = values
			}
		}
		return Fields(form)
	case len(strings.TrimSpace(string(body[:min(len(body), 64)]))) == 0 && len(body) < 64 && SaysAnything(query):
		return Fields(query)
	}
	return body
}

// telling are fields of which at least one is in an address that is a signal, and no link that somebody has looked at.
var telling = []string{
	"title", "summary", "message", "msg", "text", "subject", "name", "status", "state", "event", "event_action", "action", "dedup_key",
	"heartbeat", "data", "payload", "alertType", "monitorFriendlyName", "Name", "Status",
}

// SaysAnything reports whether an address is a signal.
func SaysAnything(query url.Values) bool {
	for _, name := range telling {
		if query.Get(name) != "" {
			return true
		}
	}
	return false
}

// Readers of what came to addresses that are one service's, whatever the integration's kind is.
const (
	ReadPagerDuty = "pagerduty"
	ReadOpsgenie  = "opsgenie/" // what follows says what was asked for
)

// Again reads a payload once more, as an integration set up like that would read it now: by its mapping, if it has one.
// What was cut off can't be read, and a secret in it is Hidden.
func Again(ctx context.Context, in oncall.Integration, p oncall.Payload) ([]oncall.Signal, oncall.Format, error) {
	if p.Cut {
		return nil, "", problem("", "Only the beginning of it is kept, as it is larger than %d KiB.", oncall.PayloadLimit>>10)
	}
	query, err := url.ParseQuery(p.Query)
	if err != nil {
		query = url.Values{}
	}
	body := Said(query, p.Headers["Content-Type"], p.Body)
	verb, opsgenie := strings.CutPrefix(p.Reader, ReadOpsgenie)
	switch {
	case opsgenie:
		signal, err := opsgenieAgain(verb, p.Keys, body)
		return []oncall.Signal{signal}, "opsgenie", err
	case p.Reader == ReadPagerDuty && in.Mapping == nil:
		signals, err := PagerDuty(body)
		return signals, "pagerduty", err
	}
	return ReadFor(ctx, in, body)
}

func opsgenieAgain(verb string, keys []string, body []byte) (oncall.Signal, error) {
	fields, err := ParseObject(body)
	if verb == "create" {
		if err != nil {
			return oncall.Signal{}, err
		}
		return OpsgenieCreate(fields)
	}
	if len(keys) == 0 {
		return oncall.Signal{}, problem("", "Which alert it was about is not known any more.")
	}
	return OpsgenieAct(verb, keys[0], fields), nil
}

// Transcript is a payload as a text: the request, a blank line, the body, and a mark where that is cut off.
func Transcript(p oncall.Payload) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s", p.Method, p.Path)
	if p.Query != "" {
		b.WriteString("?" + p.Query)
	}
	b.WriteString("\n")
	for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(strings.Fields(p.Headers[name]), " "))
	}
	b.WriteString("\n")
	b.Write(p.Body)
	switch {
	case p.Cut && p.Size > int64(len(p.Body)):
		fmt.Fprintf(&b, "\n[cut off here: %d bytes came]\n", p.Size)
	case p.Cut:
		b.WriteString("\n[cut off here]\n")
	}
	return b.Bytes()
}
