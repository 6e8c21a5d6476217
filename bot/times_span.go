package bot

import (
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// A span is from one instant to another, which is not part of it.
type span struct{ from, to time.Time }

// separators stand between the two times.
var separators = []string{"to", "until", "till", "-", "–"}

// readSpan reads "[from] TIME to TIME [schedule]". Every word that can be part of the time
// is; the rest is the name. "until TIME" and "for 2 hours" begin now.
func (r request) readSpan(words []string) (s span, name string, err error) {
	words = splitRanges(words)
	if len(words) > 0 && strings.EqualFold(words[0], "from") {
		words = words[1:]
	}
	if len(words) > 0 && (strings.EqualFold(words[0], "until") || strings.EqualFold(words[0], "till") || strings.EqualFold(words[0], "for")) {
		words = append([]string{"now"}, words...)
	}
	at := slices.IndexFunc(words, func(w string) bool { return slices.Contains(separators, strings.ToLower(w)) })
	if at < 0 {
		words, at = r.separate(words)
	}
	if at <= 0 || at == len(words)-1 {
		return span{}, "", oncall.Refuse("Say from when and to when, as in `/oncall override @ann today 18:00 to 22:00`.")
	}
	if s.from, err = parseWhen(words[:at], r.zone, r.now, r.now); err != nil {
		return span{}, "", err
	}
	rest := words[at+1:]
	end := len(rest)
	for ; end > 0; end-- {
		var ok bool
		if s.to, ok = readWhen(rest[:end], r.zone, r.now, s.from); ok {
			break
		}
	}
	if end == 0 {
		_, err := parseWhen(rest, r.zone, r.now, s.from)
		return span{}, "", err
	}
	name = strings.Join(rest[end:], " ")
	if lower := strings.ToLower(name); strings.HasPrefix(lower, "in ") {
		name = name[len("in "):]
	}
	return s, name, r.checkSpan(s)
}

// separate puts a "to" where people leave it out: before a duration, in "now for 2 hours"
// and in "now 2h", and between two times, in "18:00 22:00".
func (r request) separate(words []string) (separated []string, at int) {
	for at := 1; at < len(words); at++ {
		rest := words[at:]
		if !strings.EqualFold(rest[0], "for") {
			rest = append([]string{"for"}, rest...)
		}
		_, begins := readWhen(words[:at], r.zone, r.now, r.now)
		_, one := later(rest[1:min(2, len(rest))], r.zone, r.now)
		_, two := later(rest[1:min(3, len(rest))], r.zone, r.now)
		if begins && (one || two) {
			return slices.Concat(words[:at], []string{"to"}, rest), at
		}
		_, another := readWhen(words[at:at+1], r.zone, r.now, r.now)
		if begins && another && strings.Contains(words[at-1], ":") { // not between a day and its time
			return slices.Concat(words[:at], []string{"to"}, words[at:]), at
		}
	}
	return words, -1
}

func (r request) checkSpan(s span) error {
	switch {
	case !s.from.Before(s.to):
		return oncall.Refuse("The end, %s, is not after the start, %s.", view.Time(s.to, r.location), view.Time(s.from, r.location))
	case s.from.Before(r.now):
		return oncall.Refuse("The start, %s, is in the past. Begin with `now`, or with a later time.", view.Time(s.from, r.location))
	}
	return nil
}

// splitRanges turns "18:00-22:00" into three words, but leaves dates alone.
func splitRanges(words []string) []string {
	var out []string
	for _, w := range words {
		if from, to, ok := strings.Cut(strings.ReplaceAll(w, "–", "-"), "-"); ok {
			_, first := readClock(strings.ToLower(from))
			_, second := readClock(strings.ToLower(to))
			if first && second {
				out = append(out, from, "to", to)
				continue
			}
		}
		out = append(out, w)
	}
	return out
}
