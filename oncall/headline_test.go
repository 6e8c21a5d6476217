package oncall

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// titled returns a signal of an alert of a group.
func titled(key, title string, sev Severity, labels map[string]string) Signal {
	return Signal{Action: Trigger, DedupKey: key, GroupKey: "g", Title: title, Body: "body of " + key, Severity: sev, Labels: labels}
}

func TestHeadlineFollowsCurrentAlerts(t *testing.T) {
	t.Parallel()
	var s stored
	first := Signal{Action: Trigger, DedupKey: "d", Title: "disk 91 %", Body: "91 %", Severity: High}
	s.fold(noon, first)
	next := first
	next.Title, next.Body, next.Link, next.Severity = "disk 97 %", "97 %", "https://example.com/run", Critical
	c := s.fold(noon.Add(time.Minute), next)[0]
	in := s.incidents[1]
	equal(t, "now", []string{in.Title, in.Body, in.Link}, []string{"disk 97 %", "97 %", "https://example.com/run"})
	equal(t, "the thread", c.Events[len(c.Events)-1].Detail.Text, "disk 91 %")
	// The thread isn't flooded by a number that moves, and the message shows the newest.
	lines := len(s.events)
	for i := range 200 {
		next.Title = fmt.Sprintf("disk 97.%03d %%", i)
		s.fold(noon.Add(time.Minute+time.Duration(i)*time.Second), next)
	}
	equal(t, "newest", s.incidents[1].Title, "disk 97.199 %")
	equal(t, "lines", len(s.events)-lines, 0)
	s.fold(noon.Add(7*time.Minute), first)
	equal(t, "later", s.events[len(s.events)-1].Detail.Text, "disk 97.199 %")
	s.fold(noon.Add(8*time.Minute), Signal{Action: Clear, DedupKey: "d"})
	equal(t, "in the end", s.incidents[1].Title, "disk 91 %")
}

func TestGroupHeadlineNamesWorstAlert(t *testing.T) {
	t.Parallel()
	var s stored
	db := map[string]string{"alertname": "DiskFull"}
	s.fold(noon, titled("1", "disk full on db-1", Critical, db), titled("2", "disk full on db-2", High, db), titled("3", "disk full on db-3", High, db))
	equal(t, "all", s.incidents[1].Title, "disk full on db-1 +2 more")
	s.fold(noon, Signal{Action: Clear, DedupKey: "1"})
	equal(t, "the first is over", []string{s.incidents[1].Title, s.incidents[1].Body}, []string{"disk full on db-2 +1 more", "body of 2"})
	s.fold(noon, titled("3", "disk gone on db-3", Critical, db))
	equal(t, "one got worse", s.incidents[1].Title, "disk gone on db-3 +1 more")
	s.fold(noon, Signal{Action: Clear, DedupKey: "2"})
	equal(t, "one is left", s.incidents[1].Title, "disk gone on db-3")
	s.fold(noon, Signal{Action: Clear, DedupKey: "3"})
	equal(t, "over", []string{s.incidents[1].Title, string(s.incidents[1].Status)}, []string{"disk gone on db-3", "resolved"})
}

func TestLargeGroupHeadlineNamesCommonLabels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		title  string // with the number
		labels map[string]string
		want   string
	}{
		{"pod-%d is crash looping", map[string]string{"alertname": "KubePodCrashLooping"}, "KubePodCrashLooping (40 alerts)"},
		{"KubePodCrashLooping", map[string]string{"alertname": "KubePodCrashLooping"}, "KubePodCrashLooping (40 alerts)"},
		{"Pod is crash looping.", map[string]string{"alertname": "KubePodCrashLooping"}, "Pod is crash looping: KubePodCrashLooping (40 alerts)"},
		{"disk full", nil, "disk full (40 alerts)"},
		{"DISKFULL on a node", map[string]string{"alertname": "DiskFull"}, "DISKFULL on a node (40 alerts)"},
		{"Disk is full", map[string]string{"alertname": ""}, "Disk is full (40 alerts)"},
		{"disk full on db-%d", nil, "disk full on db-0 +39 more"},
		{strings.Repeat("long ", 100) + "%d", nil, strings.Repeat("long ", 39) + "long… +39 more"},
	} {
		var s stored
		var signals []Signal
		for i := range 40 {
			signals = append(signals, titled(fmt.Sprint(i), strings.ReplaceAll(c.title, "%d", fmt.Sprint(i)), High, c.labels))
		}
		s.fold(noon, signals...)
		equal(t, c.title, s.incidents[1].Title, c.want)
	}
}
