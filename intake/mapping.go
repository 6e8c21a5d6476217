package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/route"
)

// compiledMappings caches compiled mappings by their definition.
var compiledMappings struct {
	sync.Mutex
	all map[string]*route.Mapping
}

// maxMappings is how many are cached.
const maxMappings = 1_000

func mappingOf(d oncall.Mapping) (*route.Mapping, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	c := &compiledMappings
	c.Lock()
	defer c.Unlock()
	if m := c.all[string(text)]; m != nil {
		return m, nil
	}
	m, err := route.CompileMapping(d)
	if err != nil {
		return nil, err
	}
	if c.all == nil || len(c.all) >= maxMappings {
		c.all = map[string]*route.Mapping{}
	}
	c.all[string(text)] = m
	return m, nil
}

// ReadFor reads a body sent to an integration: by its mapping, if it has one, else as Read does.
func ReadFor(ctx context.Context, in oncall.Integration, body []byte) ([]oncall.Signal, oncall.Format, error) {
	if in.Mapping == nil {
		return Read(in.Format, body)
	}
	signals, err := mapped(ctx, *in.Mapping, trimmed(body))
	if err != nil {
		return nil, "", fmt.Errorf("The mapping failed: %w", err) //nolint:staticcheck // people read it as a sentence
	}
	return signals, "generic", nil
}

func mapped(ctx context.Context, d oncall.Mapping, body []byte) ([]oncall.Signal, error) {
	if err := checkCost(body); err != nil {
		return nil, err
	}
	m, err := mappingOf(d)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var payload any
	if err := decoder.Decode(&payload); err != nil {
		return nil, notJSON(err)
	}
	all, err := m.Map(ctx, payload)
	if err != nil {
		return nil, err
	}
	out := make([]oncall.Signal, len(all))
	for i, one := range all {
		draft := draft{
			key: one.Key, title: one.Title, body: one.Body, link: one.Link, level: one.Severity, labels: one.Labels,
		}
		draft.status("status", one.Status)
		for _, name := range slices.Sorted(maps.Keys(one.Details)) {
			draft.detail(name, one.Details[name])
		}
		for _, name := range slices.Sorted(maps.Keys(one.Links)) {
			draft.links.add(name, one.Links[name])
		}
		out[i] = draft.signal()
	}
	return out, nil
}
