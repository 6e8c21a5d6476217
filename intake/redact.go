package intake

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// Hidden replaces a secret.
const Hidden = "[hidden]"

// Limits in bytes of what is stored of a request beside its body.
const (
	keptPath   = 1_000
	keptQuery  = 4_000
	keptHeader = 300
)

// minKeyLength is the minimum length of a key that is searched for everywhere; shorter ones would
// match inside words.
const minKeyLength = 6

// keptHeaders identify the sender and hold no secrets.
var keptHeaders = []string{
	"Content-Type", "Content-Encoding", "User-Agent", "X-Github-Event", "X-Gitlab-Event", "Sentry-Hook-Resource",
	"X-Amz-Sns-Message-Type", "X-Event-Key", "X-Webhook-Event",
}

// Redact returns a request ready for storing, without secrets: the integration's key is removed
// wherever it occurs, and so are values with names like secrets'. The body is truncated.
func Redact(payload oncall.Payload, key string) oncall.Payload {
	h := hider{key: key}
	headers := map[string]string{}
	for _, name := range keptHeaders {
		if value := payload.Headers[name]; value != "" {
			headers[name] = h.text(value, keptHeader)
		}
	}
	payload.Headers = headers
	payload.Path = h.text(payload.Path, keptPath)
	payload.Query = string(h.form([]byte(h.text(payload.Query, keptQuery))))
	payload.Body, payload.Cut = h.body(payload.Body, headers["Content-Type"], payload.Cut)
	return payload
}

// A hider removes secrets from a request that came with a key.
type hider struct{ key string }

// text shortens a text and removes the key.
func (h hider) text(s string, limit int) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(string(h.withoutKey([]byte(s))), "\x00", ""), "\ufffd")
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}

func (h hider) body(body []byte, contentType string, cut bool) ([]byte, bool) {
	const margin = 1024 // so that a key that straddles the cut is found whole
	began := h.withoutKey(body[:min(len(body), oncall.PayloadLimit+margin)])
	cut = cut || len(body) > oncall.PayloadLimit
	began = began[:min(len(began), oncall.PayloadLimit)]
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "application/x-www-form-urlencoded" && kind != "multipart/form-data" {
		kind, params = unnamedKind(began)
	}
	switch start := bytes.TrimLeft(began, " \t\r\n"); {
	case len(start) > 0 && (start[0] == '{' || start[0] == '['):
		began = hideJSON(began, 0)
	case kind == "application/x-www-form-urlencoded":
		began = h.form(began)
	case kind == "multipart/form-data":
		began = hideParts(began, params["boundary"])
	default:
		began = hideLines(began)
	}
	began = hideAnywhere(began)
	if len(began) > oncall.PayloadLimit { // the replacement may be longer than the secret
		began, cut = began[:oncall.PayloadLimit], true
	}
	return began, cut
}

// withoutKey removes the key, plain and as encoded in URLs and JSON. The result is a copy.
func (h hider) withoutKey(b []byte) []byte {
	if len(h.key) < minKeyLength {
		return bytes.Clone(b)
	}
	out := bytes.ReplaceAll(b, []byte(h.key), []byte("KEY"))
	if quoted, _ := json.Marshal(h.key); len(quoted) > 2 && string(quoted[1:len(quoted)-1]) != h.key {
		out = bytes.ReplaceAll(out, quoted[1:len(quoted)-1], []byte("KEY"))
	}
	for _, written := range []string{url.QueryEscape(h.key), url.PathEscape(h.key)} {
		if written != h.key {
			out = bytes.ReplaceAll(out, []byte(written), []byte("KEY"))
		}
	}
	return out
}

// form hides secret fields of a form or a query.
func (h hider) form(b []byte) []byte {
	pairs := bytes.Split(b, []byte("&"))
	for i, pair := range pairs {
		raw, value, found := bytes.Cut(pair, []byte("="))
		name, err := url.QueryUnescape(string(raw))
		if err != nil {
			name = string(raw)
		}
		switch {
		case !found || len(value) == 0:
		case secretName(name) || slices.Contains(keyFields, strings.ToLower(name)):
			pairs[i] = slices.Concat(raw, []byte("="+Hidden))
		default:
			if text, err := url.QueryUnescape(string(value)); err == nil && strings.HasPrefix(strings.TrimSpace(text), "{") {
				if hidden := hideAnywhere(hideJSON([]byte(text), 0)); string(hidden) != text {
					pairs[i] = slices.Concat(raw, []byte("="+url.QueryEscape(string(hidden))))
				}
			}
		}
	}
	return bytes.Join(pairs, []byte("&"))
}

// hideParts hides secret fields of a multipart form.
func hideParts(b []byte, boundary string) []byte {
	if boundary == "" {
		return hideLines(b)
	}
	parts := bytes.Split(b, []byte("--"+boundary))
	for i, part := range parts {
		head, value, found := bytes.Cut(part, []byte("\r\n\r\n"))
		if !found {
			continue
		}
		_, rest, _ := bytes.Cut(head, []byte(`name="`))
		name, _, _ := bytes.Cut(rest, []byte(`"`))
		switch start := bytes.TrimSpace(value); {
		case secretName(string(name)) || slices.Contains(keyFields, strings.ToLower(string(name))):
			parts[i] = slices.Concat(head, []byte("\r\n\r\n"+Hidden+"\r\n"))
		case len(start) > 0 && (start[0] == '{' || start[0] == '['):
			parts[i] = slices.Concat(head, []byte("\r\n\r\n"), hideJSON(value, 0))
		}
	}
	return bytes.Join(parts, []byte("--"+boundary))
}

// hideLines hides the values in lines like "password: x" and elements like <password>x</password>.
func hideLines(b []byte) []byte {
	lines := bytes.Split(b, []byte("\n"))
	for i, line := range lines {
		at := bytes.IndexAny(line, ":=")
		if at > 0 && at <= 64 && !bytes.ContainsAny(line[:at], "<>") && secretName(string(line[:at])) && len(bytes.TrimSpace(line[at+1:])) > 0 {
			lines[i] = slices.Concat(line[:at+1], []byte(" "+Hidden))
		}
	}
	b = bytes.Join(lines, []byte("\n"))
	var out []byte
	for from := 0; ; {
		open := bytes.IndexByte(b[from:], '<')
		if open < 0 {
			return append(out, b[from:]...)
		}
		end := bytes.IndexAny(b[from+open:], ">")
		if end < 0 {
			return append(out, b[from:]...)
		}
		next := from + open + end + 1
		name := b[from+open+1 : next-1]
		out = append(out, b[from:next]...)
		from = next
		if word, _, _ := bytes.Cut(name, []byte(" ")); len(word) > 0 && len(word) <= 64 && word[0] != '/' && secretName(string(word)) {
			if until := bytes.IndexByte(b[from:], '<'); until > 0 {
				out = append(out, Hidden...)
				from += until
			}
		}
	}
}
