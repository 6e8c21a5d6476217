package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// An IncidentOverview holds everything that one reader sees of an incident, in its modal and its forms.
type IncidentOverview struct {
	Picture  oncall.Picture
	Reader   oncall.UserID
	Plan     []oncall.PlanEntry
	Reach    map[oncall.UserID]oncall.ContactSettings
	Pages    []Attempt
	Resting  map[oncall.ContactID]time.Time // phones that aren't called before then, because they have rung too often
	Others   []oncall.Incident
	Into     *oncall.Incident // what it is to be merged into; nil: the form asks
	Alerts   []oncall.Alert   // of a storm: the most severe firing ones
	Policies map[oncall.PolicyID]oncall.Policy
	Updates  []option // the team's channels for updates
	OnCall   []option // teams and schedules whose on-call people can be asked to help
	Zone     *time.Location
	Now      time.Time
	Past     []oncall.PastIncident // similar incidents, newest first
	Watches  bool                  // the reader may only view it
	Address  string                // base URL of the web pages; empty: there are none
	Trace    string                // address of its trace; "" if there is none
}

// Contacts returns the contact methods that the plan and the pages use.
func (ov IncidentOverview) Contacts() (all []oncall.ContactID) {
	for _, p := range ov.Pages {
		if p.State == oncall.PageWaiting && p.Contact != 0 {
			all = append(all, p.Contact)
		}
	}
	for _, p := range ov.Plan {
		for _, who := range p.People {
			for _, rule := range who.Rules {
				all = append(all, rule.Contact)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// rests says until when a contact method isn't used at an instant; empty: it is.
func (ov IncidentOverview) rests(c oncall.ContactID, at time.Time) string {
	until := ov.Resting[c]
	if !until.After(at) {
		return ""
	}
	return fmt.Sprintf("not before %s, as %s", ov.moment(until), oncall.PhoneRestsBecause)
}

// An Attempt is a page and its outcome.
type Attempt struct {
	oncall.Page
	State oncall.PageState
	Ended *time.Time // when the outcome was known
}

// Draw draws the incident's state, what happens next and why, why its reader was paged, everything that can be
// done, and what the monitor sent.
func (ov IncidentOverview) Draw() slack.ModalViewRequest {
	in := ov.Picture.Incident
	blocks := []slack.Block{
		section(headline(in)), section(forReader(standing(ov.Picture), ov.Zone)), paragraph("*What happens next*", ov.planLines()),
	}
	if lines := ov.pagedLines(); len(lines) > 0 {
		blocks = append(blocks, paragraph("*Why you were paged*", lines))
	}
	if lines := pastLines(ov.Past, ov.Zone); len(lines) > 0 {
		blocks = append(blocks, paragraph("*Last time*", lines))
	}
	var elements []slack.BlockElement
	if !ov.Watches {
		elements = mainButtons(in, ov.Reader)
	}
	for _, o := range menuItems(in) {
		if !ov.Watches || o.does == ActionTimeline {
			elements = append(elements, button(o.does, valueOf(in.ID), o.label))
		}
	}
	blocks = append(blocks, slack.NewActionBlock("deeds", elements...))
	var elsewhere []string
	if there := browserLink(ov.Address, in.ID); there != "" {
		elsewhere = append(elsewhere, there)
	}
	if ov.Trace != "" {
		elsewhere = append(elsewhere, link(ov.Trace, "Trace of its pages"))
	}
	if len(elsewhere) > 0 {
		blocks = append(blocks, note(strings.Join(elsewhere, " · ")))
	}
	if ov.Picture.AlertCount > 0 {
		details := Details{Incident: in, Alerts: ov.Picture.Alerts, All: ov.Picture.AlertCount, Zone: ov.Zone}
		blocks = append(append(blocks, slack.NewDividerBlock()), details.blocks()...)
	}
	return readOnly("Incident "+in.ID.String(), blocks...)
}
