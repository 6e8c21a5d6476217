package setup

import (
	"fmt"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/holiday"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// read turns holidays into those of a rotation; nil: there are none.
func (h *Holidays) read() (*schedule.Holidays, error) {
	if h == nil {
		return nil, nil
	}
	out := &schedule.Holidays{Calendar: strings.ToLower(strings.TrimSpace(h.Calendar)), Rule: h.Rule}
	if address, ok := holiday.Address(h.Calendar); ok {
		out.Calendar = address
	} else if out.Calendar != "" && !holiday.Known(out.Calendar) {
		return nil, fmt.Errorf("calendar %q is not a country such as \"us\" or a part of one such as \"de-by\", nor the https address of a calendar%s", h.Calendar,
			didYouMean(oncall.Nearest(out.Calendar, holiday.Codes())))
	}
	if out.Rule != "" && !slices.Contains(schedule.HolidayRules, out.Rule) {
		return nil, fmt.Errorf("rule is %q; it may be \"show\", \"weekend\", \"only\", \"except\" or \"ask\"", h.Rule)
	}
	for _, text := range h.Days {
		day, name, _ := strings.Cut(strings.TrimSpace(text), " ")
		date, err := schedule.ParseDate(day)
		if err != nil {
			return nil, fmt.Errorf("days: %q is not a day such as \"2026-12-24 Christmas Eve\"", text)
		}
		out.Own = append(out.Own, schedule.Holiday{Date: date, Name: strings.TrimSpace(name)})
	}
	if out.Calendar == "" && len(out.Own) == 0 {
		return nil, fmt.Errorf("name a calendar such as \"de-by\", or days")
	}
	return out, nil
}

// writeHolidays writes the holidays of a rotation so that read reads them.
func writeHolidays(h *schedule.Holidays) *Holidays {
	if h == nil {
		return nil
	}
	out := &Holidays{Calendar: h.Calendar}
	if h.Rule != schedule.HolidaysShown {
		out.Rule = h.Rule
	}
	for _, d := range h.Own {
		out.Days = append(out.Days, strings.TrimSpace(d.Date.String()+" "+d.Name))
	}
	return out
}

// String writes holidays in one line; those that there are none of are "".
func (h *Holidays) String() string {
	if h == nil {
		return ""
	}
	parts := slices.DeleteFunc([]string{h.Calendar, string(h.Rule), strings.Join(h.Days, ", ")}, func(s string) bool { return s == "" })
	return strings.Join(parts, "; ")
}
