package timeline

import (
	"image"
	"image/color"
	"slices"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// A tick is a mark on the axis.
type tick struct {
	at    time.Time
	upper string // upper line: the month or the day
	lower string // lower line: the day or the hour
	heavy bool
}

// paintAxis draws the time along the top, lines through the rows, and weekends in grey.
func (s *scene) paintAxis(dst *image.RGBA) {
	days := s.days()
	perDay := float64(s.right-s.left) / float64(max(len(days), 1))
	if perDay >= 9 {
		for _, d := range days {
			if w := d.Weekday(); w != schedule.Saturday && w != schedule.Sunday {
				continue
			}
			l, r := s.x(s.begin(d)), s.x(s.begin(d.AddDays(1)))
			fill(dst, image.Rect(max(int(l), s.left), s.top-axisHeight+42, min(int(r), s.right), s.bottom), weekend)
		}
	}
	ticks := s.ticks(days, perDay)
	for _, t := range ticks {
		if x := int(s.x(t.at)); x >= s.left && x < s.right {
			c, top := line, s.top
			if t.heavy {
				c = strong
			}
			if t.lower != "" {
				top -= axisHeight - 42
			}
			fill(dst, image.Rect(x-1, top, x+1, s.bottom), c)
		}
	}
	s.paintWords(dst, ticks, faceAxisBold, ink, s.top-axisHeight+30, func(t tick) string { return t.upper })
	s.paintWords(dst, ticks, faceAxis, faint, s.top-axisHeight+68, func(t tick) string { return t.lower })
	fill(dst, image.Rect(margin, s.top-1, s.right, s.top+1), strong)
}

// paintWords writes one line of the axis, leaving out words that would overlap.
func (s *scene) paintWords(dst *image.RGBA, ticks []tick, f face, c color.RGBA, y int, words func(tick) string) {
	end := s.right
	for _, t := range slices.Backward(ticks) {
		text := words(t)
		if text == "" {
			continue
		}
		x := max(int(s.x(t.at)), s.left) + 8
		if x+textWidth(f, text)+6 <= end {
			drawText(dst, f, c, x, y, text)
		}
		end = x - 8
	}
}

// begin returns the start of a day on the wall clock of the picture's time zone.
func (s *scene) begin(d schedule.Date) time.Time { return s.wall.Instant(d, 0) }

// days lists the days that are at least partly shown.
func (s *scene) days() []schedule.Date {
	var days []schedule.Date
	d, _ := s.wall.Local(s.From)
	for ; s.begin(d).Before(s.To); d = d.AddDays(1) {
		days = append(days, d)
	}
	return days
}

// ticks chooses marks with enough room for their words.
func (s *scene) ticks(days []schedule.Date, perDay float64) []tick {
	switch {
	case perDay >= 380:
		return s.hours(days, hoursApart(perDay))
	case perDay >= 92:
		return s.daily(days, short)
	case perDay >= 46:
		return s.daily(days, brief)
	case perDay >= 15:
		return s.weekly(days)
	default:
		return s.monthly(days, perDay)
	}
}

func hoursApart(perDay float64) int {
	for _, n := range []int{1, 2, 3, 6} {
		if perDay/24*float64(n) >= 84 {
			return n
		}
	}
	return 12
}

func (s *scene) hours(days []schedule.Date, apart int) []tick {
	var ticks []tick
	for _, d := range days {
		for h := 0; h < 24; h += apart {
			t := tick{at: s.wall.Instant(d, schedule.TimeOfDay(h*60)), lower: schedule.TimeOfDay(h * 60).String(), heavy: h == 0}
			if h == 0 {
				t.upper = long(d)
			}
			// An hour that the clock skips in spring has no mark.
			if _, shown := s.wall.Local(t.at); int(shown) != h*60 || !t.at.Before(s.To) {
				continue
			}
			if !t.at.Before(s.From) || h == 0 {
				ticks = append(ticks, t)
			}
		}
	}
	if len(ticks) > 0 && ticks[0].at.Before(s.From) {
		ticks[0].lower = ""
	}
	return ticks
}

func (s *scene) daily(days []schedule.Date, words func(schedule.Date) string) []tick {
	var ticks []tick
	for i, d := range days {
		t := tick{at: s.begin(d), lower: words(d), heavy: d.Weekday() == schedule.Monday}
		if i == 0 || d.Day == 1 {
			t.upper = d.Month.String() + " " + strconv.Itoa(d.Year)
		}
		ticks = append(ticks, t)
	}
	return ticks
}

func (s *scene) weekly(days []schedule.Date) []tick {
	var ticks []tick
	for i, d := range days {
		t := tick{at: s.begin(d)}
		if d.Weekday() == schedule.Monday {
			t.lower, t.heavy = short(d), true
		}
		if i == 0 || d.Day == 1 {
			t.upper = d.Month.String() + " " + strconv.Itoa(d.Year)
		}
		ticks = append(ticks, t)
	}
	return ticks
}

func (s *scene) monthly(days []schedule.Date, perDay float64) []tick {
	var ticks []tick
	year := 0
	for i, d := range days {
		first := d.Day == 1
		if i > 0 && !first && (perDay < 3.5 || d.Weekday() != schedule.Monday) {
			continue
		}
		t := tick{at: s.begin(d), heavy: first}
		if first || i == 0 {
			t.lower = d.Month.String()[:3]
			if d.Year != year {
				t.upper, year = strconv.Itoa(d.Year), d.Year
			}
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// short is "Mon 2".
func short(d schedule.Date) string {
	w := string(d.Weekday())
	return string(w[0]-'a'+'A') + w[1:] + " " + strconv.Itoa(d.Day)
}

// long is "Mon 2 March".
func long(d schedule.Date) string { return short(d) + " " + d.Month.String() }

// brief is "Mo 2", where there is no room for more.
func brief(d schedule.Date) string { return short(d)[:2] + " " + strconv.Itoa(d.Day) }
