package bot

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A span is a half-open period, or certain hours of one.
type span struct {
	from, to time.Time
	windows  []schedule.Window
}

// reader returns a parser of times in the person's zone.
func (r request) reader() schedule.Reader { return schedule.Reader{Zone: r.zone, Now: r.now} }

const timeExamples = "Write it like `tomorrow 9:00`, `fri 18:00`, `24 dec`, `2026-12-24 09:00` or `in 2 hours`."

// moment parses words that are all part of a time.
func (r request) moment(words []string) (schedule.Moment, error) {
	m, n, err := r.reader().Moment(words)
	if err == nil && (n == 0 || n < len(words)) {
		err = noTime(words)
	}
	return m, err
}

func noTime(words []string) error {
	return oncall.Refuse("%q is not a time that Watchbill understands. "+timeExamples, view.Name(unescape(strings.Join(words, " "))))
}

// readSpan parses "TIME to TIME [schedule]" and its variants. Every word that can be part of the time is; the
// rest is the name. example is a correct command for the refusal.
func (r request) readSpan(words []string, example string) (s span, name string, err error) {
	read, n, problem, err := r.reader().Span(words)
	s = span{read.From, read.To, read.Windows}
	if err != nil {
		return s, "", err
	}
	switch problem {
	case schedule.SpanRead:
	case schedule.SpanNoEnd:
		return s, "", oncall.Refuse("Say until when, too, as in `%s`.", example)
	case schedule.SpanBadEnd:
		if n < len(words) {
			return s, "", noTime(words[n:])
		}
		return s, "", oncall.Refuse("Say until when, too, as in `%s`.", example)
	case schedule.SpanNothing:
		if at := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, "to") || strings.EqualFold(w, "until") }); at > 0 {
			return s, "", noTime(words[:at])
		}
		return s, "", oncall.Refuse("Say from when to when, as in `%s`.", example)
	}
	name = strings.Join(words[n:], " ")
	if lower := strings.ToLower(name); strings.HasPrefix(lower, "in ") {
		name = name[len("in "):]
	}
	return s, name, r.checkSpan(s)
}

// inForm returns a refusal for the top of a form, which shows itself how to put things right.
func inForm(refusal oncall.Refusal, example string) string {
	text := view.Sentence(refusal.Sentence)
	for _, how := range []string{", as in `" + example + "`.", ": `" + example + "`."} {
		if short, cut := strings.CutSuffix(text, how); cut {
			return short + "."
		}
	}
	return strings.TrimSuffix(text, " Write it like `"+example+"`.")
}

// readNoted parses "TIME to TIME [note]". It refuses a note that continues the time.
func (r request) readNoted(words []string, example string) (s span, note string, err error) {
	s, note, err = r.readSpan(words, example)
	return s, note, cmp.Or(err, r.refuseTimeIn(s, unescape(note), example))
}

// refuseTimeIn refuses a reason that still contains a time.
func (r request) refuseTimeIn(s span, reason, example string) error {
	if !r.reader().GoesOn(strings.Fields(reason)) {
		return nil
	}
	return oncall.Refuse("%s is understood, but not what follows: %q. Say one stretch of time and then the reason, as in `%s`.",
		view.Between(s.from, s.to, r.location), view.Name(reason), example)
}

// maxYearsAhead is how far ahead anything can be planned.
const maxYearsAhead = 10

func (r request) checkSpan(s span) error {
	switch {
	case !s.from.Before(s.to):
		return oncall.Refuse("The end, %s, is not after the start, %s.", view.Time(s.to, r.location), view.Time(s.from, r.location))
	case s.from.Before(r.now):
		return oncall.Refuse("The start, %s, is in the past. Begin with `now`, or with a later time.", view.Time(s.from, r.location))
	case s.to.After(r.now.AddDate(maxYearsAhead, 0, 0)):
		return oncall.Refuse("The end is more than %d years ahead.", maxYearsAhead)
	}
	return nil
}

// clip returns the parts of stints within a span.
func clip(stints []schedule.Stint, s span) []schedule.Stint {
	var out []schedule.Stint
	for _, p := range stints {
		if p.Start.Before(s.from) {
			p.Start = s.from
		}
		if p.End.After(s.to) {
			p.End = s.to
		}
		if p.Start.Before(p.End) {
			out = append(out, p)
		}
	}
	return out
}
