package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/store"
)

type auditCmd struct {
	databaseFlags `embed:""`
	Since         string `default:"7d" placeholder:"WHEN" help:"How far back: 7d, 12h, 2w, or a day such as 2026-11-30."`
	Team          string `placeholder:"NAME" help:"What is of one team only."`
	Kind          string `placeholder:"KIND" help:"What is about one kind of thing only: team, schedule, policy, integration, user-group, person, installation."`
	Name          string `placeholder:"NAME" help:"What is about the thing of this name only."`
	Limit         int    `default:"1000" help:"At most so many entries, the newest ones."`
	JSON          bool   `name:"json" help:"One JSON object a line."`
}

// Run prints the audit log, newest first.
func (c *auditCmd) Run(p process) error {
	filter := store.AuditFilter{Name: c.Name}
	since, ok := audit.ParseSince(c.Since, p.clock(), time.UTC)
	if !ok {
		return wrongUse{fmt.Sprintf("--since is %q; write how far back, such as 7d or 12h, or a day such as 2026-11-30", c.Since)}
	}
	filter.Since = since
	if filter.Kind, ok = audit.ParseKind(c.Kind); !ok && c.Kind != "" {
		return wrongUse{fmt.Sprintf("--kind is %q; it may be team, schedule, policy, integration, user-group, person or installation", c.Kind)}
	}
	if c.Limit < 1 {
		return wrongUse{"--limit is at least 1"}
	}
	db, err := c.open(p)
	if err != nil {
		return err
	}
	defer db.Close()
	dir, err := db.Directory(p.ctx)
	if err != nil {
		return err
	}
	if filter.Team, err = teamNamed(dir, c.Team); err != nil {
		return err
	}
	shown := 0
	for more := true; more && shown < c.Limit; {
		filter.Limit = min(store.MostAudit, c.Limit-shown)
		var entries []audit.Entry
		if entries, more, err = db.History(p.ctx, p.operator(), filter); err != nil {
			return err
		}
		for _, e := range entries {
			if err := c.print(p, dir, e); err != nil {
				return err
			}
			filter.Before, shown = e.ID, shown+1
		}
		if more && shown >= c.Limit {
			fmt.Fprintf(p.errOut, "There are older ones since %s; a higher --limit shows them.\n", stamp(since))
		}
	}
	if shown == 0 {
		fmt.Fprintf(p.errOut, "Nothing was changed since %s.\n", stamp(since))
	}
	return nil
}

// teamNamed finds a team; 0 is any.
func teamNamed(dir *store.Directory, name string) (oncall.TeamID, error) {
	if name == "" {
		return 0, nil
	}
	var names []string
	for _, t := range dir.Teams {
		if strings.EqualFold(t.Name, name) {
			return t.ID, nil
		}
		names = append(names, fmt.Sprintf("%q", t.Name))
	}
	return 0, wrongUse{fmt.Sprintf("there is no team %q; there are %s", name, strings.Join(names, ", "))}
}

// An auditLine is an entry as JSON. Fields are only ever added.
type auditLine struct {
	ID      int64           `json:"id"`
	At      time.Time       `json:"at"`
	By      oncall.Actor    `json:"by"`
	Act     audit.Operation `json:"act"`
	Kind    audit.Kind      `json:"kind"`
	Name    string          `json:"name,omitempty"`
	User    oncall.UserID   `json:"user,omitempty"` // the person concerned
	Teams   []string        `json:"teams,omitempty"`
	Changes []auditChange   `json:"changes,omitempty"`
	Text    string          `json:"text"`
}

type auditChange struct {
	What   string `json:"what"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

func (c *auditCmd) print(p process, dir *store.Directory, entry audit.Entry) error {
	name := dir.Name
	text := entry.By.Shown(name) + " " + entry.Sentence().Shown(name)
	if way := entry.Way(); way != "" {
		text += ", " + way
	}
	if !c.JSON {
		fmt.Fprintf(p.out, "%s  %s\n", stamp(entry.At), notify.OneLine(text))
		for _, change := range entry.Changes {
			fmt.Fprintf(p.out, "    %s\n", notify.OneLine(change.Sentence().Shown(name)))
		}
		return nil
	}
	line := auditLine{ID: entry.ID, At: entry.At, By: entry.By, Act: entry.Act, Kind: entry.Kind, Name: entry.Name, User: entry.About, Text: text}
	for _, id := range entry.Teams {
		if t, known := dir.Team(id); known {
			line.Teams = append(line.Teams, t.Name)
		}
	}
	for _, change := range entry.Changes {
		line.Changes = append(line.Changes, auditChange{What: change.What, Before: change.Before.Shown(name), After: change.After.Shown(name)})
	}
	if err := json.NewEncoder(p.out).Encode(line); err != nil {
		return fmt.Errorf("print an entry: %w", err)
	}
	return nil
}
