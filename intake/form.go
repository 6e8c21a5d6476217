package intake

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"
)

const (
	maxFields = 1_000    // per form
	maxField  = 16 << 20 // bytes
)

// keyFields are the fields of a form or query that carry the key and are not part of the alert.
var keyFields = []string{"token", "key", "apikey", "api_key", "integrationkey", "integration_key"}

// Fields turns a form into an object. It follows the habits of monitors: a field that holds JSON
// becomes that JSON, and a single field that holds everything, such as "data" or "payload", becomes
// the whole object.
func Fields(form url.Values) []byte {
	out := map[string]json.RawMessage{}
	for _, name := range names(form) {
		if len(out) == maxFields || slices.Contains(keyFields, strings.ToLower(name)) && !isDigest(form) {
			continue
		}
		text := strings.ToValidUTF8(form.Get(name), "\ufffd")
		if plain := strings.TrimSpace(text); len(plain) > 0 && (plain[0] == '{' || plain[0] == '[') && checkCost([]byte(plain)) == nil && json.Valid([]byte(plain)) {
			out[name] = json.RawMessage(plain)
			continue
		}
		raw, _ := json.Marshal(text) // marshalling a string never fails
		out[name] = raw
	}
	for _, whole := range []string{"data", "payload", "body", "json", "alert", "message"} {
		if raw := out[whole]; len(out) == 1 && len(raw) > 0 && raw[0] == '{' {
			return raw
		}
	}
	body, _ := json.Marshal(out)
	return body
}

// isDigest reports whether the field Token is StatusCake's digest rather than a key.
func isDigest(form url.Values) bool { return form.Has("StatusCode") && form.Has("Token") }

func names(form url.Values) []string {
	all := make([]string, 0, len(form))
	for name := range form {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// Form returns the form in a body, or false if there is none. JSON is never treated as a form.
// Otherwise the body counts more than the header.
func Form(body []byte, contentType string) (url.Values, bool) {
	start := bytes.TrimLeft(body, "\ufeff \t\r\n")
	if len(start) == 0 || start[0] == '{' || start[0] == '[' {
		return nil, false
	}
	kind, params, _ := mime.ParseMediaType(contentType)
	switch {
	case kind == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(strings.TrimSpace(string(body)))
		if err == nil && len(form) > 0 && (len(form) > 1 || form.Get(names(form)[0]) != "") { // curl labels any text a form
			return form, true
		}
	case kind == "multipart/form-data" && params["boundary"] != "":
		if form, ok := multipartForm(body, params["boundary"]); ok {
			return form, true
		}
	}
	return unnamedForm(start)
}

// unnamedForm reads a form whose header is missing or wrong.
func unnamedForm(body []byte) (url.Values, bool) {
	switch kind, params := unnamedKind(body); kind {
	case "multipart/form-data":
		return multipartForm(body, params["boundary"])
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(bytes.TrimSpace(body)))
		return form, err == nil && len(form) <= maxFields && HasSignal(form)
	}
	return nil, false
}

// unnamedKind guesses the kind of form from a body that isn't JSON; empty if it doesn't look like
// one.
func unnamedKind(body []byte) (kind string, params map[string]string) {
	body = bytes.TrimSpace(body)
	line, rest, _ := bytes.Cut(body, []byte("\n"))
	if boundary, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("--")); ok {
		if bytes.HasPrefix(bytes.ToLower(rest[:min(len(rest), 32)]), []byte("content-disposition: form-data")) {
			return "multipart/form-data", map[string]string{"boundary": string(boundary)}
		}
		return "", nil
	}
	if bytes.ContainsAny(body, " \t\r\n<>\"{}") || !bytes.ContainsRune(body, '=') {
		return "", nil
	}
	return "application/x-www-form-urlencoded", nil
}

func multipartForm(body []byte, boundary string) (url.Values, bool) {
	if boundary == "" {
		return nil, false
	}
	form := url.Values{}
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxFields {
		part, err := parts.NextPart()
		if err != nil {
			break
		}
		text, err := io.ReadAll(io.LimitReader(part, maxField))
		if err != nil {
			break
		}
		form.Add(part.FormName(), string(text))
	}
	return form, len(form) > 0
}

// Key returns the key inside a body, where PagerDuty's events carry it; empty if it has none.
func Key(body []byte) string {
	body, err := prepare(WithoutBOM(body))
	if err != nil {
		return ""
	}
	var o struct { // not fully parsed: the sender has not shown a key yet
		Routing json.RawMessage `json:"routing_key"`
		Service json.RawMessage `json:"service_key"`
	}
	if json.Unmarshal(body, &o) != nil {
		return ""
	}
	for _, raw := range []json.RawMessage{o.Routing, o.Service} {
		var key string
		if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &key) == nil && trim(key) != "" {
			return trim(key)
		}
	}
	return ""
}
