package oncall

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxUpdate = 2000
	// MaxUpdateChannels is how many channels a team may name for updates.
	MaxUpdateChannels = 10
)

// NoticeUpdate is an update of an incident, for a channel of the team's choice.
const NoticeUpdate NoticeKind = "update"

// update tells people how the incident stands: in its own channel, if it has one, and in the channels that its team chose for those
// who don't work on it, or in some of them. Without any of these the thread has it. A closed incident takes one too.
func (c *Change) update(a Act) error {
	in := &c.Incident
	team := c.facts.Roster.Teams[in.TeamID]
	text := strings.TrimSpace(Storable(a.Text))
	to := team.Updates
	if len(a.Channels) > 0 {
		to = a.Channels
	}
	switch n := utf8.RuneCountInString(text); {
	case in.MergedInto != 0:
		return in.refuseClosed()
	case n == 0:
		return Refuse("The update is empty.")
	case n > maxUpdate:
		return Refuse("An update can have 2,000 characters, not %d.", n)
	}
	for _, channel := range to {
		if !slices.Contains(team.Updates, channel) {
			return Refuse("The team's updates don't go to %s any more. Please open the form again.", channel)
		}
	}
	if own := in.Channel; own != nil && own.ID != "" && !own.Archived && (own.Private || !team.Private) && !slices.Contains(to, own.ID) {
		to = append([]string{own.ID}, to...)
	}
	in.Updates++
	c.record(EventUpdate, c.by, Detail{Text: text, To: to, Count: in.Updates})
	for _, channel := range to {
		c.Notices = append(c.Notices, Notice{
			Key: fmt.Sprintf("update/%d/%d/%d/%s", in.ID, in.OpenedAt.Unix(), in.Updates, channel), To: channel, Kind: NoticeUpdate, About: int64(in.ID),
			Detail: NoticeDetail{
				By: c.by.User, Incidents: []IncidentID{in.ID}, Count: in.Updates, Note: text, Title: in.Title, Status: in.Status, Severity: in.Severity, Team: team.Name,
			},
		})
	}
	return nil
}
