package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

type contactsCmd struct {
	List contactsListCmd `cmd:"" help:"List what can be ended of somebody's: contact methods (masked), calendars, links."`
	End  contactsEndCmd  `cmd:"" help:"End contact methods, calendars and links of somebody's; they are told."`
}

type contactsListCmd struct {
	databaseFlags `embed:""`
	Person        string `arg:"" help:"Slack id, mail address or name."`
}

type contactsEndCmd struct {
	databaseFlags `embed:""`
	Person        string   `arg:"" help:"Slack id, mail address or name."`
	What          []string `arg:"" help:"As list shows it: contact/3, calendar/5, links."`
}

// somebody finds the person named on the command line.
func (p process) somebody(db *store.System, typed string) (oncall.UserID, error) {
	dir, err := db.Directory(p.ctx)
	if err != nil {
		return "", err
	}
	var found []string
	for id, u := range dir.Users {
		if strings.EqualFold(string(id), typed) || strings.EqualFold(u.Name, typed) || u.Email != "" && strings.EqualFold(u.Email, typed) {
			found = append(found, string(id))
		}
	}
	slices.Sort(found)
	switch len(found) {
	case 0:
		return "", wrongUse{fmt.Sprintf("nobody is called %q; give the Slack id, the mail address or the whole name", typed)}
	case 1:
		return oncall.UserID(found[0]), nil
	}
	return "", wrongUse{fmt.Sprintf("%q may be %s; give the Slack id", typed, strings.Join(found, ", "))}
}

// Run lists.
func (c *contactsListCmd) Run(p process) error {
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	user, err := p.somebody(db, c.Person)
	if err != nil {
		return err
	}
	dir, err := db.Directory(p.ctx)
	if err != nil {
		return err
	}
	has, err := db.Belongings(p.ctx, p.operator(), user)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, h := range has.Contacts {
		state := "in use"
		if !h.Usable {
			state = "not used: it is not verified, or switched off"
		}
		fmt.Fprintf(table, "contact/%d\t%s\t%s\n", h.ID, notify.OneLine(h.What), state)
	}
	for _, f := range has.Feeds {
		of := "their own shifts"
		if s, known := dir.Schedule(f.ScheduleID); known {
			of = s.Name()
		}
		fmt.Fprintf(table, "calendar/%d\tof %s\tsince %s\n", f.ID, notify.OneLine(of), stamp(f.CreatedAt))
	}
	links := "those of the last 48 hours answer"
	if has.LinksEndedAt != nil {
		links = "those before " + stamp(*has.LinksEndedAt) + " are ended"
	}
	fmt.Fprintf(table, "links\tin mails and pushes\t%s\n", links)
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the list: %w", err)
	}
	return nil
}

// Run removes the named contacts, if all of them exist.
func (c *contactsEndCmd) Run(p process) error {
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	user, err := p.somebody(db, c.Person)
	if err != nil {
		return err
	}
	has, err := db.Belongings(p.ctx, p.operator(), user)
	if err != nil {
		return err
	}
	var ends []func() error
	for _, what := range c.What {
		kind, text, _ := strings.Cut(what, "/")
		id, _ := strconv.ParseInt(text, 10, 64) // anything that isn't a number becomes 0
		switch {
		case what == "links":
			ends = append(ends, func() error { return db.EndLinks(p.ctx, p.operator(), user, p.clock()) })
		case kind == "contact" && slices.ContainsFunc(has.Contacts, func(h store.OwnedContact) bool { return h.ID == oncall.ContactID(id) }):
			ends = append(ends, func() error { return db.RemoveContact(p.ctx, p.operator(), user, oncall.ContactID(id), p.clock()) })
		case kind == "calendar" && slices.ContainsFunc(has.Feeds, func(f store.Feed) bool { return f.ID == store.FeedID(id) }):
			ends = append(ends, func() error { return db.RevokeFeed(p.ctx, p.operator(), store.FeedID(id), p.clock()) })
		default:
			return wrongUse{fmt.Sprintf("%s has no %s; watchbill contacts list says what there is, and nothing was ended", c.Person, what)}
		}
	}
	for i, end := range ends {
		if err := end(); err != nil {
			return fmt.Errorf("end %s: %w", c.What[i], err)
		}
		fmt.Fprintf(p.out, "Ended %s. The person is told in Slack.\n", notify.OneLine(c.What[i]))
	}
	return nil
}
