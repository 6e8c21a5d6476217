package api_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// newCalendarWorld makes a world with a weekly schedule of Ann and Bo, and returns the secrets of Ann's
// feed and of the schedule's.
func newCalendarWorld(t *testing.T) (w *world, own, whole string, feed store.Feed) {
	t.Helper()
	w = newWorld(t)
	_, err := w.store.Apply(t.Context(), setup.Setup{
		Users: []setup.User{{Name: "ann", Slack: "U0ANN", TimeZone: "UTC"}, {Name: "Bo; Brand", Slack: "U0BO", TimeZone: "UTC"}},
		Teams: []setup.Team{{Name: "orders", Channel: "#orders", Members: []string{"ann"}}},
		Schedules: []setup.Schedule{{
			Name: "orders, primary", Team: "orders", TimeZone: "Europe/Berlin",
			Rotations: []setup.Rotation{{Name: "weekly", Start: "2026-01-05 09:00", Every: "week", Turns: []setup.Turn{{"ann"}, {"Bo; Brand"}}}},
		}},
	}, store.ApplyOptions{Write: true}, w.clock.Now())
	w.must(err)
	dir, err := w.store.Directory(t.Context())
	w.must(err)
	feed, own, err = w.store.MakeFeed(t.Context(), oncall.ByTimer(), store.Feed{UserID: "U0ANN", CreatedBy: "U0ANN"}, w.clock.Now())
	w.must(err)
	_, whole, err = w.store.MakeFeed(t.Context(), oncall.ByTimer(), store.Feed{ScheduleID: dir.Schedules[0].ID(), CreatedBy: "U0ANN"}, w.clock.Now())
	w.must(err)
	return w, own, whole, feed
}

func TestCalendarShowsShifts(t *testing.T) {
	t.Parallel()
	d, own, whole, _ := newCalendarWorld(t)
	for secret, want := range map[string][]string{
		own: {
			"On call: ann", "15", "20260202T080000Z", "20260209T080000Z", "On call: orders, primary",
			"On call: ann\nSchedule: orders, primary\nMon 2 Feb 09:00 – Mon 9 Feb 09:00 (Europe/Berlin)",
		},
		whole: {
			"On call: orders, primary", "31", "20260126T080000Z", "20260202T080000Z", "Bo; Brand: orders, primary",
			"On call: Bo; Brand\nSchedule: orders, primary\nMon 26 Jan 09:00 – Mon 2 Feb 09:00 (Europe/Berlin)",
		},
	} {
		got := d.send(http.MethodGet, "/v1/calendar/"+secret+".ics", nil)
		if kind := got.header.Get("Content-Type"); got.code != http.StatusOK || kind != "text/calendar; charset=utf-8" {
			t.Fatalf("got %d %s %s, want 200 and \"text/calendar; charset=utf-8\"", got.code, kind, got.body)
		}
		c, err := ics.ParseCalendar(strings.NewReader(got.body))
		d.must(err)
		name := ""
		for _, p := range c.CalendarProperties {
			if p.IANAToken == "X-WR-CALNAME" {
				name = ics.FromText(p.Value)
			}
		}
		first := c.Events()[0]
		value := func(p ics.ComponentProperty) string { return ics.FromText(first.GetProperty(p).Value) }
		text := []string{
			name, fmt.Sprint(len(c.Events())), value(ics.ComponentPropertyDtStart), value(ics.ComponentPropertyDtEnd),
			value(ics.ComponentPropertySummary), value(ics.ComponentPropertyDescription),
		}
		if diff := cmp.Diff(want, text); diff != "" {
			t.Errorf("calendar (-want +got):\n%s", diff)
		}
	}
}

// A reader that already has the calendar gets 304 until it changes.
func TestCalendarNotModified(t *testing.T) {
	t.Parallel()
	d, own, _, _ := newCalendarWorld(t)
	path := "/v1/calendar/" + own + ".ics"
	first := d.send(http.MethodGet, path, nil)
	tag := first.header.Get("ETag")
	d.clock.Advance(3 * time.Hour)
	for _, header := range []string{tag, `"other", W/` + tag, "*"} {
		got := d.send(http.MethodGet, path, nil, "If-None-Match: "+header)
		if got.code != http.StatusNotModified || got.body != "" || got.header.Get("ETag") != tag {
			t.Errorf("%s: got %d with %d bytes, want 304, \"\" and ETag %v", header, got.code, len(got.body), tag)
		}
	}
	if got := d.send(http.MethodHead, path, nil); got.code != http.StatusOK || got.body != "" || got.header.Get("ETag") != tag {
		t.Errorf("HEAD: got %d with %d bytes, want 200, \"\" and ETag %v", got.code, len(got.body), tag)
	}
	dir, err := d.store.Directory(t.Context())
	d.must(err)
	_, err = d.store.AddOverride(t.Context(), oncall.ByTimer(), dir.Schedules[0].ID(), schedule.Override{
		Kind: schedule.OverrideSwap, Start: d.clock.Now(), End: d.clock.Now().Add(time.Hour), From: "U0ANN", To: "U0BO",
	}, d.clock.Now())
	d.must(err)
	got := d.send(http.MethodGet, path, nil, "If-None-Match: "+tag)
	if got.code != http.StatusOK || got.header.Get("ETag") == tag || !strings.Contains(got.body, "SEQUENCE:2\r\n") {
		t.Errorf("after a swap: got %d %s, want 200, a new ETag and SEQUENCE:2", got.code, got.body)
	}
}

// A schedule from before the shortest turn was an hour has a quarter of a million shifts; its feed
// has the first few thousand, in a few megabytes, however many requests come at once.
func TestHugeCalendarIsBounded(t *testing.T) {
	d, own, whole, _ := newCalendarWorld(t)
	_, err := d.pool.Exec(t.Context(), `
		INSERT INTO schedule_versions (schedule_id, effective_from, rotations, note, created_by, created_at)
		SELECT schedule_id, effective_from, jsonb_set(rotations, '{0,period}', '{"cron": "* * * * *"}'), '', '', created_at
		FROM schedule_versions`)
	d.must(err)
	d.startFolding()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			path := "/v1/calendar/" + []string{own, whole}[i%2] + ".ics"
			got, err := d.try(http.MethodGet, path, nil)
			for n := 0; n < 10 && got.code == http.StatusServiceUnavailable; n++ { // programs ask again
				got, err = d.try(http.MethodGet, path, nil)
			}
			if events := strings.Count(got.body, "BEGIN:VEVENT"); err != nil || got.code != http.StatusOK || events != store.FeedShifts {
				t.Errorf("got %d with %d events, %v, want 200 with %d", got.code, events, err, store.FeedShifts)
			}
			if !strings.HasSuffix(got.body, "END:VCALENDAR\r\n") || !strings.Contains(got.body, "Only the first 5000") {
				t.Errorf("the calendar of %d bytes ends in %q, want it whole, and to say that it has only the first 5000", len(got.body), got.body[max(0, len(got.body)-30):])
			}
		})
	}
	all.Wait()
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 1500 { // 400 bytes an event, read by 24; it was 16 GiB
		t.Errorf("24 requests took %d MiB, want at most 1500", used)
	}
}

func TestUnknownCalendarIsNotFound(t *testing.T) {
	t.Parallel()
	d, own, _, feed := newCalendarWorld(t)
	d.must(d.store.RevokeFeed(t.Context(), oncall.ByTimer(), feed.ID, d.clock.Now()))
	const none = `"status":404,"detail":"There is no calendar at this address; it may have been revoked."`
	for _, file := range []string{own + ".ics", own, unknownKey + ".ics", ".ics", strings.Repeat("x", 3000) + ".ics", "%00.ics", genericKey + ".ics"} {
		d.wantProblem(d.send(http.MethodGet, "/v1/calendar/"+file, nil), http.StatusNotFound, none)
	}
	if log := d.log.String(); strings.Contains(log, own) || !strings.Contains(log, "GET /v1/calendar/{file}") {
		t.Errorf("the log is\n%s\nwant the pattern of the path, without the secret %q", log, own)
	}
}

// Guessing secrets is rate-limited; a valid secret works even from the same address.
func TestCalendarGuessesAreLimited(t *testing.T) {
	t.Parallel()
	d, own, _, _ := newCalendarWorld(t)
	for range 30 {
		if got := d.send(http.MethodGet, "/v1/calendar/"+unknownKey+".ics", nil); got.code != http.StatusNotFound {
			t.Fatalf("got %d, want %d", got.code, http.StatusNotFound)
		}
	}
	got := d.send(http.MethodGet, "/v1/calendar/"+unknownKey+".ics", nil)
	if got.code != http.StatusTooManyRequests || got.header.Get("Retry-After") != "60" {
		t.Errorf("got %d, Retry-After %q, want 429, \"60\"", got.code, got.header.Get("Retry-After"))
	}
	if got := d.send(http.MethodGet, "/v1/calendar/"+own+".ics", nil); got.code != http.StatusOK {
		t.Errorf("with a good secret: %d, want %d", got.code, http.StatusOK)
	}
	d.clock.Advance(time.Minute)
	if got := d.send(http.MethodGet, "/v1/calendar/"+unknownKey+".ics", nil); got.code != http.StatusNotFound {
		t.Errorf("a minute later: %d, want %d", got.code, http.StatusNotFound)
	}
}
