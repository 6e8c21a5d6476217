package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// WriteCSV writes a report as a table with one figure per line, for pivot tables: from, to, zone,
// section, name, measure, value and unit. Columns and measures are only ever added. Person returns
// a person's name.
func (r Report) WriteCSV(w io.Writer, person func(oncall.UserID) string) error {
	t := table{out: csv.NewWriter(w), head: []string{r.Period.From.Format(time.RFC3339), r.Period.To.Format(time.RFC3339), r.Period.TimeZone}}
	t.row("from", "to", "time_zone", "section", "name", "measure", "value", "unit")
	t.counts("total", "", []figure{
		{"incidents", r.Incidents},
		{"open", r.Open},
		{"cleared_by_itself", r.Cleared},
		{"resolved_unacknowledged", r.Unacked},
		{"interruptions", r.Interruptions.All()},
		{"interruptions_working", r.Interruptions.Working},
		{"interruptions_off", r.Interruptions.Off},
		{"interruptions_sleep", r.Interruptions.Sleep},
		{"nights_woken", r.Woken},
		{"bad_nights", r.Bad},
	})
	t.times("acknowledge", r.Ack)
	t.times("resolve", r.Resolve)
	t.put("total", "", "on_call", hours(r.Hours), "hours")
	for _, part := range []struct {
		section string
		of      []Count
	}{{"severity", r.BySeverity}, {"service", r.ByService}, {"integration", r.ByIntegration}} {
		for _, c := range part.of {
			t.counts(part.section, c.Name, []figure{
				{"incidents", c.Incidents}, {"interruptions", c.Interruptions}, {"real", c.Real}, {"noise", c.Noise}, {"unsure", c.Unsure},
			})
		}
	}
	for _, d := range r.Days {
		t.counts("day", d.Date.String(), []figure{
			{"incidents", d.Incidents},
			{"interruptions_working", d.Interruptions.Working},
			{"interruptions_off", d.Interruptions.Off},
			{"interruptions_sleep", d.Interruptions.Sleep},
		})
	}
	for _, p := range r.People {
		t.person(p, person(p.User))
	}
	t.out.Flush()
	if err := t.out.Error(); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	return nil
}

// person adds the figures of one person.
func (t table) person(p PersonReport, name string) {
	t.counts("person", name, []figure{
		{"interruptions_working", p.Interruptions.Working},
		{"interruptions_off", p.Interruptions.Off},
		{"interruptions_sleep", p.Interruptions.Sleep},
		{"nights_woken", p.Woken},
		{"bad_nights", p.Bad},
		{"nights_on_call", p.Hours.Nights},
		{"weekend_days_on_call", p.Hours.WeekendDay},
	})
	for _, h := range []struct {
		what string
		of   time.Duration
	}{
		{"on_call", p.Hours.All()},
		{"on_call_planned", p.Hours.Planned},
		{"on_call_by_override", p.Hours.Override},
		{"on_call_by_swap", p.Hours.Swap},
		{"on_call_by_cover", p.Hours.Cover},
		{"given_away", p.Hours.GivenAway},
	} {
		t.put("person", name, h.what, hours(h.of), "hours")
	}
}

// A table keeps the first write error; later writes are harmless.
type table struct {
	out  *csv.Writer
	head []string
}

type figure struct {
	measure string
	value   int
}

func (t table) row(cells ...string) { _ = t.out.Write(cells) } // reported by Error

func (t table) put(section, name, measure, value, unit string) {
	t.row(append(append([]string{}, t.head...), section, inert(name), measure, value, unit)...)
}

func (t table) counts(section, name string, all []figure) {
	for _, f := range all {
		t.put(section, name, f.measure, strconv.Itoa(f.value), "count")
	}
}

func (t table) times(what string, of Times) {
	t.put("total", "", what+"_of", strconv.Itoa(of.Of), "count")
	if of.Of == 0 {
		return
	}
	for _, f := range []struct {
		name string
		d    time.Duration
	}{{"mean", of.Mean}, {"median", of.Median}, {"p90", of.P90}} {
		t.put("total", "", what+"_"+f.name, strconv.FormatInt(int64(f.d/time.Second), 10), "seconds")
	}
}

func hours(d time.Duration) string { return strconv.FormatFloat(d.Hours(), 'f', 2, 64) }

// inert keeps a spreadsheet from taking a name for a formula.
func inert(name string) string {
	if strings.ContainsAny(name[:min(1, len(name))], "=+-@\t\r") {
		return "'" + name
	}
	return name
}
