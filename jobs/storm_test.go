package jobs_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store/storetest"
)

// Two thousand incidents of one team delay nobody in another team, and become few messages.
func TestStormKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "1h", time.Now)
	quiet := w.addTeam()
	w.start(w.sender)
	const storm = 2000
	for from := 0; from < storm; from += 500 {
		var batch []oncall.Signal
		for i := range 500 {
			batch = append(batch, oncall.Signal{
				Action: oncall.Trigger, DedupKey: fmt.Sprint("db-", from+i), Title: "disk full", Severity: oncall.Critical,
			})
		}
		w.accept(w.id, batch...)
	}
	storetest.Until(t, time.Minute, "the storm is folded", func() bool { return w.pagesTo(ann) == storm })
	began := time.Now()
	w.accept(quiet, oncall.Signal{
		Action: oncall.Trigger, DedupKey: "probe", Title: "the probe is silent", Severity: oncall.Critical,
	})
	storetest.Until(t, 30*time.Second, "Bo is paged", func() bool { return len(w.sender.sentTo(bo)) == 1 })
	told := func() (total int) { // of how many Ann is told
		for _, m := range w.sender.sentTo(ann) {
			total += max(m.Count, 1)
		}
		return total
	}
	t.Logf("Bo's page took %s while Ann was told of %d of %d", time.Since(began), told(), storm)
	if n := told(); n >= storm {
		t.Errorf("Bo had to wait until Ann was told of all %d, want him paged meanwhile", n)
	}
	storetest.Until(t, 2*time.Minute, "Ann is told of all", func() bool { return told() >= storm })
	if n := len(w.sender.sentTo(ann)); n > 10 {
		t.Errorf("Ann has %d messages, want at most 10", n)
	} else {
		t.Logf("Ann has %d messages", n)
	}
}
