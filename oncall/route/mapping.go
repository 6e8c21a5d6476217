package route

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/traits"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/watchbill/watchbill/oncall"
)

var jsonType = reflect.TypeFor[*structpb.Value]()

// Limits of a mapping.
const (
	// mappingCost is what all expressions together may cost for one signal, and bodyCost for a
	// whole body.
	mappingCost = costLimit
	bodyCost    = 10 * mappingCost
	maxEach     = 1_000 // signals per body
)

// A Mapping is a compiled definition. It is immutable.
type Mapping struct {
	each   *expression
	fields []mappedField
}

// A mappedField is one text of a signal.
type mappedField struct {
	name  string // in messages
	label string // the name of a label, detail or link
	set   func(*Mapped, string, string)
	text  template
}

// Mapped is the texts of one signal, not yet cleaned.
type Mapped struct {
	Title, Body, Severity, Status, Key, Link string
	Labels, Details, Links                   map[string]string
}

// CompileMapping compiles a mapping. An error names the field.
func CompileMapping(d oncall.Mapping) (*Mapping, error) {
	env, err := mappingEnv()
	if err != nil {
		return nil, fmt.Errorf("prepare CEL: %w", err)
	}
	m := &Mapping{}
	if d.Title == "" {
		return nil, errors.New("title is missing; write such as \"${payload.title}\"")
	}
	if d.Each != "" {
		if m.each, err = compile(env, d.Each, cel.DynType, cel.ListType(cel.DynType)); err != nil {
			return nil, fmt.Errorf("each: %w", err)
		}
	}
	for _, f := range mappedFields(d) {
		if f.written == "" {
			continue
		}
		if f.text, err = parseTemplate(env, f.written); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		m.fields = append(m.fields, f.mappedField)
	}
	return m, nil
}

type writtenField struct {
	mappedField
	written string
}

// mappedFields lists the fields of a definition, in the order in which they are evaluated.
func mappedFields(d oncall.Mapping) []writtenField {
	one := func(name, written string, of func(*Mapped) *string) writtenField {
		return writtenField{mappedField{name: name, set: func(m *Mapped, _, text string) { *of(m) = text }}, written}
	}
	out := []writtenField{
		one("title", d.Title, func(m *Mapped) *string { return &m.Title }),
		one("body", d.Body, func(m *Mapped) *string { return &m.Body }),
		one("severity", d.Severity, func(m *Mapped) *string { return &m.Severity }),
		one("status", d.Status, func(m *Mapped) *string { return &m.Status }),
		one("dedup_key", d.DedupKey, func(m *Mapped) *string { return &m.Key }),
		one("link", d.Link, func(m *Mapped) *string { return &m.Link }),
	}
	many := func(kind string, all map[string]string, of func(*Mapped) *map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			out = append(out, writtenField{mappedField{name: kind + "." + name, label: name, set: func(m *Mapped, name, text string) {
				into := of(m)
				if *into == nil {
					*into = map[string]string{}
				}
				(*into)[name] = text
			}}, all[name]})
		}
	}
	many("labels", d.Labels, func(m *Mapped) *map[string]string { return &m.Labels })
	many("details", d.Details, func(m *Mapped) *map[string]string { return &m.Details })
	many("links", d.Links, func(m *Mapped) *map[string]string { return &m.Links })
	return out
}

// Map extracts texts from a body, decoded by encoding/json into map[string]any, []any, strings and
// json.Number.
func (m *Mapping) Map(ctx context.Context, payload any) ([]Mapped, error) {
	vars := map[string]any{"payload": ordered{types.DefaultTypeAdapter}.NativeToValue(payload), "item": types.NullValue}
	left := uint64(bodyCost)
	if m.each == nil {
		vars["item"] = vars["payload"]
		mapped, err := m.one(ctx, vars, &left)
		if err != nil {
			return nil, err
		}
		return []Mapped{mapped}, nil
	}
	value, err := m.each.within(ctx, vars, &left)
	if err != nil {
		return nil, fmt.Errorf("each: %w", err)
	}
	list, ok := value.(traits.Lister)
	if !ok {
		return nil, fmt.Errorf("each: it gives %s; it must give a list", value.Type().TypeName())
	}
	size, _ := list.Size().(types.Int)
	if size == 0 {
		return nil, errors.New("each: the list is empty")
	}
	if size > maxEach {
		return nil, fmt.Errorf("each: the list has %d parts; it may have %d", size, maxEach)
	}
	var all []Mapped
	for i := range size {
		vars["item"] = list.Get(i)
		mapped, err := m.one(ctx, vars, &left)
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", i+1, err)
		}
		all = append(all, mapped)
	}
	return all, nil
}

// one extracts one signal, within the rest of the body's budget.
func (m *Mapping) one(ctx context.Context, vars map[string]any, body *uint64) (out Mapped, err error) {
	most := min(mappingCost, *body)
	left := most
	defer func() { *body -= most - left }()
	for _, f := range m.fields {
		text, err := f.text.fill(ctx, vars, &left)
		if err != nil {
			return out, fmt.Errorf("%s: %w", f.name, err)
		}
		f.set(&out, f.label, text)
	}
	return out, nil
}
