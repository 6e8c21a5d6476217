package view

import (
	"strings"
	"testing"
)

func TestOutageIsEscaped(t *testing.T) {
	t.Parallel()
	d := Outage("the worst critical: <!channel> disk & \n*full*", []string{"They are kept."})
	if want := "the worst critical: &lt;!channel&gt; disk &amp; *full*\nThey are kept."; d.Text != want || len(d.Blocks) != 1 {
		t.Errorf("got %q, want %q", d.Text, want)
	}
	if d := Outage(strings.Repeat("x", 5000), nil); len(d.Text) > 1000 {
		t.Errorf("a long outage has %d bytes, want at most 1000", len(d.Text))
	}
}
