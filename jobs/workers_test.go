package jobs_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Three files list every kind of job: its arguments, its queue, and its function. A kind missing in
// one of them would fail only when it is first needed.
func TestEveryJobIsQueuedAndWorked(t *testing.T) {
	t.Parallel()
	kinds := func(file, row string) []string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, match := range regexp.MustCompile(row).FindAllStringSubmatch(string(text), -1) {
			out = append(out, match[1])
		}
		return out
	}
	want := kinds("../oncall/jobs.go", `func \((\w+)\) Kind\(\)`)
	if len(want) < 14 {
		t.Errorf("found %d jobs, want at least 14 (has the form of their methods changed?): %v", len(want), want)
	}
	if diff := cmp.Diff(want, kinds("../store/queue.go", `\n\t\{oncall\.(\w+)\{\}, Queue`)); diff != "" {
		t.Errorf("queued (-want +got):\n%s", diff)
	}
	// Drawings aren't worked by the queue: draw_loop.go chooses among those that wait.
	want = slices.DeleteFunc(want, func(kind string) bool { return kind == "Draw" })
	if diff := cmp.Diff(want, kinds("workers.go", `\n\tadd\[oncall\.(\w+)\]`)); diff != "" {
		t.Errorf("worked (-want +got):\n%s", diff)
	}
}
