package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/ical"
	"github.com/watchbill/watchbill/oncall/holiday"
	"github.com/watchbill/watchbill/oncall/setup"
)

// The years of which holidays are read from files; they are those of the countries, so that a file always says the same.
const (
	holidaysFrom = 2015
	holidaysTo   = 2051
)

// readHolidays replaces each file of holidays (.ics), beside the set-up file in dir, by the days in it.
func readHolidays(doc *setup.Setup, dir string) error {
	for i := range doc.Schedules {
		made := &doc.Schedules[i]
		if err := readHolidayFile(made.Holidays, dir); err != nil {
			return fmt.Errorf("schedule %q: holidays: %w", made.Name, err)
		}
		all := made.Rotations
		for _, later := range made.Later {
			all = append(slices.Clip(all), later.Rotations...)
		}
		for _, r := range all {
			if err := readHolidayFile(r.Holidays, dir); err != nil {
				return fmt.Errorf("schedule %q, rotation %q: holidays: %w", made.Name, r.Name, err)
			}
		}
	}
	return nil
}

func readHolidayFile(h *setup.Holidays, dir string) error {
	if h == nil || !strings.EqualFold(filepath.Ext(h.Calendar), ".ics") {
		return nil
	}
	if _, ok := holiday.Address(h.Calendar); ok {
		return nil
	}
	path := h.Calendar
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	data, err := readUpTo(path, maxSetup)
	if err != nil {
		return fmt.Errorf("read %s: %w", h.Calendar, err)
	}
	days, err := ical.Holidays(data, holidaysFrom, holidaysTo)
	if err != nil {
		return fmt.Errorf("%s: %w", h.Calendar, err)
	}
	h.Calendar = ""
	for _, d := range days {
		h.Days = append(h.Days, strings.TrimSpace(d.Date.String()+" "+d.Name))
	}
	return nil
}
