package rest

import (
	"context"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A Payload is what a monitor has sent, as it came, without secrets.
type Payload struct {
	ID        int64             `json:"id"`
	At        time.Time         `json:"at"`
	Method    string            `json:"method"`
	Path      string            `json:"path" doc:"Without the key."`
	Query     string            `json:"query,omitempty"`
	Headers   map[string]string `json:"headers,omitempty" doc:"Those without secrets."`
	Text      string            `json:"text,omitempty" doc:"The body, where it is text. In a list only its beginning."`
	Bytes     []byte            `json:"bytes,omitempty" doc:"The body in base64, where it is no text."`
	Size      int64             `json:"size,omitempty" doc:"Of the whole body, in bytes."`
	Cut       bool              `json:"cut,omitempty" doc:"Only its beginning is kept."`
	Format    string            `json:"format,omitempty" doc:"As what it was read; left out where nobody knows."`
	Trouble   string            `json:"trouble,omitempty" doc:"Why it was refused, or could not be read."`
	Signals   int               `json:"signals"`
	Keys      []string          `json:"keys,omitempty" doc:"Of its first alerts."`
	Incidents []int64           `json:"incidents" doc:"That it was about."`
}

// payloadExcerpt is how much of a body a list shows, in bytes.
const payloadExcerpt = 1000

func (s *server) payloadRoutes() {
	find := func(ctx context.Context, c caller, name string, f store.PayloadFilter) ([]store.KeptPayload, error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		in, err := v.integration(name)
		if err != nil {
			return nil, err
		}
		f.Integration = in.ID
		return s.Store.Payloads(ctx, c.by, f)
	}
	handle(s, operation{
		method: http.MethodGet, path: "/integrations/{name}/payloads", id: "list-payloads", tag: "integrations", summary: "List what a monitor has sent, the newest first",
		about: "The last 200 of an integration, for seven days.", scope: oncall.ScopeEdit, errors: []int{404},
	}, func(ctx context.Context, c caller, in *struct {
		NamePath
		Paged
	},
	) (*ListResponse[Payload], error) {
		found, err := find(ctx, c, in.Name, store.PayloadFilter{Begin: payloadExcerpt})
		if err != nil {
			return nil, err
		}
		return page(mapSlice(found, payloadOf), in.Paged)
	})
	handle(s, operation{
		method: http.MethodGet, path: "/integrations/{name}/payloads/{id}", id: "get-payload", tag: "integrations", summary: "Get what a monitor has sent, as it came",
		scope: oncall.ScopeEdit, errors: []int{404},
	}, func(ctx context.Context, c caller, in *struct {
		NamePath
		ID int64 `path:"id" minimum:"1"`
	},
	) (*ObjectResponse[Payload], error) {
		found, err := find(ctx, c, in.Name, store.PayloadFilter{ID: oncall.PayloadID(in.ID), Most: 1})
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, oncall.ErrNotFound
		}
		return &ObjectResponse[Payload]{payloadOf(found[0])}, nil
	})
}

func payloadOf(payload store.KeptPayload) Payload {
	out := Payload{
		ID: int64(payload.ID), At: payload.At, Method: payload.Method, Path: payload.Path, Query: payload.Query, Headers: payload.Headers, Size: payload.Size, Cut: payload.Cut,
		Format: string(payload.RecognisedAs), Trouble: payload.Trouble, Signals: payload.Signals, Keys: payload.Keys,
	}
	out.Incidents = mapSlice(payload.Incidents, func(id oncall.IncidentID) int64 { return int64(id) })
	body := payload.Body
	for range utf8.UTFMax - 1 { // the last character of a body that was cut off may be in two
		if last, _ := utf8.DecodeLastRune(body); last == utf8.RuneError && len(body) > 0 && !utf8.Valid(body) {
			body = body[:len(body)-1]
		}
	}
	if utf8.Valid(body) {
		out.Text = string(body)
	} else {
		out.Bytes = payload.Body
	}
	return out
}
