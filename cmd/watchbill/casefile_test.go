package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func rulesCase(t *testing.T) Case {
	t.Helper()
	data, err := os.ReadFile("testdata/case.json")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCase(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCaseRendersShifts(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(rulesCase(t).Render(at(t, "2026-03-06T01:00:00-05:00"), at(t, "2026-03-17T00:00:00Z")))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"shifts":[` +
		`{"start":"2026-03-06T06:00:00Z","end":"2026-03-06T07:30:00Z","on_call":[]},` +
		`{"start":"2026-03-06T07:30:00Z","end":"2026-03-07T07:30:00Z","on_call":["ana"]},` +
		`{"start":"2026-03-07T07:30:00Z","end":"2026-03-08T07:00:00Z","on_call":["bo","cy"]},` + // the weekend turn has nobody
		`{"start":"2026-03-08T07:00:00Z","end":"2026-03-09T06:30:00Z","on_call":["ana"]},` +
		`{"start":"2026-03-09T06:30:00Z","end":"2026-03-10T00:00:00Z","on_call":["bo","cy"]},` +
		`{"start":"2026-03-10T00:00:00Z","end":"2026-03-10T12:00:00Z","on_call":["ana","ed"]},` +
		`{"start":"2026-03-10T12:00:00Z","end":"2026-03-11T06:30:00Z","on_call":["ana"]},` +
		`{"start":"2026-03-11T06:30:00Z","end":"2026-03-12T00:00:00Z","on_call":["bo","cy"]},` +
		`{"start":"2026-03-12T00:00:00Z","end":"2026-03-12T06:30:00Z","on_call":["cy"]},` +
		`{"start":"2026-03-12T06:30:00Z","end":"2026-03-13T00:00:00Z","on_call":["ana"]},` +
		`{"start":"2026-03-13T00:00:00Z","end":"2026-03-16T09:00:00Z","on_call":["di"]},` +
		`{"start":"2026-03-16T09:00:00Z","end":"2026-03-16T12:00:00Z","on_call":["ana"]},` +
		`{"start":"2026-03-16T12:00:00Z","end":"2026-03-17T00:00:00Z","on_call":[]}]}`
	if diff := cmp.Diff(strings.ReplaceAll(want, "},{", "},\n{"), strings.ReplaceAll(string(got), "},{", "},\n{")); diff != "" {
		t.Errorf("strings.ReplaceAll (-want +got):\n%s", diff)
	}
}

func TestCaseTellsWhoIsOnCallAtInstants(t *testing.T) {
	t.Parallel()
	c := rulesCase(t)
	instants := []time.Time{at(t, "2026-03-08T06:59:59Z"), at(t, "2026-03-08T07:00:00Z"), at(t, "2026-03-16T13:00:00+01:00")}
	got, err := json.Marshal(c.At(instants, at(t, "2026-03-09T06:30:00Z")))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"at":"2026-03-08T06:59:59Z","on_call":["bo","cy"],"next_change":"2026-03-08T07:00:00Z"},` +
		`{"at":"2026-03-08T07:00:00Z","on_call":["ana"],"next_change":null},` + // the next change is not before until
		`{"at":"2026-03-16T12:00:00Z","on_call":[],"next_change":null}]`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if none, _ := json.Marshal(c.At(nil, instants[0])); string(none) != "[]" {
		t.Errorf(`no instants give %s, want "[]"`, none)
	}
	if none, _ := json.Marshal(c.Render(instants[1], instants[0])); string(none) != `{"shifts":[]}` {
		t.Errorf(`an empty window gives %s, want "{\"shifts\":[]}"`, none)
	}
}

func TestCaseRefusals(t *testing.T) {
	t.Parallel()
	layer := `{"name":"a","timezone":"UTC","start_date":"2026-03-07","handoff":"09:00","rotation":{"type":"daily"},"participants":[["x"]]}`
	whole := `{"users":[{"id":"x"}],"schedule":{"versions":[{"effective_from":null,"layers":[` + layer + `]}]},` +
		`"overrides":[{"seq":1,"kind":"cover","start":"2026-03-07T00:00:00Z","end":"2026-03-08T00:00:00Z","users":["x"]}]}`
	if _, err := ParseCase([]byte(whole)); err != nil {
		t.Fatal(err)
	}
	const here = "schedule.versions[0].layers[0]"
	tests := []struct{ old, new, want string }{
		{whole, ``, `The case is not valid JSON: it ends too early.`},
		{whole, "{\n\n]", `The case is not valid JSON on line 3: invalid character ']' looking for beginning of object key string.`},
		{whole, whole + "\n{}", `The case goes on after its end, on line 2.`},
		{whole, `[]`, `The case is not an object.`},
		{whole, `{}`, `schedule is missing.`},
		{`"versions"`, `"version"`, `schedule.versions is missing.`},
		{`[{"id":"x"}]`, `{"x":1}`, `users is not a list.`},
		{`[{"id":"x"}]`, `[{"id":"x"},{"id":"x"}]`, `users[1] is "x" for the second time.`},
		{`[{"id":"x"}]`, `[{"id":"x","inactive":[{"end":null}]}]`, `users[0].inactive[0].start is missing.`},
		{`"effective_from":null`, `"effective_from":"now"`, `schedule.versions[0].effective_from is not an instant such as "2026-03-08T07:00:00Z".`},
		{`"UTC"`, `"Mars"`, `Rotation "a", timezone: "Mars" is not a time zone such as "Europe/Berlin".`},
		{`"timezone":"UTC",`, ``, here + `.timezone is missing.`},
		{`"2026-03-07",`, `"2026-02-30",`, here + `.start_date is not a date such as "2026-03-07".`},
		{`"09:00"`, `"9:00"`, here + `.handoff is not a time such as "09:00".`},
		{`"09:00"`, `"24:00"`, here + `.handoff is not a time such as "09:00".`},
		{`"handoff":"09:00",`, ``, here + `.handoff is missing.`},
		{`"daily"`, `"yearly"`, here + `.rotation.type is none of daily, weekly, monthly, hours, cron.`},
		{`"daily"`, `"daily","every":0`, here + `.rotation.every is less than 1.`},
		{`"daily"`, `"daily","every":1.5`, here + `.rotation.every is not a whole number.`},
		{`"daily"`, `"daily","every":99999`, `Rotation "a", period.every: 99999 is not a number from 1 to 10000.`},
		{`"daily"`, `"cron"`, here + `.rotation.expr is missing.`},
		{`"daily"`, `"cron","expr":"* * *"`, `Rotation "a", period.cron: "* * *" is not a cron expression: expected exactly 5 fields, found 3: [* * *].`},
		{`"daily"`, `"cron","expr":"TZ=UTC"`, `Rotation "a", period.cron: "TZ=UTC" is not a cron expression of five fields.`},
		{`"daily"`, `"cron","expr":"0 0 30 2 *"`, `Rotation "a", period.cron: "0 0 30 2 *" never matches.`},
		{`"daily"`, `"cron","expr":", 0 1 1 *"`, `Rotation "a", period.cron: ", 0 1 1 *" never matches.`},
		{`[["x"]]`, `[]`, here + `.participants is empty.`},
		{`[["x"]]`, `["x"]`, here + `.participants[0] is not a list.`},
		{`[["x"]]`, `[[1]]`, here + `.participants[0][0] is not a string.`},
		{`[["x"]]`, `[["x"]],"first_turn":"one"`, here + `.first_turn is not a whole number.`},
		{`[["x"]]`, `[["x"]],"restrictions":[{"days":["moon"],"from":"01:00","to":"02:00"}]`, here + `.restrictions[0].days[0] is not a weekday such as "mon".`},
		{`[["x"]]`, `[["x"]],"restrictions":[{"from_day":"mon","from":"01:00","to":"02:00"}]`, here + `.restrictions[0].to_day is missing.`},
		{`"seq":1`, `"seq":null`, `overrides[0].seq is missing.`},
		{`"cover"`, `"add"`, `overrides[0].kind is neither "cover" nor "swap".`},
		{`"cover"`, `"swap"`, `overrides[0].from is missing.`},
		{`"2026-03-08T00:00:00Z"`, `"2026-03-07T00:00:00Z"`, `overrides[0] has an end that is not after its start.`},
	}
	for _, test := range tests {
		_, err := ParseCase([]byte(strings.Replace(whole, test.old, test.new, 1)))
		if err == nil {
			t.Errorf("%s: accepted, want %s", test.new, test.want)
		} else if err.Error() != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.new, err, test.want)
		}
	}
}

func FuzzParseCase(f *testing.F) {
	data, err := os.ReadFile("testdata/case.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schedule":{"versions":[{"layers":[]}]}}`))
	f.Add([]byte(`{"schedule":{"versions":[]},"overrides":[{"seq":-1}]}`))
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 0, 20)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCase(data)
		if err != nil {
			if text := err.Error(); strings.Contains(text, "\n") || !strings.HasSuffix(text, ".") {
				t.Fatalf(`not one sentence: %q; want it not to contain %q and it to end with "."`, text, "\n")
			}
			return
		}
		end := from
		for _, s := range c.Render(from, to).Shifts {
			if !s.Start.Equal(end) || !s.Start.Before(s.End) || s.OnCall == nil {
				t.Fatalf("got the shift %+v, want one with people, which starts at %s and ends later", s, end)
			}
			end = s.End
			if diff := cmp.Diff(s.OnCall, c.At([]time.Time{s.Start}, to)[0].OnCall); diff != "" {
				t.Fatal(diff)
			}
		}
		if !end.Equal(to) {
			t.Fatalf("the shifts end at %s, want %s", end, to)
		}
	})
}
