package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/watchbill/watchbill/oncall"
)

// KeyParameters are names of the key in an address.
var KeyParameters = []string{"token", "key", "apiKey", "api_key", "integrationKey", "integration_key", "routing_key"}

// Said is what a request says, as JSON: a form becomes an object, and an empty body what the address says.
func Said(query url.Values, contentType string, body []byte) []byte {
	for _, name := range KeyParameters {
		query.Del(name)
	}
	body = inUTF8(contentType, body)
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
	return withDedup(body, query.Get("dedup"))
}

// withDedup puts the key that an address of GoAlert's has in a body without one of its own.
func withDedup(body []byte, key string) []byte {
	start := bytes.TrimLeft(body, " \t\r\n")
	if key == "" || len(start) < 2 || start[0] != '{' {
		return body
	}
	raw, _ := json.Marshal(key) // of a text it always works
	comma := ","
	if rest := bytes.TrimLeft(start[1:], " \t\r\n"); len(rest) > 0 && rest[0] == '}' {
		comma = ""
	}
	return slices.Concat([]byte(`{"dedup":`), raw, []byte(comma), start[1:]) // of two with one name the last counts
}

// inUTF8 decodes a body that is in another character set, if the header names it.
func inUTF8(contentType string, body []byte) []byte {
	if utf8.Valid(body) {
		return body
	}
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["charset"] == "" {
		return body
	}
	text, err := io.ReadAll(decoded(params["charset"], bytes.NewReader(body)))
	if err != nil {
		return body
	}
	return text
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
