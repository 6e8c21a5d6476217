package oncall

import "testing"

func TestWhichEventsCountAsTimeOff(t *testing.T) {
	t.Parallel()
	usual, days, own := AwayCalendar{Rule: AwayByWords}, AwayCalendar{Rule: AwayDays}, AwayCalendar{Rule: AwayByWords, Words: []string{"out climbing"}}
	for _, c := range []struct {
		of    AwayCalendar
		event AwayEvent
		want  bool
	}{
		{usual, AwayEvent{Title: "Vacation in Norway", AllDay: true, Free: true}, true},
		{usual, AwayEvent{Title: "Ann: OOO"}, true},
		{usual, AwayEvent{Title: "URLAUB!"}, true},
		{usual, AwayEvent{Title: "Out-of-office"}, true},
		{usual, AwayEvent{Title: "Plan the vacationing feature"}, false},
		{usual, AwayEvent{Title: "Dentist", AllDay: true}, false},
		{usual, AwayEvent{Title: "Dentist", Out: true}, true},
		{days, AwayEvent{Title: "Skiing", AllDay: true}, true},
		{days, AwayEvent{Title: "Bo's birthday", AllDay: true, Free: true}, false},
		{days, AwayEvent{Title: "Standup"}, false},
		{own, AwayEvent{Title: "Out climbing"}, true},
		{own, AwayEvent{Title: "Vacation"}, false},
		{AwayCalendar{Rule: AwayAll}, AwayEvent{Title: "Standup"}, true},
	} {
		if got := c.of.Counts(c.event); got != c.want {
			t.Errorf("%+v counts by %q %v: %t, want %t", c.event, c.of.Rule, c.of.Words, got, c.want)
		}
	}
}

func TestCalendarAddressSpellings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"webcal://example.com/a.ics":                               "https://example.com/a.ics",
		"\t<https://example.com/a.ics>\n":                          "https://example.com/a.ics",
		"<https://example.com/a.ics|example.com>":                  "https://example.com/a.ics",
		"http://calendar.example.com:8080/private-abc/basic.ics?x": "http://calendar.example.com:8080/private-abc/basic.ics?x",
		"file:///etc/passwd":                                       "",
		"example.com/a.ics":                                        "",
		"":                                                         "",
	} {
		got, err := AwayCalendar{URL: text}.Clean()
		if want == "" {
			if err == nil {
				t.Errorf("%q is taken as %q, want a refusal", text, got.URL)
			}
			continue
		}
		if err != nil || got.URL != want {
			t.Errorf("%q is taken as %q (%v), want %q", text, got.URL, err, want)
		}
	}
}
