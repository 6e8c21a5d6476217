package route

import (
	"fmt"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// get returns the value at a path such as "a.b[0].c", or another if there is none.
func get(value, path, otherwise ref.Val) ref.Val {
	text, ok := path.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(path)
	}
	steps, err := readPath(string(text))
	if err != nil {
		return types.NewErr("%s", err)
	}
	for _, step := range steps {
		if texts, ok := value.(textMap); ok {
			value = texts.orderedMap // without the default for missing keys
		}
		switch of := value.(type) {
		case traits.Mapper:
			next, found := of.Find(types.String(step.name))
			if step.name == "" || !found {
				return otherwise
			}
			value = next
		case traits.Lister:
			size, _ := of.Size().(types.Int)
			if step.name != "" || step.index < 0 || types.Int(step.index) >= size {
				return otherwise
			}
			value = of.Get(types.Int(step.index))
		default:
			return otherwise
		}
	}
	if value == types.NullValue {
		return otherwise
	}
	return value
}

// A pathStep is a key of an object or an index of a list.
type pathStep struct {
	name  string
	index int
}

// maxPathSteps bounds a path.
const maxPathSteps = 30

// readPath parses "a.b[0].c". A key containing a dot is written ["a.b"].
func readPath(path string) (steps []pathStep, err error) {
	rest := path
	for first := true; rest != "" || first; first = false {
		if len(steps) == maxPathSteps {
			return nil, fmt.Errorf("the path %q has more than %d parts", path, maxPathSteps)
		}
		if !strings.HasPrefix(rest, "[") {
			if !first {
				if rest[0] != '.' {
					return nil, fmt.Errorf("the path %q can't be read; write such as a.b[0].c", path)
				}
				rest = rest[1:]
			}
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, fmt.Errorf("the path %q lacks a name; write such as a.b[0].c", path)
			}
			steps, rest = append(steps, pathStep{name: rest[:end]}), rest[end:]
			continue
		}
		inner := rest[1:]
		if quoted, err := strconv.QuotedPrefix(inner); err == nil {
			name, _ := strconv.Unquote(quoted)
			inner = inner[len(quoted):]
			if name == "" || !strings.HasPrefix(inner, "]") {
				return nil, fmt.Errorf("the path %q can't be read; write such as a[\"b.c\"]", path)
			}
			steps, rest = append(steps, pathStep{name: name}), inner[1:]
			continue
		}
		number, after, closed := strings.Cut(inner, "]")
		n, err := strconv.Atoi(number)
		if !closed || err != nil || n < 0 {
			return nil, fmt.Errorf("the path %q can't be read; write such as a.b[0].c", path)
		}
		steps, rest = append(steps, pathStep{index: n}), after
	}
	return steps, nil
}
