package importer_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/importer"
	"github.com/watchbill/watchbill/intake"
)

// readAll reads a folder and those below it.
func readAll(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, pattern := range []string{"*.json", "*/*.json"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if files[name], err = os.ReadFile(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

func fromOpsgenie(t *testing.T, files map[string][]byte) importer.Result {
	t.Helper()
	in, err := importer.ReadOpsgenie(files)
	if err != nil {
		t.Fatal(err)
	}
	r := importer.FromOpsgenie(in, now)
	if wrong := r.Setup.Check(intake.Names()); len(wrong) > 0 {
		t.Errorf("our own file is refused: %s", strings.Join(wrong, "\n"))
	}
	return r
}

func TestFromOpsgenieGolden(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/opsgenie.golden", fromOpsgenie(t, readAll(t, "testdata/opsgenie")))
}

func TestOpsgenieBackupGolden(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/opsgenie_backup.golden", fromOpsgenie(t, readAll(t, "testdata/opsgenie_backup")))
}

// Every schedule gives the same answers here and there: all rotations together, a span over days as
// one stretch.
func TestOpsgenieSchedulesAgreeWithModel(t *testing.T) {
	t.Parallel()
	names := []string{"Ann", "Bo", "Cy", "Di"}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 2))
		location, err := time.LoadLocation([]string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"}[seed%4])
		if err != nil {
			t.Fatal(err)
		}
		rotations, files := randomOpsgenie(r, location)
		result := fromOpsgenie(t, files)
		final := importer.FinalSchedule{Schedule: "Payments", From: now, To: now.AddDate(0, 0, 90)}
		for at := final.From; at.Before(final.To); at = at.Add(30 * time.Minute) {
			for _, l := range rotations {
				if u, ok := l.at(at, location); ok {
					final.Shifts = append(final.Shifts, importer.FinalShift{User: names[u], From: at, To: at.Add(30 * time.Minute)})
				}
			}
		}
		final.Shifts = merged(final.Shifts)
		result.Finals = []importer.FinalSchedule{final}
		compared, err := importer.Compare(result)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range compared[0].Differences {
			if changesClocks(d.From, d.To, location) {
				continue
			}
			t.Fatalf("seed %d, %s: %s\n%s\n%s", seed, location, d, files["schedules.json"], marshal(result.Setup.Schedules))
		}
	}
}

// merged joins the stretches of each person that touch.
func merged(shifts []importer.FinalShift) (out []importer.FinalShift) {
	last := map[string]int{}
	for _, s := range shifts {
		if i, ok := last[s.User]; ok && !out[i].To.Before(s.From) {
			out[i].To = s.To
			continue
		}
		last[s.User] = len(out)
		out = append(out, s)
	}
	return out
}

func randomOpsgenie(r *rand.Rand, location *time.Location) (rotations []layer, files map[string][]byte) {
	days := []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
	var answer []map[string]any
	for i := range 1 + r.IntN(3) {
		kind := r.IntN(3)
		length := int64(1 + r.IntN(3))
		l := layer{turn: length * []int64{3600 * 4, 86400, 7 * 86400}[kind]}
		if kind == 0 {
			length *= 4
		}
		l.virtual = time.Date(2026, time.Month(1+r.IntN(3)), 1+r.IntN(28), 4+r.IntN(18), 30*r.IntN(2), 0, 0, location)
		l.start = l.virtual
		a := map[string]any{"id": fmt.Sprint("R", i), "name": fmt.Sprint("Rot", i), "startDate": l.start, "type": []string{"hourly", "daily", "weekly"}[kind], "length": length}
		if r.IntN(4) == 0 {
			l.end = l.start.Add(time.Duration(50+r.IntN(80)) * 24 * time.Hour)
			a["endDate"] = l.end
		}
		var people []map[string]any
		for range 1 + r.IntN(4) {
			u := r.IntN(4)
			l.users = append(l.users, u)
			people = append(people, map[string]any{"type": "user", "id": fmt.Sprint("U", u), "username": "x"})
		}
		a["participants"] = people
		switch hour, minute, lasts := 4+r.IntN(18), 30*r.IntN(2), 1+r.IntN(16); r.IntN(3) {
		case 0:
			l.restrictions = []restriction{{from: int64(hour*3600 + minute*60), seconds: int64(lasts) * 3600}}
			a["timeRestriction"] = map[string]any{"type": "time-of-day", "restriction": map[string]any{"startHour": hour, "startMin": minute, "endHour": (hour + lasts) % 24, "endMin": minute}}
		case 1:
			from, over := r.IntN(7), r.IntN(5)
			seconds := int64(over)*86400 + int64(lasts)*3600
			l.restrictions = []restriction{{weekly: true, day: from, from: int64(hour*3600 + minute*60), seconds: seconds}}
			a["timeRestriction"] = map[string]any{"type": "weekday-and-time-of-day", "restrictions": []map[string]any{{
				"startDay": days[from], "startHour": hour, "startMin": minute, "endDay": days[(from+over+(hour+lasts)/24)%7], "endHour": (hour + lasts) % 24, "endMin": minute,
			}}}
		}
		rotations = append(rotations, l)
		answer = append(answer, a)
	}
	var users []map[string]any
	for i, name := range []string{"Ann", "Bo", "Cy", "Di"} {
		users = append(users, map[string]any{"id": fmt.Sprint("U", i), "fullName": name, "username": strings.ToLower(name) + "@example.com"})
	}
	return rotations, map[string][]byte{
		"users.json":     marshal(map[string]any{"data": users}),
		"schedules.json": marshal(map[string]any{"data": []any{map[string]any{"id": "S", "name": "Payments", "timezone": location.String(), "enabled": true, "rotations": answer}}}),
	}
}
