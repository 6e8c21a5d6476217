package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Teams lists teams with their channel, their people and their schedules.
func Teams(teams []oncall.Team, members map[oncall.TeamID][]oncall.UserID, schedules []*schedule.Schedule) string {
	if len(teams) == 0 {
		return "There is no team yet."
	}
	var lines []string
	for _, t := range teams {
		line := fmt.Sprintf("• *%s*: %s", Name(t.Name), named(members[t.ID]))
		if t.Channel != "" {
			line += ", in " + channelWord(t.Channel)
		}
		var own []string
		for _, s := range schedules {
			if s.TeamID() == t.ID {
				own = append(own, Name(s.Name()))
			}
		}
		if len(own) > 0 {
			line += "; schedules: " + List(own)
		}
		lines = append(lines, line)
	}
	return fitLines(lines, MaxAnswer)
}

// People lists people with their time zones.
func People(users map[oncall.UserID]oncall.User) string {
	var here []oncall.User
	for _, u := range users {
		if u.Unpageable() == "" {
			here = append(here, u)
		}
	}
	slices.SortFunc(here, func(a, b oncall.User) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.ID), string(b.ID)))
	})
	lines := make([]string, len(here))
	for i, u := range here {
		lines[i] = "• " + mention(u.ID) + ", " + Name(cmp.Or(u.TimeZone, "UTC"))
	}
	if len(lines) == 0 {
		return "Watchbill knows nobody yet."
	}
	return fitLines(lines, MaxAnswer)
}
