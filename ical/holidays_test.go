package ical

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
)

// Events of whole days are holidays, each day of them; others are not.
func TestHolidaysAreTheWholeDays(t *testing.T) {
	t.Parallel()
	event := func(lines string) string {
		return "BEGIN:VEVENT\nUID:" + lines[:12] + "\n" + lines + "\nEND:VEVENT\n"
	}
	text := "BEGIN:VCALENDAR\nVERSION:2.0\n" +
		event("SUMMARY:New Year's Day\nDTSTART;VALUE=DATE:20250101\nRRULE:FREQ=YEARLY\nTRANSP:TRANSPARENT") +
		event("SUMMARY:Company days\nDTSTART;VALUE=DATE:20260709\nDTEND;VALUE=DATE:20260711") +
		event("SUMMARY:Standup of all\nDTSTART:20260710T090000Z\nDTEND:20260710T093000Z") +
		event("SUMMARY:Before any of it\nDTSTART;VALUE=DATE:20200102") +
		"END:VCALENDAR\n"
	days, err := Holidays([]byte(text), 2026, 2028)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range days {
		got = append(got, d.Date.String()+" "+d.Name)
	}
	want := []string{"2026-01-01 New Year's Day", "2026-07-09 Company days", "2026-07-10 Company days", "2027-01-01 New Year's Day"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, ok := errors.AsType[oncall.Refusal](second(Holidays([]byte("<html>"), 2026, 2028))); !ok {
		t.Error("a page is read as a calendar, want a refusal")
	}
	daily := strings.Replace(text, "FREQ=YEARLY", "FREQ=DAILY", 1)
	if _, err := Holidays([]byte(daily), 2026, 2033); err == nil || !strings.Contains(err.Error(), "more than 2000 days") {
		t.Errorf("a calendar of all days: %v, want a refusal", err)
	}
}

func second[A, B any](_ A, b B) B { return b }
