package importer_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/importer"
	"github.com/watchbill/watchbill/intake"
)

// requireAccepted fails if our own file is refused.
func requireAccepted(t *testing.T, r importer.Result) importer.Result {
	t.Helper()
	if wrong := r.Setup.Check(intake.Names()); len(wrong) > 0 {
		t.Errorf("our own file has problems, want none: %s\n%s", strings.Join(wrong, "\n"), marshal(r.Setup))
	}
	return r
}

func fromOnCall(t *testing.T, files map[string][]byte) importer.Result {
	t.Helper()
	in, err := importer.ReadOnCall(files)
	if err != nil {
		t.Fatal(err)
	}
	return requireAccepted(t, importer.FromOnCall(in, now))
}

func fromGoAlert(t *testing.T, files map[string][]byte) importer.Result {
	t.Helper()
	in, err := importer.ReadGoAlert(files)
	if err != nil {
		t.Fatal(err)
	}
	return requireAccepted(t, importer.FromGoAlert(in, now))
}

func TestFromOnCallGolden(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/oncall.golden", fromOnCall(t, read(t, "testdata/oncall")))
}

func TestFromGoAlertGolden(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/goalert.golden", fromGoAlert(t, read(t, "testdata/goalert")))
}

// An import a day later gives the same for everything still in force, so that applying it changes
// nothing.
func TestImportIsTheSameOneDayLater(t *testing.T) {
	t.Parallel()
	goalert, err := importer.ReadGoAlert(read(t, "testdata/goalert"))
	if err != nil {
		t.Fatal(err)
	}
	grafana, err := importer.ReadOnCall(read(t, "testdata/oncall"))
	if err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]func(time.Time) importer.Result{
		"goalert": func(at time.Time) importer.Result { return importer.FromGoAlert(goalert, at) },
		"oncall":  func(at time.Time) importer.Result { return importer.FromOnCall(grafana, at) },
	} {
		first, later := from(now.Add(time.Minute)), from(now.Add(80*time.Minute))
		if a, b := marshal(first.Setup), marshal(later.Setup); string(a) != string(b) {
			t.Errorf("%s: the same import differs: first\n%s\nlater\n%s", name, a, b)
		}
	}
}

// The samples aren't ours to keep here; those who have them can test with them.
func TestReadSamples(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("IMPORT_SAMPLES")
	if dir == "" {
		t.Skip("IMPORT_SAMPLES names no folder with samples of the vendors")
	}
	files := map[string][]byte{}
	for name, text := range read(t, dir+"/grafana-oncall") {
		files[strings.ReplaceAll(name, "api_", "")] = text
	}
	fromOnCall(t, files)
	in, err := importer.ReadPagerDuty(read(t, dir+"/pagerduty"))
	if err != nil {
		t.Fatal(err)
	}
	requireAccepted(t, importer.FromPagerDuty(in, now))
}

// modelFinal asks a model every half hour who is on call.
func modelFinal(name string, days int, at func(time.Time) []int) importer.FinalSchedule {
	people := []string{"Ann", "Bo", "Cy", "Di"}
	f := importer.FinalSchedule{Schedule: name, From: now, To: now.AddDate(0, 0, days)}
	for t := f.From; t.Before(f.To); t = t.Add(30 * time.Minute) {
		for _, u := range at(t) {
			f.Shifts = append(f.Shifts, importer.FinalShift{User: people[u], From: t, To: t.Add(30 * time.Minute)})
		}
	}
	f.Shifts = merged(f.Shifts)
	return f
}

// checkAgreement compares a result with a model, except in the hours in which clocks change.
func checkAgreement(t *testing.T, seed uint64, location *time.Location, r importer.Result, f importer.FinalSchedule, files map[string][]byte) {
	t.Helper()
	r.Finals = []importer.FinalSchedule{f}
	compared, err := importer.Compare(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(compared) != 1 {
		t.Fatalf("seed %d: got %d schedules compared, want 1", seed, len(compared))
	}
	for _, d := range compared[0].Differences {
		if changesClocks(d.From, d.To, location) {
			continue
		}
		for name, text := range files {
			t.Logf("%s: %s", name, text)
		}
		t.Fatalf("seed %d, %s: %s\n%s\n%v", seed, location, d, marshal(r.Setup.Schedules), r.Lost)
	}
}

func zoneOf(t *testing.T, seed uint64) *time.Location {
	t.Helper()
	location, err := time.LoadLocation([]string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"}[seed%4])
	if err != nil {
		t.Fatal(err)
	}
	return location
}
