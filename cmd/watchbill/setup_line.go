package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
)

// Patterns of the text that a rule's problem quotes, the most specific first.
var quotings = []*regexp.Regexp{
	regexp.MustCompile(`: if ("(?:[^"\\]|\\.)*"): `),
	regexp.MustCompile(`: to ("(?:[^"\\]|\\.)*"): `),
	regexp.MustCompile(`, rule (?:\d+ )?("(?:[^"\\]|\\.)*"): `),
}

// inLine returns the line of the rule that a problem is about, if that is certain.
func inLine(data []byte, problem string) string {
	for i, quoting := range quotings {
		m := quoting.FindStringSubmatch(problem)
		if m == nil {
			continue
		}
		text, err := strconv.Unquote(m[1])
		if err != nil || text == "" {
			continue
		}
		line, found := 0, 0
		for n, of := range bytes.Split(data, []byte("\n")) {
			names := i < len(quotings)-1 || bytes.Contains(of, []byte("name:"))
			if names && bytes.Contains(of, []byte(text)) {
				line, found = n+1, found+1
			}
		}
		if found == 1 {
			return fmt.Sprintf(" (line %d)", line)
		}
	}
	return ""
}
