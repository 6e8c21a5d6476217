package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParsePeriod reads "week", "2 weeks", "12 hours" or "cron 0 9 * * 1".
func ParsePeriod(s string) (Period, error) {
	s = strings.TrimSpace(s)
	if first, expr, ok := strings.Cut(s, " "); ok && strings.EqualFold(first, "cron") {
		if _, err := compileCron(strings.TrimSpace(expr)); err != nil {
			return Period{}, err
		}
		return Period{Cron: strings.TrimSpace(expr)}, nil
	}
	return ParsePlainPeriod(strings.ToLower(s))
}

// ParsePlainPeriod reads "week", "2 weeks", "12 hours".
func ParsePlainPeriod(s string) (Period, error) {
	wrong := fmt.Errorf("every is %q; it must be a period such as \"week\", \"2 weeks\", \"day\" or \"12 hours\"", s)
	words := strings.Fields(s)
	if len(words) > 1 && words[0] == "every" {
		words = words[1:]
	}
	p := Period{Every: 1}
	if len(words) == 1 {
		switch words[0] {
		case "hourly", "weekly", "monthly":
			words[0] = strings.TrimSuffix(words[0], "ly")
		case "daily":
			words[0] = "day"
		case "biweekly", "fortnight", "fortnightly":
			words = []string{"2", "weeks"}
		case "quarterly":
			words = []string{"3", "months"}
		}
	}
	if len(words) == 2 {
		n, err := strconv.Atoi(words[0])
		if err != nil || n < 1 {
			return Period{}, wrong
		}
		p.Every, words = n, words[1:]
	}
	if len(words) != 1 {
		return Period{}, wrong
	}
	switch strings.TrimSuffix(words[0], "s") {
	case "hour":
		p.Unit = HourUnit
	case "day":
		p.Unit = DayUnit
	case "week":
		p.Unit = WeekUnit
	case "month":
		p.Unit = MonthUnit
	default:
		return Period{}, wrong
	}
	return p, nil
}

// String returns the period in a form that ParsePeriod reads.
func (p Period) String() string {
	switch {
	case p.Cron != "":
		return "cron " + p.Cron
	case p.Every <= 1:
		return strings.TrimSuffix(string(p.Unit), "s")
	}
	return fmt.Sprintf("%d %s", p.Every, p.Unit)
}

// ParseWindows reads windows as people write them, one per line or separated by commas or
// semicolons: "mon-fri 09:00-17:00", "sat sun 10:00-16:00", "daily 22:00-06:00", and "fri 18:00 -
// mon 08:00" for one long stretch. An empty text means no restriction.
func ParseWindows(s string) ([]Window, error) {
	var windows []Window
	days := ""
	for line := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == ';' || r == ',' }) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if onlyDays(line) { // "mon, wed 9-17"
			days += line + " "
			continue
		}
		line, days = days+line, ""
		w, ok, err := parseWindow(line)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, noWindow(line)
		}
		windows = append(windows, w)
	}
	if days != "" {
		return nil, noWindow(days)
	}
	return windows, nil
}

func noWindow(line string) error {
	return fmt.Errorf("%q is not a window such as \"mon-fri 09:00-17:00\", \"daily 22:00-06:00\" or \"fri 18:00 - mon 08:00\"", strings.TrimSpace(line))
}

// onlyDays reports whether part of a window has days but no time yet.
func onlyDays(line string) bool {
	for ts := tokens(strings.Fields(line)); len(ts) > 0; {
		_, n := windowDays(ts)
		if n == 0 {
			return false
		}
		ts = ts[n:]
	}
	return true
}

// parseWindow reads days and two times, or twice a day and a time. An error asks which hour is
// meant.
func parseWindow(line string) (Window, bool, error) {
	line = strings.NewReplacer(" - ", "-", "- ", "-", " -", "-", " – ", "-", "&", " ").Replace(line)
	ts := tokens(strings.Fields(line))
	var window Window
	i := 0
	for i < len(ts) {
		days, n := windowDays(ts[i:])
		if n == 0 {
			break
		}
		window.Days = append(window.Days, days...)
		i += n
	}
	if from, to, n := readClocks(ts[i:]); n > 0 && i+n == len(ts) && len(window.Days) > 0 {
		a, b, doubt := settle(from, to)
		if doubt {
			return Window{}, false, fmt.Errorf("%s", clocksQuestion(from, to))
		}
		window.From, window.To = a.at%(24*60), b.at%(24*60)
		slices.SortFunc(window.Days, func(a, b Weekday) int { return slices.Index(weekdays[:], a) - slices.Index(weekdays[:], b) })
		window.Days = slices.Compact(window.Days)
		return window, true, nil
	}
	if len(window.Days) != 1 {
		return Window{}, false, nil
	}
	from, n := readClock(ts[i:], true)
	i += n
	if n == 0 || i+2 >= len(ts) || !separator(ts[i].text) {
		return Window{}, false, nil
	}
	last, ok := weekdayWords[ts[i+1].text]
	to, m := readClock(ts[i+2:], true)
	if !ok || m == 0 || i+2+m != len(ts) {
		return Window{}, false, nil
	}
	return Window{FromDay: window.Days[0], From: from.at % (24 * 60), ToDay: last, To: to.at % (24 * 60)}, true, nil
}

// windowDays reads "mon", "mon-fri" (which may cross Sunday), "daily", "weekdays" and "weekends".
func windowDays(ts []token) ([]Weekday, int) {
	switch ts[0].text {
	case "daily", "every", "day", "everyday", "days", "täglich":
		if len(ts) > 1 && ts[0].text == "every" {
			if d, ok := weekdayWords[strings.TrimSuffix(ts[1].text, "s")]; ok { // every tue
				return []Weekday{d}, 2
			}
		}
		return slices.Clone(weekdays[:]), 1
	case "weekdays", "workdays", "weekday":
		return slices.Clone(weekdays[:5]), 1
	case "weekends", "weekend":
		return slices.Clone(weekdays[5:]), 1
	case "and", "on", "und", "from", "at":
		return nil, 1
	}
	from, ok := weekdayWords[ts[0].text]
	if !ok {
		from, ok = weekdayWords[strings.TrimSuffix(ts[0].text, "s")]
	}
	if !ok {
		return nil, 0
	}
	if len(ts) < 3 || !separator(ts[1].text) {
		return []Weekday{from}, 1
	}
	to, ok := weekdayWords[ts[2].text]
	if !ok {
		return []Weekday{from}, 1
	}
	var days []Weekday
	for i := slices.Index(weekdays[:], from); ; i = (i + 1) % len(weekdays) {
		days = append(days, weekdays[i])
		if weekdays[i] == to {
			return days, 3
		}
	}
}

// String returns the window in a form that ParseWindows reads.
func (w Window) String() string {
	if len(w.Days) == 0 {
		return fmt.Sprintf("%s %s - %s %s", w.FromDay, w.From, w.ToDay, w.To)
	}
	return daysText(w.Days) + " " + w.From.String() + "-" + w.To.String()
}

// daysText joins neighbouring days: "mon-fri", "mon wed".
func daysText(days []Weekday) string {
	if len(days) == len(weekdays) {
		return "daily"
	}
	var parts []string
	for i := 0; i < len(days); {
		j := i
		for j+1 < len(days) && slices.Index(weekdays[:], days[j+1]) == slices.Index(weekdays[:], days[j])+1 {
			j++
		}
		switch {
		case j > i+1:
			parts = append(parts, string(days[i])+"-"+string(days[j]))
		case j == i+1:
			parts = append(parts, string(days[i]), string(days[j]))
		default:
			parts = append(parts, string(days[i]))
		}
		i = j + 1
	}
	return strings.Join(parts, " ")
}

// WindowsText writes windows, one per line, in a form that ParseWindows reads.
func WindowsText(windows []Window) string {
	lines := make([]string, len(windows))
	for i, w := range windows {
		lines[i] = w.String()
	}
	return strings.Join(lines, "\n")
}
