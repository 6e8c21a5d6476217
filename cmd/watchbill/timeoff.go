package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/ical"
	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// timeOffAhead is how far ahead a calendar's recurring events are expanded.
const timeOffAhead = 365 * 24 * time.Hour

type timeOffCmd struct {
	Import timeOffImportCmd `cmd:"" help:"Take a calendar's events as the time off of a person; what came from the same calendar before and is gone from it is cancelled."`
}

type timeOffImportCmd struct {
	databaseFlags `embed:""`
	File          string `short:"f" required:"" placeholder:"FILE" help:"The calendar, an .ics file."`
	User          string `required:"" placeholder:"WHO" help:"Whose time off: a name, an e-mail address or a Slack user id."`
	Calendar      string `placeholder:"NAME" default:"file" help:"Name of the calendar; each is kept apart."`
}

func (c *timeOffImportCmd) Run(p process) error {
	if wrong := c.problems(); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	file, err := os.Open(c.File)
	if err != nil {
		return wrongUse{fmt.Sprintf("read %s: %v", c.File, errors.Unwrap(err))}
	}
	defer file.Close()
	db, err := store.Open(p.ctx, c.DatabaseURL, store.Options{Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer db.Close()
	known, err := db.Directory(p.ctx)
	if err != nil {
		return err
	}
	user, err := findUser(known, c.User)
	if err != nil {
		return err
	}
	now := p.clock()
	reading, err := ical.ReadTimeOff(file, now, now.Add(timeOffAhead), user.TimeZone)
	var refusal oncall.Refusal
	switch {
	case errors.As(err, &refusal):
		return wrongUse{c.File + ": " + refusal.Error()}
	case err != nil:
		return fmt.Errorf("read %s: %w", c.File, err)
	}
	var spans []oncall.TimeOff
	for _, s := range reading.Spans {
		spans = append(spans, oncall.TimeOff{Start: s.Start, End: s.End, Note: s.Note, UID: s.UID})
	}
	done, err := db.ImportTimeOff(p.ctx, p.operator(), user.ID, c.Calendar, spans, now)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s: %d added, %d kept, %d cancelled.\n", notify.OneLine(user.Name), done.Added, done.Kept, done.Cancelled)
	if reading.Skipped > 0 {
		fmt.Fprintf(p.out, "%d events could not be understood.\n", reading.Skipped)
	}
	for _, trouble := range reading.Troubles {
		fmt.Fprintln(p.out, notify.OneLine(trouble))
	}
	if len(reading.Zones) > 0 {
		fmt.Fprintf(p.out, "Nobody knows these time zones, %s was taken instead: %s.\n", user.TimeZone, strings.Join(reading.Zones, ", "))
	}
	return nil
}

// findUser finds the one person that who refers to.
func findUser(known *store.Directory, who string) (oncall.User, error) {
	var found []oncall.User
	for id, u := range known.Users {
		if string(id) == who || strings.EqualFold(u.Email, who) || strings.EqualFold(u.Name, who) {
			found = append(found, u)
		}
	}
	switch len(found) {
	case 0:
		return oncall.User{}, wrongUse{fmt.Sprintf("there is no user %q", who)}
	case 1:
		return found[0], nil
	default:
		return oncall.User{}, wrongUse{fmt.Sprintf("several users are named %q; give the e-mail address or the Slack user id", who)}
	}
}
