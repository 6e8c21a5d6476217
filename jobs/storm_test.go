package jobs_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// Two thousand incidents of one team keep nobody in another team waiting, and become few messages.
func TestAStormKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	d := newWorld(t, "1h", time.Now)
	quiet := d.anotherTeam()
	d.start(d.phone)
	const storm = 2000
	for from := 0; from < storm; from += 500 {
		var batch []oncall.Signal
		for i := range 500 {
			batch = append(batch, oncall.Signal{
				Action: oncall.Trigger, DedupKey: fmt.Sprint("db-", from+i), Title: "disk full", Severity: oncall.Critical,
			})
		}
		d.accept(d.id, batch...)
	}
	within(t, time.Minute, "the storm is folded", func() bool { return d.paged(ann) == storm })
	began := time.Now()
	d.accept(quiet, oncall.Signal{
		Action: oncall.Trigger, DedupKey: "probe", Title: "the probe is silent", Severity: oncall.Critical,
	})
	within(t, 30*time.Second, "Bo is paged", func() bool { return len(d.phone.to(bo)) == 1 })
	took := time.Since(began)
	t.Logf("Bo's page took %s while Ann's %d were waiting", took, storm)
	if took > atOnce {
		t.Errorf("Bo had to wait for %s", took)
	}
	within(t, 2*time.Minute, "Ann is told of all", func() bool {
		told := 0
		for _, m := range d.phone.to(ann) {
			told += max(m.Count, 1)
		}
		return told >= storm
	})
	if n := len(d.phone.to(ann)); n > 10 {
		t.Errorf("Ann has %d messages", n)
	} else {
		t.Logf("Ann has %d messages", n)
	}
}
