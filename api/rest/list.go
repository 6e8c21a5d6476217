package rest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Fields are the parameters of every list and object: which fields to return.
type Fields struct {
	Fields []string `query:"fields" doc:"Only these fields of each thing, divided by commas; all of them without it." example:"[\"id\"]" maxItems:"50"`
}

// Paged are the parameters of a list.
type Paged struct {
	Fields
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"200" doc:"At most so many."`
	Cursor string `query:"cursor" maxLength:"200" doc:"Where to go on: the next of the answer before."`
}

// A List is one page of a list.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"The cursor of the next part; there is none after the last."`
}

// A ListResponse is the response of a list.
type ListResponse[T any] struct {
	Body List[T]
}

// An ObjectResponse is a response with one object.
type ObjectResponse[T any] struct {
	Body T
}

// page returns one page of a complete list.
func page[T any](all []T, p Paged) (*ListResponse[T], error) {
	from, err := p.position()
	if err != nil {
		return nil, err
	}
	from = min(from, int64(len(all)))
	end := min(from+int64(p.Limit), int64(len(all)))
	out := &ListResponse[T]{Body: List[T]{Items: slices.Clone(all[from:end])}}
	if out.Body.Items == nil {
		out.Body.Items = []T{}
	}
	if end < int64(len(all)) {
		out.Body.Next = cursor(end)
	}
	return out, nil
}

// cursor encodes the position after a page. It is opaque, so that its contents may change.
func cursor(position int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("1/" + strconv.FormatInt(position, 10)))
}

// position decodes a cursor; 0 is the beginning.
func (p Paged) position() (int64, error) {
	if p.Cursor == "" {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	digits, ok := strings.CutPrefix(string(text), "1/")
	n, bad := strconv.ParseInt(digits, 10, 64)
	if err != nil || !ok || bad != nil || n < 0 {
		return 0, invalid("This cursor is none of ours; begin without one.")
	}
	return n, nil
}

// sparse leaves out the fields that were not requested.
func sparse(ctx huma.Context, status string, v any) (any, error) {
	if ctx == nil || !strings.HasPrefix(status, "2") || v == nil {
		return v, nil
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(ctx.Query("fields"), ",") {
		if name != "" {
			wanted[name] = true
		}
	}
	if len(wanted) == 0 {
		return v, nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("leave out fields: %w", err)
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, fmt.Errorf("leave out fields: %w", err)
	}
	items, listed := whole["items"]
	if !listed {
		maps.DeleteFunc(whole, func(name string, _ json.RawMessage) bool { return !wanted[name] })
		return whole, nil
	}
	var each []map[string]json.RawMessage
	if err := json.Unmarshal(items, &each); err != nil {
		return nil, fmt.Errorf("leave out fields: %w", err)
	}
	for _, one := range each {
		maps.DeleteFunc(one, func(name string, _ json.RawMessage) bool { return !wanted[name] })
	}
	out := map[string]any{"items": each}
	if next, ok := whole["next"]; ok {
		out["next"] = next
	}
	return out, nil
}

// versionETag returns the ETag of an object with a version number.
func versionETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
