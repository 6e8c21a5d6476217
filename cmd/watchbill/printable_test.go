package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestPrintableRemovesControls(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := process{out: printable{&out}}
	hostile := "\x1b[31mred\x1b]0;title\x07\r\x08\x7f\u009b31m\u202eback\u2066\u2028line\x00 é 界 🚨 \xff"
	n, err := fmt.Fprintf(p.out, "%s\nok\tend\r\n", hostile)
	if err != nil || n != len(hostile)+len("\nok\tend\r\n") {
		t.Errorf("%d, %v, want %d", n, err, len(hostile)+len("\nok\tend\r\n"))
	}
	if got, want := out.String(), "[31mred]0;title31mbackline é 界 🚨 \ufffd\nok\tend\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A title or a name stays on one line, so that it can't imitate another line of the output.
func TestExplainKeepsForeignTextOnItsLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	ex := explainer{out: printable{&out}}
	ex.line("Incident     %s, by %v", "disk\r\nPolicy       nobody\x1b[2J", []string{"a"})
	if got, want := out.String(), "Incident     disk Policy nobody[2J, by [a]\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("the output has more than one line: %q", out.String())
	}
}
