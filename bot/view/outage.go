package view

import "strings"

// Outage tells a person that the database is unavailable and alerts wait. It has no buttons, because they would
// do nothing.
func Outage(title string, lines []string) Drawing {
	all := []string{Foreign(title, maxTitle)}
	for _, line := range lines {
		all = append(all, Foreign(line, maxTitle))
	}
	return Text(strings.Join(all, "\n"))
}
