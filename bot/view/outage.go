package view

import "strings"

// Outage tells somebody that the database is away and alerts wait. It has no buttons: they would do nothing.
func Outage(title string, lines []string) Drawing {
	said := []string{Foreign(title, maxTitle)}
	for _, line := range lines {
		said = append(said, Foreign(line, maxTitle))
	}
	return Text(strings.Join(said, "\n"))
}
