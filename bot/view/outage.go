package view

// Outage tells somebody that the database is away and alerts wait. It has no buttons: they would do nothing.
func Outage(title string, lines []string) Drawing {
	text := Foreign(title, maxTitle)
	for _, line := range lines {
		text += "\n" + Foreign(line, maxTitle)
	}
	return Text(text)
}
