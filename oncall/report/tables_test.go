package report

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

var update = flag.Bool("update", false, "write the figures that the package gives")

// TestReportsMatchTheirTables compares reports with testdata/*.txt: above the line what happened, below it the
// report.
func TestReportsMatchTheirTables(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) < 8 {
		t.Fatalf("only %d tables found, want at least 8", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			words, want, found := strings.Cut(string(text), "\n----\n")
			if !found {
				t.Fatal("no line ----")
			}
			got := describe(Make(readFacts(t, words)))
			if *update {
				if err := os.WriteFile(file, []byte(words+"\n----\n"+got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("wrong figures (- wanted, + given):\n%s", diff)
			}
		})
	}
}

// readFacts reads, a line each:
//
//	period 2026-03-01 to 2026-03-31 Europe/Berlin
//	person ann Europe/Berlin [mon-fri hours 08:00 16:00]
//	incident 7 high payments[/checkout] 2026-03-02T10:00 [ack 5m] [resolved 20m [ann]] [into 8] [real]
//	page ann 2026-03-02T10:00 incident 7 [seq 2] [message 4]
//	shift ann 2026-03-02T09:00 2026-03-09T09:00 [shadow]
//	override bo for ann 2026-03-03T09:00 2026-03-03T18:00 [swap|cover]
//
// Times are in UTC.
func readFacts(t *testing.T, words string) Facts {
	t.Helper()
	f := Facts{People: map[oncall.UserID]Person{}, Ways: map[oncall.OverrideID]Way{}}
	s := schedule.Definition{ID: 1, Name: "payments", TimeZone: "UTC"}
	for i, line := range strings.Split(words, "\n") {
		w := strings.Fields(line)
		if len(w) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		switch w[0] {
		case "period":
			zone := w[len(w)-1]
			p, err := ParsePeriod(w[1:len(w)-1], zone, time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			f.Period = p
		case "person":
			p := Person{TimeZone: w[2]}
			if len(w) > 3 {
				from, _ := schedule.ParseTimeOfDay(w[5])
				to, _ := schedule.ParseTimeOfDay(w[6])
				p.Hours = []schedule.Window{{Days: workingHours[0].Days, From: from, To: to}}
			}
			f.People[oncall.UserID(w[1])] = p
		case "incident":
			f.Incidents = append(f.Incidents, readIncident(t, w))
		case "page":
			p := Page{User: oncall.UserID(w[1]), At: at(t, w[2]), Seq: 1, Message: oncall.PageID(1000 + i)}
			for j := 3; j+1 < len(w); j += 2 {
				n, _ := strconv.ParseInt(w[j+1], 10, 64)
				switch w[j] {
				case "incident":
					p.Incident = oncall.IncidentID(n)
				case "seq":
					p.Seq = n
				case "message":
					p.Message = oncall.PageID(n)
				}
			}
			f.Pages = append(f.Pages, p)
		case "shift":
			role := ""
			if len(w) > 4 {
				role = w[4]
			}
			s.Shifts = append(s.Shifts, schedule.ManualShift{
				ID: schedule.ShiftID(i + 1), Role: role, Start: at(t, w[2]), End: at(t, w[3]), Users: []schedule.UserID{schedule.UserID(w[1])},
			})
		case "override":
			id := schedule.OverrideID(i + 1)
			s.Overrides = append(s.Overrides, schedule.Override{
				ID: id, ScheduleID: 1, Kind: schedule.OverrideSwap, From: schedule.UserID(w[3]), To: schedule.UserID(w[1]), Start: at(t, w[4]), End: at(t, w[5]),
			})
			if len(w) > 6 {
				f.Ways[id] = Way(w[6])
			}
		default:
			t.Fatalf("line %d is no case: %q", i+1, line)
		}
	}
	f.Schedules = []schedule.Definition{s}
	return f
}

func readIncident(t *testing.T, w []string) Incident {
	t.Helper()
	id, _ := strconv.ParseInt(w[1], 10, 64)
	integration, service, _ := strings.Cut(w[3], "/")
	in := Incident{ID: oncall.IncidentID(id), Severity: oncall.Severity(w[2]), Integration: integration, Service: service, OpenedAt: at(t, w[4])}
	after := func(text string) *time.Time {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return new(in.OpenedAt.Add(d))
	}
	for j := 5; j < len(w); j++ {
		switch w[j] {
		case "ack":
			j++
			in.AckedAt = after(w[j])
		case "resolved":
			j++
			in.ResolvedAt = after(w[j])
		case "into":
			j++
			n, _ := strconv.ParseInt(w[j], 10, 64)
			in.MergedInto = oncall.IncidentID(n)
		case "real", "noise", "unsure":
			in.Verdict = Verdict(w[j])
		default:
			in.ByPerson = true
		}
	}
	return in
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at
		}
	}
	t.Fatalf("%q is no time", text)
	return time.Time{}
}

// describe writes a report in lines.
func describe(r Report) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("%s: %d incidents, %d open, %d cleared by themselves, %d resolved unacknowledged", r.Period.Name, r.Incidents, r.Open, r.Cleared, r.Unacked)
	for _, of := range []struct {
		what string
		t    Times
	}{{"acknowledged", r.Ack}, {"resolved", r.Resolve}} {
		if of.t.Of > 0 {
			say("%s: %d, mean %s, median %s, 90th %s", of.what, of.t.Of, of.t.Mean, of.t.Median, of.t.P90)
		}
	}
	say("interruptions: %s, nights woken %d, of them bad %d", inWords(r.Interruptions), r.Woken, r.Bad)
	for _, part := range []struct {
		what string
		of   []Count
	}{{"severity", r.BySeverity}, {"service", r.ByService}, {"integration", r.ByIntegration}} {
		for _, c := range part.of {
			say("%s %s: %d incidents, %d interruptions, real %d, noise %d, unsure %d", part.what, c.Name, c.Incidents, c.Interruptions, c.Real, c.Noise, c.Unsure)
		}
	}
	for _, p := range r.People {
		say("%s: %s, woken %d, bad %d; planned %s, override %s, swap %s, cover %s, given away %s; %d nights, %d days of weekends", p.User, inWords(p.Interruptions),
			p.Woken, p.Bad, p.Hours.Planned, p.Hours.Override, p.Hours.Swap, p.Hours.Cover, p.Hours.GivenAway, p.Hours.Nights, p.Hours.WeekendDay)
	}
	for _, d := range r.Days {
		if d.Incidents+d.Interruptions.All() > 0 {
			say("%s: %d incidents, %s", d.Date, d.Incidents, inWords(d.Interruptions))
		}
	}
	return b.String()
}

func inWords(b Bands) string {
	return fmt.Sprintf("working %d off %d sleep %d", b.Working, b.Off, b.Sleep)
}
