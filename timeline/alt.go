package timeline

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// maxAlt is how many characters Slack takes for an image's text.
const maxAlt = 2000

// AltText says in words what the picture shows, in at most 2,000 characters: each row's
// shifts one after the other, holes and changes included.
func AltText(t Timeline) string {
	s, err := compose(t)
	if err != nil {
		return t.Title
	}
	head := strings.TrimSpace(fmt.Sprintf("%s: who is on call from %s to %s, times in %s.",
		strings.TrimSpace(t.Title), s.when(s.From), s.when(s.To), s.TimeZone))
	if runes := []rune(head); len(runes) > maxAlt/4 {
		head = string(runes[:maxAlt/4]) + "…"
	}
	lines := []string{head}
	room := maxAlt - len([]rune(head)) - 40*s.hidden/max(s.hidden, 1)
	for i, r := range s.Rows {
		text := s.describe(r, room/(len(s.Rows)-i)-1)
		room -= len([]rune(text)) + 1
		lines = append(lines, text)
	}
	if s.hidden > 0 {
		lines = append(lines, more(s.hidden, "row", "rows")+" not shown.")
	}
	return strings.Join(lines, "\n")
}

// describe tells a row's shifts in so many characters; what has no room is counted.
func (s *scene) describe(r Row, room int) string {
	const reserve = 60 // for what is only counted
	text := cut40(r.Name) + ":"
	if len(r.Shifts) == 0 {
		return text + " no shifts."
	}
	for i, shift := range r.Shifts {
		words := " " + s.who(shift) + " until " + s.when(shift.End) + ";"
		if i == len(r.Shifts)-1 {
			words = words[:len(words)-1] + "."
		}
		if len([]rune(text))+len([]rune(words)) > room-reserve && i < len(r.Shifts)-1 {
			return text + " " + s.rest(r.Shifts[i:]) + "."
		}
		text += words
	}
	return text
}

func (s *scene) who(shift oncall.Shift) string {
	if len(shift.Users) == 0 {
		return "nobody"
	}
	var names []string
	for i, u := range shift.Users {
		if i == maxLanes {
			names = append(names, fmt.Sprintf("%d more", len(shift.Users)-i))
			break
		}
		names = append(names, cut40(s.name(u)))
	}
	text := strings.Join(names, " and ")
	if changed(shift) {
		text += " (changed by hand)"
	}
	return text
}

// rest counts what there is no room for.
func (s *scene) rest(shifts []oncall.Shift) string {
	holes := 0
	for _, shift := range shifts {
		if len(shift.Users) == 0 {
			holes++
		}
	}
	text := more(len(shifts), "shift", "shifts")
	if holes > 0 {
		text += fmt.Sprintf(", %d of them without anybody", holes)
	}
	return text
}

func (s *scene) when(t time.Time) string { return t.In(s.zone).Format("Mon 2 Jan 15:04") }

func cut40(s string) string {
	if runes := []rune(s); len(runes) > 40 {
		return string(runes[:39]) + "…"
	}
	return s
}
