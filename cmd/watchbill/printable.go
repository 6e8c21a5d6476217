package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/watchbill/watchbill/notify"
)

// printable passes text on to a terminal without anything that could control it, because monitors
// and Slack wrote it: escape sequences, carriage returns, and marks that reverse a line.
type printable struct{ to io.Writer }

func (pr printable) Write(p []byte) (int, error) {
	text := strings.ReplaceAll(string(p), "\r\n", "\n")
	if _, err := io.WriteString(pr.to, strings.Map(kept, text)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func kept(r rune) rune {
	if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) || r == '\u2028' || r == '\u2029' {
		return -1
	}
	return r
}

// onOneLine removes line breaks from a format's arguments.
func onOneLine(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		out[i] = arg
		switch arg.(type) {
		case string, fmt.Stringer, error:
			if text := fmt.Sprint(arg); strings.IndexFunc(text, func(r rune) bool { return r != kept(r) || r == '\n' || r == '\t' }) >= 0 {
				out[i] = notify.OneLine(text)
			}
		}
	}
	return out
}
