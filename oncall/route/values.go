package route

import (
	"encoding/json"
	"maps"
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// ordered adapts Go values so that maps iterate in key order: otherwise the cost of the same alert
// would vary.
type ordered struct{ types.Adapter }

// NativeToValue makes a value.
func (o ordered) NativeToValue(value any) ref.Val {
	switch v := value.(type) {
	case map[string]any:
		return orderedMap{types.NewStringInterfaceMap(o, v), slices.Sorted(maps.Keys(v))}
	case []any:
		return types.NewDynamicList(o, v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return types.Int(n)
		}
		f, err := v.Float64()
		if err != nil {
			return types.String(v)
		}
		return types.Double(f)
	}
	return o.Adapter.NativeToValue(value)
}

// An orderedMap iterates in key order.
type orderedMap struct {
	traits.Mapper
	keys []string
}

// Iterator iterates over the keys.
func (m orderedMap) Iterator() traits.Iterator {
	return types.NewStringList(types.DefaultTypeAdapter, m.keys).Iterator()
}

// A textMap maps names to strings; a missing one is "".
type textMap struct{ orderedMap }

func newTextMap(all map[string]string) textMap {
	return textMap{orderedMap{types.NewStringStringMap(types.DefaultTypeAdapter, all), slices.Sorted(maps.Keys(all))}}
}

// Find returns a string, "" if it is missing.
func (m textMap) Find(key ref.Val) (ref.Val, bool) {
	if value, found := m.Mapper.Find(key); found {
		return value, true
	}
	if _, ok := key.(types.String); !ok {
		return types.MaybeNoSuchOverloadErr(key), false
	}
	return types.String(""), true
}

// Get is Find for an index.
func (m textMap) Get(key ref.Val) ref.Val {
	value, _ := m.Find(key)
	return value
}

func (f *Facts) vars() map[string]any {
	out := make(map[string]any, len(fields)+len(named))
	for name, of := range fields {
		out[name] = of(f)
	}
	for name, of := range named {
		out[name] = newTextMap(of(f))
	}
	return out
}
