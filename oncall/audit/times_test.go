package audit

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

func TestReadersSeeTimesInTheirZone(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	from, until := time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC), time.Date(2026, 12, 4, 16, 0, 0, 0, time.UTC)
	e := TimeOff(oncall.TimeOff{UserID: "U0ANN", Start: from, End: until}).Bounded()
	stored, err := json.Marshal(e.Changes)
	if err != nil {
		t.Fatal(err)
	}
	var loaded []Change
	if err := json.Unmarshal(stored, &loaded); err != nil {
		t.Fatal(err)
	}
	if got, want := loaded[0].Sentence().String(), "away: 2026-11-30 23:30 to 2026-12-04 16:00 UTC"; got != want {
		t.Errorf("without a reader: %q, want %q", got, want)
	}
	if got, want := loaded[0].In(berlin).Sentence().String(), "away: Tue 1 Dec 2026 00:30 to Fri 4 Dec 2026 17:00"; got != want {
		t.Errorf("for a reader: %q, want %q", got, want)
	}
	old := Change{What: "away", After: oncall.Say("2026-11-30 23:30 to 2026-12-04 16:00 UTC")}
	if got, want := old.In(berlin).Sentence().String(), old.Sentence().String(); got != want {
		t.Errorf("an entry of an older release: %q, want %q", got, want)
	}
	named := Change{What: "until", Before: oncall.Say("%s", "2026-11-30 23:30 UTC \x02x\x02"), After: oncall.Say("until %s UTC", day(until))}
	got := Entry{Changes: []Change{named}}.Bounded().Changes[0].In(berlin).Sentence().String()
	if want := "until: 2026-11-30 23:30 UTC x → until Fri 4 Dec 2026 17:00"; got != want {
		t.Errorf("what people wrote: %q, want %q", got, want)
	}
}
