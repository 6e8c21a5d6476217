// Package holiday knows the public holidays of countries and of their parts. The rules are those of
// github.com/rickar/cal/v2; nothing is looked up anywhere.
package holiday

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/ar"
	"github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/au"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/bg"
	"github.com/rickar/cal/v2/br"
	"github.com/rickar/cal/v2/ca"
	"github.com/rickar/cal/v2/ch"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/ecb"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/gr"
	"github.com/rickar/cal/v2/hr"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/jp"
	"github.com/rickar/cal/v2/lt"
	"github.com/rickar/cal/v2/lv"
	"github.com/rickar/cal/v2/mw"
	"github.com/rickar/cal/v2/nc"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/nz"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/ro"
	"github.com/rickar/cal/v2/ru"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/si"
	"github.com/rickar/cal/v2/sk"
	"github.com/rickar/cal/v2/ua"
	"github.com/rickar/cal/v2/us"
	"github.com/rickar/cal/v2/za"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// The years whose holidays are known. They are always the same, so that a schedule is the same whenever it is loaded.
const (
	firstYear = 2015
	lastYear  = 2050
)

// calendars are the holidays of countries and of their parts, by the codes of ISO 3166.
var calendars = map[string][]*cal.Holiday{
	"ar":     ar.Holidays,
	"at":     at.Holidays,
	"au-act": au.HolidaysACT,
	"au-nsw": au.HolidaysNSW,
	"au-nt":  au.HolidaysNT,
	"au-qld": au.HolidaysQLD,
	"au-sa":  au.HolidaysSA,
	"au-tas": au.HolidaysTAS,
	"au-vic": au.HolidaysVIC,
	"au-wa":  au.HolidaysWA,
	"be":     be.Holidays,
	"bg":     bg.Holidays,
	"br":     br.Holidays,
	"ca":     ca.Holidays,
	"ch":     ch.Holidays,
	"ch-ag":  ch.HolidaysAG,
	"ch-ai":  ch.HolidaysAI,
	"ch-ar":  ch.HolidaysAR,
	"ch-be":  ch.HolidaysBE,
	"ch-bl":  ch.HolidaysBL,
	"ch-bs":  ch.HolidaysBS,
	"ch-fr":  ch.HolidaysFR,
	"ch-ge":  ch.HolidaysGE,
	"ch-gl":  ch.HolidaysGL,
	"ch-gr":  ch.HolidaysGR,
	"ch-ju":  ch.HolidaysJU,
	"ch-lu":  ch.HolidaysLU,
	"ch-ne":  ch.HolidaysNE,
	"ch-nw":  ch.HolidaysNW,
	"ch-ow":  ch.HolidaysOW,
	"ch-sg":  ch.HolidaysSG,
	"ch-sh":  ch.HolidaysSH,
	"ch-so":  ch.HolidaysSO,
	"ch-sz":  ch.HolidaysSZ,
	"ch-tg":  ch.HolidaysTG,
	"ch-ti":  ch.HolidaysTI,
	"ch-ur":  ch.HolidaysUR,
	"ch-vd":  ch.HolidaysVD,
	"ch-vs":  ch.HolidaysVS,
	"ch-zg":  ch.HolidaysZG,
	"ch-zh":  ch.HolidaysZH,
	"cz":     cz.Holidays,
	"de":     de.Holidays,
	"de-bb":  de.HolidaysBB,
	"de-be":  de.HolidaysBE,
	"de-bw":  de.HolidaysBW,
	"de-by":  de.HolidaysBY,
	"de-hb":  de.HolidaysHB,
	"de-he":  de.HolidaysHE,
	"de-hh":  de.HolidaysHH,
	"de-mv":  de.HolidaysMV,
	"de-ni":  de.HolidaysNI,
	"de-nw":  de.HolidaysNW,
	"de-rp":  de.HolidaysRP,
	"de-sh":  de.HolidaysSH,
	"de-sl":  de.HolidaysSL,
	"de-sn":  de.HolidaysSN,
	"de-st":  de.HolidaysST,
	"de-th":  de.HolidaysTH,
	"dk":     dk.Holidays,
	"ecb":    ecb.Holidays,
	"es":     es.Holidays,
	"fr":     fr.Holidays,
	"gb":     gb.Holidays,
	"gr":     gr.Holidays,
	"hr":     hr.Holidays,
	"ie":     ie.Holidays,
	"it":     it.Holidays,
	"jp":     jp.Holidays,
	"lt":     lt.Holidays,
	"lv":     lv.Holidays,
	"mw":     mw.Holidays,
	"nc":     nc.Holidays,
	"nl":     nl.Holidays,
	"no":     no.Holidays,
	"nz":     nz.Holidays,
	"pl":     pl.Holidays,
	"ro":     ro.Holidays,
	"ru":     ru.Holidays,
	"se":     se.Holidays,
	"si":     si.Holidays,
	"sk":     sk.Holidays,
	"ua":     ua.Holidays,
	"us":     us.Holidays,
	"za":     za.Holidays,
}

// Known reports whether the holidays of a country or of a part of it are known, by a code such as "de" or "de-by".
func Known(code string) bool {
	_, known := calendars[strings.ToLower(code)]
	return known
}

// Codes lists the codes that are known.
func Codes() []string { return slices.Sorted(maps.Keys(calendars)) }

var (
	mu   sync.Mutex
	days = map[string][]schedule.Holiday{}
)

// Days returns the holidays of a code, in order; nil if it isn't known. A holiday that falls on a weekend and is
// observed on another day is both. The caller must not change them.
func Days(code string) []schedule.Holiday {
	code = strings.ToLower(code)
	mu.Lock()
	defer mu.Unlock()
	if known, done := days[code]; done || !Known(code) {
		return known
	}
	var all []schedule.Holiday
	add := func(t time.Time, name string) {
		if t.IsZero() {
			return
		}
		// The library gives midnight of the machine's zone, which the clock may have passed over.
		y, m, d := t.Add(2 * time.Hour).Date()
		all = append(all, schedule.Holiday{Date: schedule.Date{Year: y, Month: m, Day: d}, Name: name})
	}
	for _, h := range calendars[code] {
		if h.Type == cal.ObservanceReligious || h.Type == cal.ObservanceOther {
			continue
		}
		for year := firstYear; year <= lastYear; year++ {
			actual, observed := h.Calc(year)
			add(actual, h.Name)
			if !observed.Equal(actual) {
				add(observed, h.Name+" (observed)")
			}
		}
	}
	slices.SortStableFunc(all, func(a, b schedule.Holiday) int { return strings.Compare(a.Date.String(), b.Date.String()) })
	days[code] = all
	return all
}

// Fill fills the days of the calendars of rotations in. read are those of the calendars that have an address. A calendar
// that isn't known, or was not read yet, has none.
func Fill(rotations []schedule.Rotation, read map[string][]schedule.Holiday) {
	for i := range rotations {
		if h := rotations[i].Holidays; h != nil && h.Calendar != "" {
			filled := *h
			if filled.Days = Days(h.Calendar); filled.Days == nil {
				filled.Days = read[h.Calendar]
			}
			rotations[i].Holidays = &filled
		}
	}
}

// maxAddressLength is the length of the longest address of a calendar.
const maxAddressLength = 2_000

// Address returns the address of a calendar that is read every hour, with https in place of webcal. It reports false if
// the text is no address.
func Address(text string) (string, bool) {
	text = strings.Trim(strings.TrimSpace(text), "<>")
	for _, scheme := range []string{"webcal://", "webcals://"} {
		if rest, ok := strings.CutPrefix(text, scheme); ok {
			text = "https://" + rest
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(text) > maxAddressLength {
		return "", false
	}
	return text, true
}

// Merge returns the holidays of a calendar that is read anew on a day. Earlier days stay as they were, so that nobody was on
// call otherwise than they were.
func Merge(before, read []schedule.Holiday, today schedule.Date) []schedule.Holiday {
	if len(before) == 0 {
		return read
	}
	var out []schedule.Holiday
	for _, h := range before {
		if h.Date.String() < today.String() {
			out = append(out, h)
		}
	}
	for _, h := range read {
		if h.Date.String() >= today.String() {
			out = append(out, h)
		}
	}
	return out
}
