package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/timeline"
)

// scheduleCmd answers from a file, without a database or settings.
type scheduleCmd struct {
	Render renderCmd `cmd:"" help:"Print every shift from one instant to another."`
	At     atCmd     `cmd:"" help:"Print who is on call at some instants."`
}

type renderCmd struct {
	File string  `short:"f" required:"" placeholder:"FILE" help:"JSON file with users, schedule and overrides."`
	From instant `required:"" placeholder:"T" help:"Beginning, such as 2026-03-02T00:00:00Z."`
	To   instant `required:"" placeholder:"T" help:"End, which is not part of it."`
	JSON bool    `name:"json" help:"Print JSON instead of a table."`
	PNG  string  `name:"png" placeholder:"FILE" help:"Also write the shifts to this file as a picture."`
}

type atCmd struct {
	File  string    `short:"f" required:"" placeholder:"FILE" help:"JSON file with users, schedule and overrides."`
	At    []instant `required:"" sep:"none" placeholder:"T" help:"An instant, such as 2026-03-02T09:00:00Z; may be given several times."`
	Until instant   `required:"" placeholder:"T" help:"Look for the next change before this instant."`
	JSON  bool      `name:"json" help:"Print JSON instead of lines."`
}

// An instant is a time in RFC 3339 format.
type instant struct{ time.Time }

// UnmarshalText reads a command-line argument.
func (i *instant) UnmarshalText(text []byte) error {
	parsed, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return fmt.Errorf("%q is not an instant such as 2026-03-08T07:00:00Z", text)
	}
	i.Time = parsed
	return nil
}

// Run prints the shifts.
func (c *renderCmd) Run(p process) error {
	if c.To.Before(c.From.Time) {
		return wrongUse{"--to is before --from"}
	}
	file, err := readCase(c.File)
	if err != nil {
		return err
	}
	if c.PNG != "" {
		if err := c.draw(file.Schedule()); err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(p.out, file.Render(c.From.Time, c.To.Time))
	}
	return c.table(p.out, file)
}

// table prints a line for each shift, in the schedule's time zone and in UTC.
func (c *renderCmd) table(out io.Writer, file Case) error {
	zone := caseZone(file)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "from (%s)\tto\tUTC\tlasts\ton call\n", zone)
	for _, s := range file.Render(c.From.Time, c.To.Time).Shifts {
		fmt.Fprintf(table, "%s\t%s\t%s – %s\t%s\t%s\n", local(s.Start, zone), local(s.End, zone),
			s.Start.Format(utcLayout(s.Start)), s.End.Format(utcLayout(s.End)), lasts(s.End.Sub(s.Start)), people(s.OnCall))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the shifts: %w", err)
	}
	return nil
}

// draw writes the picture.
func (c *renderCmd) draw(s *schedule.Schedule) error {
	picture := timeline.Timeline{
		Title: "On call: " + strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File)), From: c.From.Time, To: c.To.Time, TimeZone: s.TimeZone(),
		Rows: []timeline.Row{{Name: schedule.RolePrimary, Shifts: s.Shifts(c.From.Time, c.To.Time, schedule.RolePrimary)}},
	}
	file, err := os.Create(c.PNG)
	if err != nil {
		return wrongUse{fmt.Sprintf("write %s: %v", c.PNG, errors.Unwrap(err))}
	}
	if err := errors.Join(timeline.Draw(file, picture), file.Close()); err != nil {
		return fmt.Errorf("draw %s: %w", c.PNG, err)
	}
	return nil
}

// Run prints the answers.
func (c *atCmd) Run(p process) error {
	file, err := readCase(c.File)
	if err != nil {
		return err
	}
	instants := make([]time.Time, len(c.At))
	for i, t := range c.At {
		instants[i] = t.Time
	}
	answers := file.At(instants, c.Until.Time)
	if c.JSON {
		return printJSON(p.out, answers)
	}
	zone := caseZone(file)
	for _, a := range answers {
		until := "no change until " + local(c.Until.Time, zone)
		if a.NextChange != nil {
			until = "until " + local(*a.NextChange, zone)
		}
		fmt.Fprintf(p.out, "%s: %s, %s\n", local(a.At, zone), people(a.OnCall), until)
	}
	return nil
}

// maxCaseFile is how much of a case is read; a longer one is then no valid JSON.
const maxCaseFile = 16 << 20

// readCase reads a file. Whatever is wrong with it is for the user to fix.
func readCase(path string) (Case, error) {
	data, err := readUpTo(path, maxCaseFile)
	if err != nil {
		return Case{}, wrongUse{fmt.Sprintf("read %s: %v", path, errors.Unwrap(err))}
	}
	file, err := ParseCase(data)
	if err != nil {
		return Case{}, wrongUse{path + ": " + strings.ReplaceAll(err.Error(), "\n", " ")}
	}
	return file, nil
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// caseZone returns the time zone for printing a case. It exists, because otherwise the case would have
// been refused; without layers it is UTC.
func caseZone(file Case) *time.Location {
	zone, err := time.LoadLocation(file.Schedule().TimeZone())
	if err != nil {
		return time.UTC
	}
	return zone
}

// local writes an instant in a time zone, with seconds only if there are any.
func local(t time.Time, zone *time.Location) string {
	if t.Second() != 0 {
		return t.In(zone).Format("Mon 2 Jan 2006 15:04:05 MST")
	}
	return t.In(zone).Format("Mon 2 Jan 2006 15:04 MST")
}

func utcLayout(t time.Time) string {
	if t.Second() != 0 {
		return "2 Jan 15:04:05"
	}
	return "2 Jan 15:04"
}

// lasts writes a duration in days, hours and minutes.
func lasts(d time.Duration) string {
	var words []string
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / unit.length; n > 0 {
			words = append(words, fmt.Sprintf("%d%s", n, unit.name))
			d -= n * unit.length
		}
	}
	return strings.Join(words, " ")
}

func people(ids []oncall.UserID) string {
	if len(ids) == 0 {
		return "nobody"
	}
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = string(id)
	}
	return strings.Join(words, ", ")
}
