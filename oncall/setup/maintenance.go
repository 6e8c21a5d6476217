package setup

import (
	"cmp"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Maintenance is a window in which a team's alerts page nobody. One that has ended is ignored.
type Maintenance struct {
	Name           string   `json:"name,omitempty"`
	Team           string   `json:"team,omitempty"`
	Integration    string   `json:"integration,omitempty"` // default: all of the team's
	Only           []string `json:"only,omitempty"`        // conditions such as service=checkout, all of which an alert must meet
	From           string   `json:"from,omitempty"`        // "2026-12-05 22:00"
	Until          string   `json:"until,omitempty"`
	TimeZone       string   `json:"time_zone,omitempty"` // of both; default: UTC
	ExceptCritical bool     `json:"except_critical,omitempty"`
	Reason         string   `json:"reason,omitempty"`
}

// Window parses it, without resolving names.
func (m Maintenance) Window() (oncall.Maintenance, error) {
	out := oncall.Maintenance{Name: m.Name, Reason: m.Reason, PagesCritical: m.ExceptCritical}
	zone, err := schedule.LoadZone(cmp.Or(m.TimeZone, "UTC"))
	if err != nil {
		return out, fmt.Errorf("time_zone: %w", err)
	}
	if out.StartsAt, err = readInstant(m.From, zone); err != nil {
		return out, fmt.Errorf("from is %w", err)
	}
	if out.EndsAt, err = readInstant(m.Until, zone); err != nil {
		return out, fmt.Errorf("until is %w", err)
	}
	for _, text := range m.Only {
		match, ok, err := oncall.ParseMatcher(text)
		switch {
		case err != nil:
			return out, fmt.Errorf("only: %w", err)
		case !ok:
			return out, fmt.Errorf("only: %q is no condition; write it like service=checkout", text)
		}
		out.Match = append(out.Match, match)
	}
	return out, out.CheckShape()
}

func (c *checker) maintenance(i int, m Maintenance) {
	c.define("maintenance", m.Name, i)
	c.refer("team", m.Team, "maintenance %q: team", m.Name)
	if m.Integration != "" {
		c.refer("integration", m.Integration, "maintenance %q: integration", m.Name)
	}
	if _, err := m.Window(); err != nil {
		c.say("maintenance %q: %v", m.Name, err)
	}
}

// maintenance exports the windows of set-up files that have not ended.
func (e exporter) maintenance(all []oncall.Maintenance, integrations []oncall.Integration, now time.Time) (out []Maintenance) {
	zone, err := schedule.LoadZone("UTC")
	if err != nil {
		return nil // it always exists
	}
	for _, window := range all {
		if window.Name == "" || !window.EndsAt.After(now) {
			continue
		}
		is := Maintenance{
			Name: window.Name, Team: e.teams[window.TeamID], From: writeInstant(window.StartsAt, zone), Until: writeInstant(window.EndsAt, zone),
			ExceptCritical: window.PagesCritical, Reason: window.Reason,
		}
		for _, in := range integrations {
			if in.ID == window.IntegrationID {
				is.Integration = in.Name
			}
		}
		for _, match := range window.Match {
			is.Only = append(is.Only, match.String())
		}
		out = append(out, is)
	}
	return out
}
