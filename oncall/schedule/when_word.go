package schedule

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A token is a word, or a part of one that holds a range, such as "9-17".
type token struct {
	text  string // in small letters, without the comma, bracket or full stop that only ends a phrase
	word  int    // the index of the word that it is of
	last  bool   // in lower case, without a comma, bracket or full stop that only ends a phrase
	comma bool   // index of its word
}

// dashes are all used between two times.
var dashes = strings.NewReplacer("–", "-", "—", "-", "−", "-", "‑", "-", "→", "-", "..", "-", "…", "-")

var (
	clockWithZone = regexp.MustCompile(`^(\d{1,2}:\d\d(?::\d\d)?)(z|\+\d\d:?\d\d)$`)
	dashedDate    = regexp.MustCompile(`^(\d{1,2})-(\pL{3,9})(?:-(\d{2}|\d{4}))?$`)
	isoInterval   = regexp.MustCompile(`^(\d{4}-\d\d-\d\d[^/]*)/(\d{4}-\d\d-\d\d[^/]*)$`)
)

// tokens splits words so that "18:00-22:00", "mon-fri" and "24.-27.12." are three tokens each.
// Names such as "payments-primary" and dates such as "2026-12-24" stay whole.
func tokens(words []string) []token {
	var out []token
	for i, w := range words {
		parts := divide(dashes.Replace(strings.Trim(strings.ToLower(w), `"'()“”„`)))
		for j, part := range parts {
			comma := strings.HasSuffix(part, ",")
			if trimmed := strings.TrimRight(part, ",;!?"); trimmed != "" {
				part = trimmed
			}
			if strings.HasSuffix(part, ".") && !strings.ContainsAny(part, "0123456789") { // tomorrow.
				part = strings.TrimRight(part, ".")
			}
			out = append(out, token{text: part, word: i, last: j == len(parts)-1, comma: comma})
		}
	}
	return out
}

// divide splits one word into tokens.
func divide(w string) []string {
	bare := strings.TrimRight(w, ",;!?")
	if !strings.ContainsAny(bare, ":-/") {
		return []string{w}
	}
	if m := clockWithZone.FindStringSubmatch(bare); m != nil { // 18:00Z
		return []string{m[1], "utc" + strings.TrimPrefix(m[2], "z")}
	}
	if m := isoInterval.FindStringSubmatch(bare); m != nil {
		return []string{m[1], "-", m[2]}
	}
	if m := dashedDate.FindStringSubmatch(bare); m != nil { // 24-Dec-2026
		if _, ok := readMonth(m[2]); ok && m[3] != "" {
			year, _ := fullYear(m[3])
			return []string{m[1], m[2], strconv.Itoa(year)}
		} else if ok {
			return m[1:3]
		}
	}
	return splitRange(w)
}

func splitRange(w string) []string {
	for i, r := range w {
		if r != '-' {
			continue
		}
		from, to := w[:i], strings.TrimRight(w[i+1:], ",;!?")
		switch {
		case from == "" && timely(to):
			return []string{"-", to}
		case to == "" && timely(from):
			return []string{from, "-"}
		case timely(from) && timely(to):
			return []string{from, "-", to}
		}
	}
	return []string{w}
}

// timely reports whether a word can be one end of a range.
func timely(w string) bool {
	if w == "" {
		return false
	}
	if _, ok := weekdayWords[w]; ok {
		return true
	}
	if _, ok := monthWords[w]; ok {
		return true
	}
	switch w {
	case "now", "noon", "midnight", "today", "tomorrow", "tonight", "am", "pm", "a.m.", "p.m.", "uhr": // 6 pm-8 pm
		return true
	}
	if _, ok := readISO(w); ok {
		return true
	}
	if !unicode.IsDigit(rune(w[0])) || strings.Contains(w, "-") {
		return false
	}
	digits := 0
	for digits < len(w) && strings.ContainsRune("0123456789:./", rune(w[digits])) {
		digits++
	}
	rest := w[digits:]
	if len(rest) == 3 && rest[0] == 'h' && rest[1] >= '0' && rest[1] <= '5' { // 8h30
		rest = "h"
	}
	switch rest {
	case "", "am", "pm", "a", "p", "h", "uhr", "st", "nd", "rd", "th":
		return len(w) <= len("31.12.2026")
	}
	return false
}

// joins reports whether a word joins two days that both count.
func joins(w string) bool { return w == "and" || w == "&" || w == "+" || w == "und" }

// weekdayWords are the names of days in English and German. The shortest German ones are read only
// where no English word can be meant.
var weekdayWords = map[string]Weekday{
	"mon": Monday, "tue": Tuesday, "tues": Tuesday, "wed": Wednesday, "weds": Wednesday, "thu": Thursday, "thur": Thursday,
	"thurs": Thursday, "fri": Friday, "sat": Saturday, "sun": Sunday,
	"monday": Monday, "tuesday": Tuesday, "wednesday": Wednesday, "thursday": Thursday, "friday": Friday, "saturday": Saturday, "sunday": Sunday,
	"montag": Monday, "dienstag": Tuesday, "mittwoch": Wednesday, "donnerstag": Thursday, "freitag": Friday,
	"samstag": Saturday, "sonnabend": Saturday, "sonntag": Sunday,
	"mo": Monday, "di": Tuesday, "mi": Wednesday, "do": Thursday, "fr": Friday, "sa": Saturday, "so": Sunday,
}

var monthWords = map[string]time.Month{
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10, "nov": 11, "dec": 12,
	"january": 1, "february": 2, "march": 3, "april": 4, "june": 6, "july": 7, "august": 8, "september": 9, "october": 10, "november": 11, "december": 12,
	"januar": 1, "jänner": 1, "februar": 2, "märz": 3, "maerz": 3, "mär": 3, "mrz": 3, "mai": 5, "juni": 6, "juli": 7, "okt": 10, "oktober": 10,
	"dez": 12, "dezember": 12,
}

// numberWords are spelled-out numbers.
var numberWords = map[string]float64{
	"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
	"half": 0.5, "couple": 2, "ein": 1, "eine": 1, "einen": 1, "einer": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "halbe": 0.5,
}

// filler reports whether a word before a day or time has no meaning.
func filler(w string) bool {
	switch w {
	case "at", "on", "the", "um", "am", "den", "dem", "der", "starting", "beginning", "from", "von", "ab", "@", "all", "whole", "of", "over":
		return true
	}
	return false
}

// separator reports whether a word separates the two ends of a span.
func separator(w string) bool {
	switch w {
	case "to", "until", "till", "til", "-", "bis", "through", "thru", "up":
		return true
	}
	return false
}

// untilWord reports whether a word begins the end of a span that has already begun.
func untilWord(w string) bool { return separator(w) && w != "to" && w != "-" && w != "up" }

// nearDays are names of days relative to today.
var nearDays = map[string]int{
	"today": 0, "heute": 0, "tomorrow": 1, "tmrw": 1, "tmr": 1, "tomorow": 1, "morgen": 1, "übermorgen": 2, "uebermorgen": 2, "yesterday": -1, "gestern": -1,
}

// A dayPart is a part of the day. An end after 24:00 is on the next day.
type dayPart struct{ from, to TimeOfDay }

var dayParts = map[string]dayPart{
	"morning": {9 * 60, 12 * 60}, "vormittag": {9 * 60, 12 * 60}, "früh": {9 * 60, 12 * 60}, "forenoon": {9 * 60, 12 * 60}, "morgens": {9 * 60, 12 * 60},
	"lunch": {12 * 60, 13 * 60}, "lunchtime": {12 * 60, 13 * 60},
	"afternoon": {13 * 60, 18 * 60}, "nachmittag": {13 * 60, 18 * 60}, "nachmittags": {13 * 60, 18 * 60},
	"evening": {18 * 60, 23 * 60}, "abend": {18 * 60, 23 * 60}, "abends": {18 * 60, 23 * 60},
	"night": {18 * 60, 33 * 60}, "nacht": {18 * 60, 33 * 60}, "nachts": {18 * 60, 33 * 60}, "overnight": {18 * 60, 33 * 60},
}

// workMorning is the time of a bare day read as an instant.
const workMorning = TimeOfDay(9 * 60)
