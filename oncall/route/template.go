package route

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"google.golang.org/protobuf/types/known/structpb"
)

// A template is text with expressions in it: "${payload.host}: ${payload.text}".
type template []piece

// A piece is literal text or an expression.
type piece struct {
	text string
	cel  *expression
}

// maxTemplate limits a template, in bytes.
const maxTemplate = 4_000

// parseTemplate parses a template. A literal dollar sign before a brace is doubled.
func parseTemplate(env *cel.Env, written string) (template, error) {
	if len(written) > maxTemplate {
		return nil, fmt.Errorf("it is longer than %d characters", maxTemplate)
	}
	var out template
	text := strings.Builder{}
	for rest := written; rest != ""; {
		at := strings.Index(rest, "${")
		if at < 0 {
			text.WriteString(rest)
			break
		}
		text.WriteString(rest[:at])
		if at > 0 && rest[at-1] == '$' { // "$${" is "${"
			text.WriteString("{")
			rest = rest[at+2:]
			continue
		}
		inner := rest[at+2:]
		end := closing(inner)
		if end < 0 {
			return nil, fmt.Errorf("nothing ends the ${ before %q; write }", inner)
		}
		e, err := compile(env, strings.TrimSpace(inner[:end]))
		if err != nil {
			return nil, fmt.Errorf("${%s}: %w", inner[:end], err)
		}
		if text.Len() > 0 {
			out = append(out, piece{text: text.String()})
			text.Reset()
		}
		out, rest = append(out, piece{cel: e}), inner[end+1:]
	}
	if text.Len() > 0 {
		out = append(out, piece{text: text.String()})
	}
	return out, nil
}

// closing finds the brace that ends an expression, skipping those in strings and nested ones.
func closing(text string) int {
	depth, quote := 0, byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth == 0:
			return i
		case c == '}':
			depth--
		}
	}
	return -1
}

// fill evaluates the template within a budget, and reduces it.
func (t template) fill(ctx context.Context, vars map[string]any, left *uint64) (string, error) {
	var out strings.Builder
	for _, p := range t {
		if p.cel == nil {
			out.WriteString(p.text)
			continue
		}
		value, err := p.cel.within(ctx, vars, left)
		if err != nil {
			return "", err
		}
		text, err := asText(value)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
	}
	return out.String(), nil
}

// within evaluates an expression within a budget, and reduces it.
func (e *expression) within(ctx context.Context, vars map[string]any, left *uint64) (ref.Val, error) {
	if *left == 0 {
		return nil, errCost
	}
	value, cost, err := e.eval(ctx, vars)
	*left -= min(*left, cost)
	return value, err
}

// asText formats a value for people: strings as they are, numbers without a trailing fraction, and
// compound values as JSON.
func asText(value ref.Val) (string, error) {
	switch v := value.(type) {
	case types.String:
		return string(v), nil
	case types.Bool:
		return strconv.FormatBool(bool(v)), nil
	case types.Null:
		return "", nil
	case types.Double:
		f := float64(v)
		if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return strconv.FormatInt(int64(f), 10), nil
		}
		return strconv.FormatFloat(f, 'g', -1, 64), nil
	case types.Int:
		return strconv.FormatInt(int64(v), 10), nil
	case types.Uint:
		return strconv.FormatUint(uint64(v), 10), nil
	}
	plain, err := value.ConvertToNative(jsonType)
	if err != nil {
		return "", fmt.Errorf("%s can't be written as text", value.Type().TypeName())
	}
	text, err := json.Marshal(plain.(*structpb.Value).AsInterface())
	return string(text), err
}
