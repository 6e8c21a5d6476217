package timeline

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// maxAlt is how many characters Slack accepts as an image's alternative text.
const maxAlt = 2000

// AltText describes the picture in at most 2,000 characters: who is on call now, and each row's
// shifts in order, including gaps and changes. What does not fit is only counted.
func AltText(t Timeline) string {
	s, err := compose(t)
	if err != nil {
		return cut(t.Title, maxAlt)
	}
	text := fmt.Sprintf("%s: who is on call from %s to %s, times in %s.", cut(strings.TrimSpace(t.Title), 150), s.when(s.From), s.when(s.To), s.TimeZone)
	const last = 30 // for the count of rows left out
	room := maxAlt - len([]rune(text)) - last
	for i, r := range s.Rows {
		words := "\n" + s.describe(r, room/(len(s.Rows)-i)-1)
		if len([]rune(words)) > room {
			return text + "\n" + more(len(s.Rows)-i+s.hidden, "row", "rows") + "."
		}
		room -= len([]rune(words))
		text += words
	}
	if s.hidden > 0 {
		text += "\n" + more(s.hidden, "row", "rows") + "."
	}
	return text
}

// describe lists a row's shifts in about room characters.
func (s *scene) describe(r Row, room int) string {
	const reserve = 60 // for the count of shifts left out
	text := cut(r.Name, 40) + ":"
	if len(r.Shifts) == 0 {
		return text + " no shifts."
	}
	for _, shift := range r.Shifts {
		if s.showsNow() && !s.Now.Before(shift.Start) && s.Now.Before(shift.End) {
			text += " now " + s.who(shift) + "."
		}
	}
	for i, shift := range r.Shifts {
		left := len(r.Shifts) - i
		words := " " + s.who(shift) + " until " + s.when(shift.End)
		if left > 1 && len([]rune(text))+len([]rune(words)) > room-reserve {
			return text + " " + rest(r.Shifts[i:]) + "."
		}
		text += words + map[bool]string{true: ".", false: ";"}[left == 1]
	}
	return text
}

func (s *scene) who(shift schedule.Shift) string {
	if len(shift.Users) == 0 {
		return "nobody"
	}
	var names []string
	for i, u := range shift.Users {
		if i == maxLanes {
			names = append(names, fmt.Sprintf("%d more", len(shift.Users)-i))
			break
		}
		names = append(names, cut(s.name(u), 40))
	}
	text := strings.Join(names, " and ")
	if changed(shift) {
		text += " (changed by hand)"
	}
	return text
}

// rest describes how many shifts are left out, and how many of them are gaps.
func rest(shifts []schedule.Shift) string {
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

// cut shortens text to a number of characters.
func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}
