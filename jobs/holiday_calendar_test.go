package jobs

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
)

const birthday = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example.com//calendar//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n" +
	"DTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20260105\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:Company day\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// A calendar that never changes is read anew each year, as its holidays recur beyond the years that were read.
func TestSameHolidaysAreReadAnewEachYear(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write([]byte(birthday))
	}))
	t.Cleanup(server.Close)
	now := time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	j := &Jobs{
		calendars: notify.NewCalendars(notify.AddressRules{Loopback: []notify.Loopback{{Net: netip.MustParsePrefix("127.0.0.0/8")}}}),
		clock:     func() time.Time { return now },
	}
	first, err := j.holidays(t.Context(), server.URL, "")
	if err != nil || first.Trouble != "" || len(first.Days) == 0 {
		t.Fatalf("got %+v, %v; want holidays", first, err)
	}
	if last := first.Days[len(first.Days)-1]; last.Date.Year != 2029 {
		t.Errorf("the last holiday is %+v, want one of 2029", last)
	}
	if same, err := j.holidays(t.Context(), server.URL, first.Tag); err != nil || !same.Same || same.Tag != first.Tag {
		t.Errorf("%+v, %v; want the same", same, err)
	}
	now = now.AddDate(1, 0, 0)
	next, err := j.holidays(t.Context(), server.URL, first.Tag)
	if err != nil || next.Same || len(next.Days) == 0 {
		t.Fatalf("a year later got %+v, %v; want other holidays", next, err)
	}
	if last := next.Days[len(next.Days)-1]; last.Date.Year != 2030 {
		t.Errorf("a year later the last holiday is %+v, want one of 2030", last)
	}
}
