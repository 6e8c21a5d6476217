package route

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

func payload(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var out any
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

const sensors = `{"site": "north", "id": 1234567890123456789, "level": 3, "ratio": 0.5, "ok": false, "none": null,
	"tags": {"rack": "r1", "env": "prod"}, "a.b": "dotted",
	"alarms": [{"name": "Too hot", "host": "s1", "sev": "crit"}, {"name": "Too wet", "host": "s2", "state": "closed"}]}`

func TestTemplatesHoldExpressions(t *testing.T) {
	env, err := mappingEnv()
	if err != nil {
		t.Fatal(err)
	}
	for written, want := range map[string]string{
		`plain`:                                                    "plain",
		`${payload.site}: ${payload.level}`:                        "north: 3",
		`${payload.id}`:                                            "1234567890123456789",
		`${payload.ratio}/${payload.ok}`:                           "0.5/false",
		`[${payload.none}]`:                                        "[]",
		`${payload.tags}`:                                          `{"env":"prod","rack":"r1"}`,
		`$${payload.site}`:                                         "${payload.site}",
		`costs $5 {a}`:                                             "costs $5 {a}",
		`${payload.alarms[0].name}`:                                "Too hot",
		`${get(payload, "alarms[1].host")}`:                        "s2",
		`${get(payload, "alarms[9].host")}`:                        "",
		`${get(payload, "a.b", "none")}`:                           "none",
		`${get(payload, "[\"a.b\"]", "none")}`:                     "dotted",
		`${get(payload, "none", "null")}`:                          "null",
		`${get(payload, "site[0]", "no")}`:                         "no",
		`${{"x": "}"}["x"]}`:                                       "}",
		`${"a" + '}' + payload.site}`:                              "a}north",
		`${payload.level > 2.5 ? "high" : "low"}`:                  "high",
		`${payload.alarms.map(a, a.name)}`:                         `["Too hot","Too wet"]`,
		`${payload.tags.map(k, k)}`:                                `["env","rack"]`,
		`${payload.alarms.exists(a, get(a, "state") == "closed")}`: "true",
		`${payload["site"]}`:                                       "north",
	} {
		tpl, err := parseTemplate(env, written)
		if err != nil {
			t.Errorf("%s: %v", written, err)
			continue
		}
		left := uint64(mappingCost)
		got, err := tpl.fill(context.Background(), map[string]any{"payload": ordered{env.CELTypeAdapter()}.NativeToValue(payload(t, sensors))}, &left)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", written, got, err, want)
		}
	}
	for written, want := range map[string]string{
		`${payload.site`:           "nothing ends the ${",
		`${}`:                      "ends too early",
		`${payloda.site}`:          `did you mean "payload"?`,
		`${get(payload)}`:          "no matching overload",
		`a ${"x} b`:                "nothing ends the ${",
		strings.Repeat("x", 4_001): "longer than",
	} {
		if _, err := parseTemplate(env, written); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", written, err, want)
		}
	}
}

func TestMappingExtractsSignals(t *testing.T) {
	m, err := CompileMapping(oncall.Mapping{
		Each: `payload.alarms`, Title: `${item.host}: ${item.name}`, Severity: `${get(item, "sev", "low")}`, Status: `${get(item, "state", "open")}`,
		DedupKey: `${payload.site}/${item.host}`, Labels: map[string]string{"site": "${payload.site}", "by": "sensors"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Map(context.Background(), payload(t, sensors))
	if want := `[{Title:s1: Too hot Body: Severity:crit Status:open Key:north/s1 Link: Labels:map[by:sensors site:north] Details:map[] Links:map[]} ` +
		`{Title:s2: Too wet Body: Severity:low Status:closed Key:north/s2 Link: Labels:map[by:sensors site:north] Details:map[] Links:map[]}]`; err != nil || fmt.Sprintf("%+v", got) != want {
		t.Errorf(`%+v, %v, want %v`, got, err, want)
	}
	for body, want := range map[string]string{
		`{}`:                                     "each: no such key: alarms",
		`{"alarms": 3}`:                          "each: it gives int; it must give a list",
		`{"alarms": []}`:                         "each: the list is empty",
		`{"alarms": [{"host": "a"}]}`:            "part 1: title: no such key: name",
		`{"alarms": [{"host": "a", "name": 1}]}`: "part 1: dedup_key: no such key: site",
	} {
		if _, err := m.Map(context.Background(), payload(t, body)); err == nil || err.Error() != want {
			t.Errorf("%s: %v; want %q", body, err, want)
		}
	}
	var many strings.Builder
	many.WriteString(`{"site": "x", "alarms": [`)
	for i := range maxEach + 1 {
		fmt.Fprintf(&many, `{"host": "h%d", "name": "n"},`, i)
	}
	many.WriteString(`{}]}`)
	if _, err := m.Map(context.Background(), payload(t, many.String())); err == nil || !strings.Contains(err.Error(), "it may have 1000") {
		t.Errorf(`%v; want an error containing "it may have 1000"`, err)
	}
}

func TestMappingProblemsNameTheField(t *testing.T) {
	for want, d := range map[string]oncall.Mapping{
		"title is missing":            {Body: "x"},
		"body: ${paylaod.x}":          {Title: "x", Body: "${paylaod.x}"},
		"labels.env: nothing ends":    {Title: "x", Labels: map[string]string{"env": "${"}},
		"each: it gives int; it must": {Title: "x", Each: "3"},
	} {
		if _, err := CompileMapping(d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got the error %v, want %q", err, want)
		}
	}
}

func TestMappingCostIsLimited(t *testing.T) {
	loop := `${payload.l.map(a, payload.l.map(b, payload.l.map(c, a + b + c)))}`
	m, err := CompileMapping(oncall.Mapping{Title: loop})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"l": [` + strings.TrimSuffix(strings.Repeat("1,", 500), ",") + `]}`
	if _, err := m.Map(context.Background(), payload(t, body)); err == nil || !strings.Contains(err.Error(), "costs more than") {
		t.Errorf(`%v; want an error containing "costs more than"`, err)
	}
}
