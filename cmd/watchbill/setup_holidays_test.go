package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A calendar next to the set-up file is read as its days, and its errors are reported.
func TestHolidaysOfAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const setup = `
users: [{name: Ann, slack: U0ANN}]
teams: [{name: ops, channel: "#ops", members: [Ann]}]
schedules:
  - name: ops
    team: ops
    time_zone: UTC
    holidays: {calendar: CALENDAR, rule: ask}
    rotations: [{name: weekly, start: 2026-01-05 09:00, every: week, turns: [Ann]}]
`
	write("company.ics", "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1@example.com\nDTSTART;VALUE=DATE:20260709\nSUMMARY:Company day\nEND:VEVENT\nEND:VCALENDAR\n")
	path := write("setup.yaml", strings.Replace(setup, "CALENDAR", "company.ics", 1))
	doc, err := readSetup([]string{path}, path)
	if err != nil {
		t.Fatal(err)
	}
	if h := doc.Schedules[0].Holidays; h.Calendar != "" || !slices.Equal(h.Days, []string{"2026-07-09 Company day"}) {
		t.Errorf("the holidays are %+v, want the day of the file", h)
	}
	for calendar, want := range map[string]string{
		"missing.ics": `schedule "ops": holidays: read missing.ics`,
		"setup.yaml":  `calendar "setup.yaml" is not a country`,
		"page.ics":    "This is not a calendar",
	} {
		write("page.ics", "<html></html>")
		path := write("wrong.yaml", strings.Replace(setup, "CALENDAR", calendar, 1))
		if _, err := readSetup([]string{path}, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", calendar, err, want)
		}
	}
}
