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
	p := Period{Every: 1}
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

// String writes the period so that ParsePeriod reads it.
func (p Period) String() string {
	switch {
	case p.Cron != "":
		return "cron " + p.Cron
	case p.Every <= 1:
		return strings.TrimSuffix(string(p.Unit), "s")
	}
	return fmt.Sprintf("%d %s", p.Every, p.Unit)
}

// ParseWindows reads windows as people write them, one a line or separated by commas or
// semicolons: "mon-fri 09:00-17:00", "sat sun 10:00-16:00", "daily 22:00-06:00", and "fri
// 18:00 - mon 08:00" for one long stretch. Nothing at all is no restriction.
func ParseWindows(s string) ([]Window, error) {
	var windows []Window
	for line := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == ';' || r == ',' }) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		w, ok := parseWindow(line)
		if !ok {
			return nil, fmt.Errorf("%q is not a window such as \"mon-fri 09:00-17:00\", \"daily 22:00-06:00\" or \"fri 18:00 - mon 08:00\"", strings.TrimSpace(line))
		}
		windows = append(windows, w)
	}
	return windows, nil
}

func parseWindow(line string) (Window, bool) {
	line = strings.NewReplacer("–", "-", " to ", "-", " - ", "-", "- ", "-", " -", "-").Replace(strings.ToLower(line))
	words := strings.Fields(line)
	if len(words) < 2 {
		return Window{}, false
	}
	if w, ok := parseLongWindow(words); ok {
		return w, true
	}
	from, to, ranged := strings.Cut(words[len(words)-1], "-")
	var w Window
	var errFrom, errTo error
	w.From, errFrom = ParseTimeOfDay(from)
	w.To, errTo = ParseTimeOfDay(strings.Replace(to, "24:00", "00:00", 1))
	if !ranged || errFrom != nil || errTo != nil {
		return Window{}, false
	}
	for _, word := range words[:len(words)-1] {
		days, ok := parseDays(word)
		if !ok {
			return Window{}, false
		}
		w.Days = append(w.Days, days...)
	}
	slices.SortFunc(w.Days, func(a, b Weekday) int { return slices.Index(weekdays[:], a) - slices.Index(weekdays[:], b) })
	w.Days = slices.Compact(w.Days)
	return w, true
}

// parseLongWindow reads "fri 18:00-mon 08:00".
func parseLongWindow(words []string) (Window, bool) {
	if len(words) != 3 {
		return Window{}, false
	}
	middle, toDay, ok := strings.Cut(words[1], "-")
	if !ok {
		return Window{}, false
	}
	var w Window
	var errs [4]error
	w.FromDay, errs[0] = ParseWeekday(words[0])
	w.From, errs[1] = ParseTimeOfDay(middle)
	w.ToDay, errs[2] = ParseWeekday(toDay)
	w.To, errs[3] = ParseTimeOfDay(words[2])
	return w, errs == [4]error{}
}

// parseDays reads "mon", "mon-fri" (which may pass over Sunday), "daily", "weekdays"
// and "weekends".
func parseDays(word string) ([]Weekday, bool) {
	switch word {
	case "daily", "every", "day", "everyday":
		return slices.Clone(weekdays[:]), true
	case "weekdays":
		return slices.Clone(weekdays[:5]), true
	case "weekends", "weekend":
		return slices.Clone(weekdays[5:]), true
	}
	first, last, ranged := strings.Cut(word, "-")
	from, err := ParseWeekday(first)
	if err != nil {
		return nil, false
	}
	if !ranged {
		return []Weekday{from}, true
	}
	to, err := ParseWeekday(last)
	if err != nil {
		return nil, false
	}
	var days []Weekday
	for i := slices.Index(weekdays[:], from); ; i = (i + 1) % len(weekdays) {
		days = append(days, weekdays[i])
		if weekdays[i] == to {
			return days, true
		}
	}
}

// String writes the window so that ParseWindows reads it.
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

// WindowsText writes windows, one a line, so that ParseWindows reads them.
func WindowsText(windows []Window) string {
	lines := make([]string, len(windows))
	for i, w := range windows {
		lines[i] = w.String()
	}
	return strings.Join(lines, "\n")
}
