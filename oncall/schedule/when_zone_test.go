package schedule_test

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

func TestStampsThatNameTheirZone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)
	for zone, want := range map[string]string{
		"Europe/Berlin": "Sun 25 Oct 02:30 CEST", "UTC": "Sun 25 Oct 00:30 UTC", "Asia/Kolkata": "Sun 25 Oct 06:00 IST", "America/Sao_Paulo": "Sat 24 Oct 21:30 UTC-03",
	} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := schedule.ZonedStamp(at, location); got != want {
			t.Errorf("%s: %q, want %q", zone, got, want)
		}
	}
	berlin, _ := time.LoadLocation("Europe/Berlin")
	if got := schedule.ZonedStamp(at.Add(time.Hour), berlin); got != "Sun 25 Oct 02:30 CET" { // once more
		t.Errorf(`an hour later: %q, want "Sun 25 Oct 02:30 CET"`, got)
	}
}
