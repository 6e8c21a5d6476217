package slacksim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// obj is a JSON object.
type obj = map[string]any

// args are the arguments of one call, however they were sent.
type args map[string]any

// structured are the arguments that arrive as JSON inside a form.
var structured = []string{"attachments", "blocks", "channel_ids", "document_content", "files", "metadata", "view"}

const maxBody = 4 << 20

// readArgs reads query, form and JSON body into one map; the body wins.
func readArgs(r *http.Request) (args, error) {
	a := args{}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" {
		for key, values := range r.URL.Query() {
			a[key] = values[0]
		}
		decoder := json.NewDecoder(r.Body)
		decoder.UseNumber()
		var body map[string]any
		if err := decoder.Decode(&body); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read JSON body: %w", err)
		}
		maps.Copy(a, body)
		return a, nil
	}
	var err error
	if kind == "multipart/form-data" {
		err = r.ParseMultipartForm(maxBody)
	} else {
		err = r.ParseForm()
	}
	if err != nil {
		return nil, fmt.Errorf("read form: %w", err)
	}
	for key, values := range r.Form {
		a[key] = values[0]
	}
	for _, key := range structured {
		text, ok := a[key].(string)
		if !ok || text == "" {
			continue
		}
		var value any
		if json.Unmarshal([]byte(text), &value) == nil {
			a[key] = value
		}
	}
	return a, nil
}

// has reports whether an argument is present and not empty.
func (a args) has(key string) bool {
	switch v := a[key].(type) {
	case nil:
		return false
	case string:
		return v != ""
	default:
		return true
	}
}

func (a args) str(key string) string {
	switch v := a[key].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	default:
		return ""
	}
}

func (a args) yes(key string) bool { return slices.Contains([]string{"true", "1"}, a.str(key)) }

func (a args) number(key string, fallback int) int {
	n, err := strconv.Atoi(a.str(key))
	if err != nil {
		return fallback
	}
	return n
}

// list reads a comma-separated string or a JSON array of strings.
func (a args) list(key string) []string {
	var out []string
	if values, ok := a[key].([]any); ok {
		for _, v := range values {
			if text, ok := v.(string); ok {
				out = append(out, text)
			}
		}
		return out
	}
	for part := range strings.SplitSeq(a.str(key), ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func toJSON(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null") // only decoded JSON and our own structs get here
	}
	return text
}

// decode decodes stored JSON, which is known to be valid.
func decode[T any](text json.RawMessage) T {
	var v T
	_ = json.Unmarshal(text, &v)
	return v
}

func textOf(v any) string {
	text, _ := v.(string)
	return text
}
