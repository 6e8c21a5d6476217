package route

import (
	"encoding/json"
	"maps"
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// ordered makes values of what Go has, objects so that they are gone through in the order of their names: else
// the same alert would cost now more, now less.
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

// An orderedMap is gone through in the order of its keys.
type orderedMap struct {
	traits.Mapper
	keys []string
}

// Iterator goes through the keys.
func (m orderedMap) Iterator() traits.Iterator {
	return types.NewStringList(types.DefaultTypeAdapter, m.keys).Iterator()
}

// A textMap is texts by name, in which what is missing is "".
type textMap struct{ orderedMap }

func newTextMap(all map[string]string) textMap {
	return textMap{orderedMap{types.NewStringStringMap(types.DefaultTypeAdapter, all), slices.Sorted(maps.Keys(all))}}
}

// Find finds a text, "" where there is none.
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
