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

// KeyParameters are the query parameters that may carry an integration's key.
var KeyParameters = []string{"token", "key", "apiKey", "api_key", "integrationKey", "integration_key", "routing_key"}

// RequestJSON returns a request's content as JSON: a form becomes an object, and for an empty body the address's
// parameters do.
func RequestJSON(query url.Values, contentType string, body []byte) []byte {
	for _, name := range KeyParameters {
		query.Del(name)
	}
	body = inUTF8(contentType, body)
	form, ok := Form(body, contentType)
	switch {
	case ok:
		for name, values := range query {
			if !form.Has(name) {
				form[name] = values
			}
		}
		return Fields(form)
	case len(strings.TrimSpace(string(body[:min(len(body), 64)]))) == 0 && len(body) < 64 && HasSignal(query):
		return Fields(query)
	}
	return withDedup(body, query.Get("dedup"))
}

// withDedup adds the dedup key of a GoAlert address to a body that has none of its own.
func withDedup(body []byte, key string) []byte {
	start := bytes.TrimLeft(body, " \t\r\n")
	if key == "" || len(start) < 2 || start[0] != '{' {
		return body
	}
	raw, _ := json.Marshal(key) // marshalling a string never fails
	comma := ","
	if rest := bytes.TrimLeft(start[1:], " \t\r\n"); len(rest) > 0 && rest[0] == '}' {
		comma = ""
	}
	return slices.Concat([]byte(`{"dedup":`), raw, []byte(comma), start[1:]) // of two fields with one name, the last wins
}

// inUTF8 decodes a body in another character set, if the header names it.
func inUTF8(contentType string, body []byte) []byte {
	if utf8.Valid(body) {
		return body
	}
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["charset"] == "" {
		return body
	}
	text, err := io.ReadAll(inCharset(params["charset"], bytes.NewReader(body)))
	if err != nil {
		return body
	}
	return text
}

// signalParameters lists parameters of which a signal's address has at least one; a link that somebody
// merely opens has none.
var signalParameters = []string{
	"title", "summary", "message", "msg", "text", "subject", "name", "status", "state", "event", "event_action", "action", "dedup_key",
	"heartbeat", "data", "payload", "alertType", "monitorFriendlyName", "Name", "Status",
}

// HasSignal reports whether an address is a signal.
func HasSignal(query url.Values) bool {
	for _, name := range signalParameters {
		if query.Get(name) != "" {
			return true
		}
	}
	return false
}

// Readers of addresses that speak one service's API, whatever the integration's format.
const (
	ReadPagerDuty = "pagerduty"
	ReadOpsgenie  = "opsgenie/" // followed by the operation
)

// Reparse parses a stored payload again, the way the integration as given would parse it now,
// including its mapping. A truncated payload is an error, and its secrets are Hidden.
func Reparse(ctx context.Context, in oncall.Integration, payload oncall.Payload) ([]oncall.Signal, oncall.Format, error) {
	if payload.Cut {
		return nil, "", problem("", "Only the beginning of it is kept, as it is larger than %d KiB.", oncall.PayloadLimit>>10)
	}
	query, err := url.ParseQuery(payload.Query)
	if err != nil {
		query = url.Values{}
	}
	body := RequestJSON(query, payload.Headers["Content-Type"], payload.Body)
	verb, opsgenie := strings.CutPrefix(payload.Reader, ReadOpsgenie)
	switch {
	case opsgenie:
		signal, err := reparseOpsgenie(verb, payload.Keys, body)
		return []oncall.Signal{signal}, "opsgenie", err
	case payload.Reader == ReadPagerDuty && in.Mapping == nil:
		signals, err := PagerDuty(body)
		return signals, "pagerduty", err
	}
	return ReadFor(ctx, in, body)
}

func reparseOpsgenie(verb string, keys []string, body []byte) (oncall.Signal, error) {
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

// Transcript renders a payload as text: the request, a blank line, the body, and a mark where it
// was cut off.
func Transcript(payload oncall.Payload) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s", payload.Method, payload.Path)
	if payload.Query != "" {
		b.WriteString("?" + payload.Query)
	}
	b.WriteString("\n")
	for _, name := range slices.Sorted(maps.Keys(payload.Headers)) {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(strings.Fields(payload.Headers[name]), " "))
	}
	b.WriteString("\n")
	b.Write(payload.Body)
	switch {
	case payload.Cut && payload.Size > int64(len(payload.Body)):
		fmt.Fprintf(&b, "\n[cut off here: %d bytes came]\n", payload.Size)
	case payload.Cut:
		b.WriteString("\n[cut off here]\n")
	}
	return b.Bytes()
}
