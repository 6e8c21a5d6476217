package report

import (
	"fmt"
	"strings"
	"time"
)

// Span formats a duration in its two largest units: "45 s", "2 min", "1 h 5 min", "3 d 4 h".
func Span(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	pair := func(a time.Duration, one string, b time.Duration, other string) string {
		n, rest := d/a, d%a/b
		if rest == 0 {
			return fmt.Sprintf("%d %s", n, one)
		}
		return fmt.Sprintf("%d %s %d %s", n, one, rest, other)
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 10*time.Minute:
		return pair(time.Minute, "min", time.Second, "s")
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return pair(time.Hour, "h", time.Minute, "min")
	default:
		return pair(24*time.Hour, "d", time.Hour, "h")
	}
}

// count formats "1 incident" or "7 incidents".
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// Versus adds the figure of the period before, if there was anything then.
func (comp Comparison) Versus(now, before string) string {
	if comp.First() {
		return now
	}
	return now + " (" + before + ")"
}

// First reports whether the period is the first one: in the one before nobody was on call, and nothing came.
func (comp Comparison) First() bool {
	b := comp.Before
	return b.Incidents == 0 && b.Interruptions.All() == 0 && b.Woken == 0 && b.Hours == 0
}

// Sentences describes a period and, in brackets, the previous one. It names no person, and leaves
// names from monitors and set-ups as they are.
func (comp Comparison) Sentences() []string {
	now, before := comp.Now, comp.Before
	lines := []string{comp.incidents()}
	if now.Ack.Of > 0 {
		lines = append(lines, "Acknowledged after "+comp.took(now.Ack, before.Ack)+".")
	}
	if now.Resolve.Of > 0 {
		lines = append(lines, "Over after "+comp.took(now.Resolve, before.Resolve)+".")
	}
	if n := now.Interruptions; n.All() > 0 || before.Interruptions.All() > 0 {
		b := before.Interruptions
		lines = append(lines, fmt.Sprintf("%s: %s in working hours, %s off, %s while asleep.",
			comp.Versus(count(n.All(), "interruption"), fmt.Sprint(b.All())), comp.Versus(fmt.Sprint(n.Working), fmt.Sprint(b.Working)),
			comp.Versus(fmt.Sprint(n.Off), fmt.Sprint(b.Off)), comp.Versus(fmt.Sprint(n.Sleep), fmt.Sprint(b.Sleep))))
	}
	if now.Woken > 0 || before.Woken > 0 {
		lines = append(lines, fmt.Sprintf("%s in which somebody was woken, %s of them more than once.",
			comp.Versus(count(now.Woken, "night"), fmt.Sprint(before.Woken)), comp.Versus(fmt.Sprint(now.Bad), fmt.Sprint(before.Bad))))
	}
	return lines
}

func (comp Comparison) incidents() string {
	now := comp.Now
	if now.Incidents == 0 && comp.Before.Incidents == 0 {
		if comp.First() {
			return "No incidents."
		}
		return "No incidents, and none in the period before."
	}
	text := comp.Versus(count(now.Incidents, "incident"), fmt.Sprint(comp.Before.Incidents))
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{now.Cleared, "cleared by themselves"}, {now.Unacked, "resolved without an acknowledgement"}, {now.Open, "still open"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) > 0 {
		text += ", " + strings.Join(parts, ", ")
	}
	return text + "."
}

// took formats "2 min (3 min) in the median, 4 min (5 min) on average, 90 % within 9 min (8 min)".
func (comp Comparison) took(now, before Times) string {
	inWords := func(d time.Duration) string {
		if before.Of == 0 {
			return "–"
		}
		return Span(d)
	}
	return fmt.Sprintf("%s in the median, %s on average, 90 %% within %s", comp.Versus(Span(now.Median), inWords(before.Median)),
		comp.Versus(Span(now.Mean), inWords(before.Mean)), comp.Versus(Span(now.P90), inWords(before.P90)))
}

// Quiet reports whether there is nothing to report, now or before.
func (comp Comparison) Quiet() bool {
	return comp.Now.Incidents == 0 && comp.Now.Interruptions.All() == 0
}

// Digest describes a week in a few lines, or in one if it was quiet.
func (comp Comparison) Digest() []string {
	if comp.Quiet() {
		before := ""
		if n := comp.Before.Incidents; n > 0 {
			before = fmt.Sprintf(" The week before there were %d.", n)
		}
		return []string{"A quiet week: no incidents." + before}
	}
	lines := comp.Sentences()
	if top := comp.Now.Noisiest(maxInDigest); len(top) > 0 {
		var names []string
		for _, c := range top {
			names = append(names, fmt.Sprintf("%s (%s)", c.Name, c.Said()))
		}
		lines = append(lines, "Noisiest: "+strings.Join(names, ", ")+".")
	}
	return lines
}

const maxInDigest = 3

// Noisiest returns the services that interrupted people most.
func (r Report) Noisiest(most int) []Count {
	var out []Count
	for _, c := range r.ByService {
		if len(out) < most && (c.Interruptions > 0 || c.Incidents > 0) {
			out = append(out, c)
		}
	}
	return out
}

// Said formats a count, with the verdicts on its incidents.
func (c Count) Said() string {
	parts := []string{count(c.Incidents, "incident"), count(c.Interruptions, "interruption")}
	for _, v := range []struct {
		n    int
		what string
	}{{c.Real, "real"}, {c.Noise, "noise"}, {c.Unsure, "unsure"}} {
		if v.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", v.n, v.what))
		}
	}
	return strings.Join(parts, ", ")
}

// Public returns the part that may be shown to others: nothing about single people.
func (comp Comparison) Public() Comparison {
	comp.Now.People, comp.Before.People = nil, nil
	return comp
}
