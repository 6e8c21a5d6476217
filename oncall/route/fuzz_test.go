package route

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/watchbill/watchbill/oncall"
)

// Any condition is refused in one line, or it holds or not, and its negation gives the opposite.
func FuzzParseCondition(f *testing.F) {
	for _, seed := range []string{"labels.env is staging", `labels["a b"] is not one of "x, y", z`, "title matches (a|b)*", "severity is high", "is is is", "labels.x starts with \xff", `labels["`, "title is \"\\"} {
		f.Add(seed, "staging")
	}
	f.Fuzz(func(t *testing.T, written, value string) {
		c, err := parseCondition(written)
		if err != nil {
			if strings.ContainsRune(err.Error(), '\n') && !strings.ContainsRune(written, '\n') {
				t.Fatalf("%q: the error has several lines: %q", written, err)
			}
			return
		}
		_, name, _ := strings.Cut(c.field, ".")
		facts := Facts{Title: value, Severity: value, Labels: map[string]string{name: value}}
		opposite := *c
		opposite.not = !c.not
		if opposite.isTrue(&facts) == c.isTrue(&facts) {
			t.Fatalf("%q of %q says the same with and without not", written, value)
		}
		if why := c.unmet(&facts); utf8.ValidString(written) && utf8.ValidString(value) && !utf8.ValidString(why) {
			t.Fatalf("%q of %q: the reason is not valid UTF-8: %q", written, value, why)
		}
	})
}

// Any CEL, for any alert, is refused or ends, and gives the same result at the same cost again.
func FuzzWhen(f *testing.F) {
	for _, seed := range []string{`labels.env == "x"`, `labels.all(k, labels[k] != title)`, `title.matches(body)`, `[1,2].exists(a, [1,2].map(b, a+b).size() > 3)`, `1/0 == 1`, `get(labels, "a[0].b", 1) == 1`, `duration(title) > duration("1s")`, `lower(body + body) == title`} {
		f.Add(seed, "x", "prod")
	}
	f.Fuzz(func(t *testing.T, written, title, env string) {
		e, err := compileWhen(written)
		if err != nil {
			return
		}
		facts := Facts{Title: title, Body: env + title, Labels: map[string]string{"env": env, "x": title}}
		value, cost, err := e.eval(context.Background(), facts.vars())
		again, costs, other := e.eval(context.Background(), facts.vars())
		if cost != costs || (err == nil) != (other == nil) || err == nil && value.Value() != again.Value() {
			t.Fatalf("%s is not the same twice: %v for %d, %v; then %v for %d, %v", written, value, cost, err, again, costs, other)
		}
	})
}

// No path breaks anything, and an invalid one has no value.
func FuzzReadPath(f *testing.F) {
	for _, seed := range []string{"a.b[0].c", "", ".", "[", "a[", `["a.b"].c`, "a[99999999999999999999]", "a..b", "[-1]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		steps, err := readPath(path)
		if err == nil && (len(steps) == 0 || len(steps) > maxPathSteps) {
			t.Fatalf("%q has %d steps, want 1 to %d", path, len(steps), maxPathSteps)
		}
	})
}

// Any mapping of any body gives texts or an error.
func FuzzMapping(f *testing.F) {
	f.Add("${payload.a}: ${item}", "payload.l", `{"a": 1, "l": [1, "x", {}]}`)
	f.Add("$${ ${{'a': '}'}}", "", `[1e400, -0, 123456789012345678901234567890]`)
	f.Add(`${get(payload, "a[0][\"b\"]", [1])}`, "", `{"a": [{"b": null}]}`)
	f.Add(`${payload}${item}`, "[payload]", `"text"`)
	f.Fuzz(func(t *testing.T, title, each, body string) {
		d := json.NewDecoder(strings.NewReader(body))
		d.UseNumber()
		var came any
		if d.Decode(&came) != nil {
			return
		}
		m, err := CompileMapping(oncall.Mapping{Title: title, Each: each})
		if err != nil {
			return
		}
		first, err := m.Map(context.Background(), came)
		again, other := m.Map(context.Background(), came)
		if (err == nil) != (other == nil) || len(first) != len(again) || len(first) > 0 && first[0].Title != again[0].Title {
			t.Fatalf("%q of %s is not the same twice: %+v, %v; then %+v, %v", title, body, first, err, again, other)
		}
	})
}

func BenchmarkRoute(b *testing.B) {
	var words, cel []Rule
	for range 20 {
		words = append(words, Rule{Name: "w", If: []string{"labels.env is staging", "title starts with x"}, Policy: 2})
		cel = append(cel, Rule{Name: "c", When: `severity in ["critical"] && labels.env == "prod" && service.startsWith("check") && labels.instance.matches("^web-[0-9]+$")`, Policy: 2})
	}
	s := oncall.Signal{Title: "Disk full", Severity: oncall.Critical, Labels: map[string]string{"env": "prod", "service": "checkout", "instance": "x"}}
	for name, rules := range map[string][]Rule{"words": words, "cel": cel} {
		r := &Router{Lists: []*List{Compile(Definition{Rules: rules})}, Policy: func(oncall.PolicyID) string { return "" }}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if r.Route(b.Context(), s).Matched() {
					b.Fatal("it matches")
				}
			}
		})
	}
}
