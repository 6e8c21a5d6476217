package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/holiday"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// holidayCover asks for cover for the part of a holiday that somebody is on call.
func (b *Bot) holidayCover(ctx context.Context, p press) (string, error) {
	id, from, to, ok := view.ReadHolidayValue(p.value)
	if !ok {
		return "", oncall.Refuse("This button is from another version of Watchbill.")
	}
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	hit := clip(r.directory.Roster().Stints(r.user.ID, from, to), span{from: from, to: to})
	hit = slices.DeleteFunc(hit, func(s schedule.Stint) bool { return s.Schedule != id })
	if len(hit) == 0 {
		return "", oncall.Refuse("None of your shifts is in that time any more.")
	}
	d, err := b.askForCover(ctx, r, hit, "a holiday", false)
	return d.Text, err
}

// readHolidays reads the holidays of a rotation as people write them: "de-by weekend", "us ask
// 2026-12-24", or the address of a calendar instead of a country. Days that were already listed keep
// their names.
func readHolidays(text string, was *schedule.Holidays) (*schedule.Holidays, error) {
	var words []string
	out := &schedule.Holidays{}
	for word := range strings.FieldsSeq(text) {
		if address, ok := holiday.Address(strings.Trim(word, ",")); ok {
			out.Calendar = address
			continue
		}
		words = append(words, strings.FieldsFunc(strings.ToLower(word), func(r rune) bool { return r == ',' })...)
	}
	if len(words) == 0 && out.Calendar == "" {
		return nil, nil
	}
	for _, word := range words {
		date, err := schedule.ParseDate(word)
		switch {
		case err == nil:
			out.Own = append(out.Own, schedule.Holiday{Date: date, Name: nameOfHoliday(was, date)})
		case slices.Contains(schedule.HolidayRules, schedule.HolidayRule(word)):
			out.Rule = schedule.HolidayRule(word)
		case holiday.Known(word):
			out.Calendar = word
		default:
			return nil, fmt.Errorf("%q is neither a country such as us or de-by, nor the address of a calendar, nor weekend, only, except or ask, nor a day such as 2026-12-24", word)
		}
	}
	if out.Calendar == "" && len(out.Own) == 0 {
		return nil, fmt.Errorf("name a country such as us or de-by, the address of a calendar, or days such as 2026-12-24")
	}
	if out.Days = holiday.Days(out.Calendar); out.Days == nil && was != nil && was.Calendar == out.Calendar {
		out.Days = was.Days // of a calendar that is read from its address
	}
	return out, nil
}

// nameOfHoliday returns the earlier name of one of a rotation's own holidays.
func nameOfHoliday(was *schedule.Holidays, date schedule.Date) string {
	if was == nil {
		return ""
	}
	for _, d := range was.Own {
		if d.Date == date {
			return d.Name
		}
	}
	return ""
}
