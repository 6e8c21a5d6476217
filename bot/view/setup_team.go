package view

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// Limits of a team's form, which keep it below Slack's number of blocks.
const (
	maxTeams        = 40
	maxSchedules    = 15
	maxPolicies     = 15
	maxIntegrations = 20
	maxLists        = 10
	maxWindows      = 5
	maxGroups       = 5
)

// A SetupMeta is the metadata of the set-up's forms: their subject, the version of it that they show, and the
// state of a policy's edit.
type SetupMeta struct {
	Team   string        `json:"team,omitempty"`
	ETag   string        `json:"etag,omitempty"`
	Name   string        `json:"name,omitempty"` // of a policy or an integration; empty: a new one
	Step   int           `json:"step,omitempty"` // counting from 0; past the last: a new one
	Policy *setup.Policy `json:"policy,omitempty"`

	Rules  []setup.Route `json:"rules,omitempty"`  // of the team, or of the integration with the name
	Shadow bool          `json:"shadow,omitempty"` // the rules are only tried, and change nothing
}

// String encodes the metadata.
func (m SetupMeta) String() string {
	text, err := json.Marshal(m)
	if err != nil { // can't happen
		return ""
	}
	return string(text)
}

// MaxMeta is the maximum length of a view's private metadata.
const MaxMeta = 3000

// maxEdited is the maximum length of a name that can be edited here; the set-up file and the REST API have
// no such limit.
const maxEdited = 200

// edited reports whether a name is short enough for buttons and metadata.
func edited(name string) bool { return len(name) <= maxEdited }

// A SetupTeams is the list of teams to open.
type SetupTeams struct {
	Teams []SetupTeam // editable ones first
	Makes bool        // the reader may create a team
}

// A SetupTeam is a team with everything it owns.
type SetupTeam struct {
	Team         setup.Team
	ETag         string
	Members      []oncall.UserID
	Managers     []oncall.UserID
	Fallback     []oncall.UserID
	ByFile       bool // the set-up file overwrites edits
	Edits        bool // the reader may change it
	Manages      bool // and its integrations
	Maintains    bool // and begin maintenance
	Schedules    []*schedule.Schedule
	Overrides    overrides
	Policies     []setup.Policy
	Integrations []Integration
	Routes       []RouteList
	Maintenance  []MaintenanceWindow
	Groups       []setup.UserGroup // Slack user groups that follow its schedules
	Message      string            // result of the last action
	Now          time.Time
	Zone         *time.Location
}

// Draw draws the list.
func (s SetupTeams) Draw() slack.ModalViewRequest {
	var blocks []slack.Block
	if len(s.Teams) == 0 {
		blocks = append(blocks, section("There is no team yet. An admin can make one by `/oncall setup`."))
	}
	for _, t := range s.Teams[:min(len(s.Teams), maxTeams)] {
		open := "Open"
		if t.Edits {
			open = "Edit"
		}
		text := fmt.Sprintf("*%s* %s, %s", Name(t.Team.Name), channelWords(t.Team.Channel), Count(len(t.Members), "member"))
		block := slack.NewSectionBlock(words(text), nil, nil)
		if edited(t.Team.Name) {
			block.Accessory = slack.NewAccessory(button(ActionSetupTeam, t.Team.Name, open))
		}
		blocks = append(blocks, block)
	}
	if more := len(s.Teams) - maxTeams; more > 0 {
		blocks = append(blocks, note(Count(more, "more team")+": `/oncall setup NAME` opens one."))
	}
	if s.Makes {
		blocks = append(blocks, slack.NewActionBlock("setup_actions", button(ActionSetupNew, "", "New team…").WithStyle(slack.StylePrimary)))
	}
	return buttonModal(modalSetup, "Set-up", "", blocks...)
}

// channelWords formats a channel for people.
func channelWords(named string) string {
	if oncall.IsChannelID(named) {
		return "<#" + named + ">"
	}
	return Name(named)
}

// Draw draws the team, with a button for each thing that it owns.
func (t SetupTeam) Draw() slack.ModalViewRequest {
	var blocks []slack.Block
	meta := SetupMeta{Team: t.Team.Name, ETag: t.ETag}
	if !edited(t.Team.Name) {
		t.Edits, t.Manages, meta = false, false, SetupMeta{}
	}
	if t.Message != "" {
		blocks = append(blocks, section(cutSection(t.Message)))
	}
	head := slack.NewSectionBlock(words(cutSection(strings.Join(t.about(), "\n"))), nil, nil)
	if t.Edits {
		head.Accessory = slack.NewAccessory(button(ActionSetupTeamEdit, "", "Edit…"))
	}
	blocks = append(blocks, head, note(strings.Join(ownedBy(t), "\n")))
	blocks = append(append(append(blocks, t.scheduleBlocks()...), t.policyBlocks()...), t.integrationBlocks()...)
	blocks = append(append(blocks, t.routeBlocks()...), t.maintenanceBlocks()...)
	blocks = append(blocks, t.groupBlocks()...)
	return buttonModal(modalSetupTeam, "Set-up of a team", meta.String(), blocks...)
}

// about describes the team.
func (t SetupTeam) about() []string {
	lines := []string{
		fmt.Sprintf("*%s* %s", Name(t.Team.Name), channelWords(t.Team.Channel)),
		"Members: " + named(t.Members),
	}
	fallback := "its managers"
	if len(t.Fallback) > 0 {
		fallback = named(t.Fallback)
	}
	lines = append(lines, "Paged where a policy has nobody: "+fallback)
	if t.Team.Private {
		lines = append(lines, "Private: only members see what is the team's")
	}
	if t.Team.ActsOf() == oncall.TeamActs {
		lines = append(lines, "Only the team acts on its incidents")
	}
	return lines
}

func (t SetupTeam) scheduleBlocks() []slack.Block {
	blocks := []slack.Block{slack.NewHeaderBlock(plain("Schedules"))}
	if len(t.Schedules) == 0 {
		blocks = append(blocks, section("None yet, so nobody is on call."))
	}
	for _, s := range t.Schedules[:min(len(t.Schedules), maxSchedules)] {
		block := slack.NewSectionBlock(words(cutSection(scheduleLines(t.Overrides, s, t.Now, t.Zone))), nil, nil)
		if t.Edits {
			block.Accessory = slack.NewAccessory(button(ActionSetupSchedule, valueOf(s.ID()), "Edit…"))
		}
		blocks = append(blocks, block)
	}
	return partFooter(blocks, len(t.Schedules)-maxSchedules, t.Edits, button(ActionSetupNewSchedule, "", "New schedule…"))
}

// partFooter finishes a part of the view: how many entries are left out, and the button for a new one.
func partFooter(blocks []slack.Block, more int, makes bool, add *slack.ButtonBlockElement) []slack.Block {
	if more > 0 {
		blocks = append(blocks, note(Count(more, "other")+" not shown."))
	}
	if makes {
		blocks = append(blocks, slack.NewActionBlock("make_"+add.ActionID, add))
	}
	return blocks
}

func (t SetupTeam) policyBlocks() []slack.Block {
	blocks := []slack.Block{slack.NewHeaderBlock(plain("Escalation policies"))}
	if len(t.Policies) == 0 {
		blocks = append(blocks, section("None yet, so its alerts page nobody."))
	}
	for _, p := range t.Policies[:min(len(t.Policies), maxPolicies)] {
		lines := append([]string{"*" + Name(p.Name) + "*"}, stepLines(p)...)
		block := slack.NewSectionBlock(words(cutSection(strings.Join(lines, "\n"))), nil, nil)
		if t.Edits && edited(p.Name) {
			block.Accessory = slack.NewAccessory(button(ActionSetupPolicy, p.Name, "Edit…"))
		}
		blocks = append(blocks, block)
	}
	return partFooter(blocks, len(t.Policies)-maxPolicies, t.Edits, button(ActionSetupNewPolicy, "", "New policy…"))
}

func (t SetupTeam) integrationBlocks() []slack.Block {
	blocks := []slack.Block{slack.NewHeaderBlock(plain("Monitors and their keys"))}
	if len(t.Integrations) == 0 {
		blocks = append(blocks, section("None yet, so nothing sends alerts."))
	}
	for _, in := range t.Integrations[:min(len(t.Integrations), maxIntegrations)] {
		block := slack.NewSectionBlock(words(cutSection(in.line(t.Zone))), nil, nil, slack.SectionBlockOptionBlockID("integration_"+valueOf(in.ID)))
		if in.Manages {
			block.Accessory = slack.NewAccessory(in.menu())
		}
		blocks = append(blocks, block)
	}
	return partFooter(blocks, len(t.Integrations)-maxIntegrations, t.Manages && len(t.Policies) > 0, button(ActionSetupMonitor, "", "New monitor…"))
}

// routeBlocks shows the team's routing rules. The team's own can always be edited here, those of a monitor if
// it has any.
func (t SetupTeam) routeBlocks() []slack.Block {
	blocks := []slack.Block{slack.NewHeaderBlock(plain("Routes"))}
	own := false
	for _, l := range t.Routes[:min(len(t.Routes), maxLists)] {
		if len(l.Rules) == 0 {
			continue
		}
		lines := []string{l.heading(t.Zone)}
		for i, rule := range l.Rules {
			lines = append(lines, fmt.Sprintf("%d. %s", i+1, rule.line(t.Zone)))
		}
		block := slack.NewSectionBlock(words(fitLines(lines, maxSection)), nil, nil)
		if t.Edits && edited(l.Integration) {
			block.Accessory = slack.NewAccessory(button(ActionSetupRoutes, l.Integration, "Edit…"))
		}
		blocks, own = append(blocks, block), own || l.Integration == ""
	}
	if len(blocks) == 1 {
		blocks = append(blocks, section("None: every alert goes to the policy of its monitor."))
	}
	return partFooter(blocks, len(t.Routes)-maxLists, t.Edits && !own, button(ActionSetupRoutes, "", "Rules for all its monitors…"))
}

// maintenanceBlocks returns the windows in force or planned, each with the button that ends it.
func (t SetupTeam) maintenanceBlocks() []slack.Block {
	blocks := []slack.Block{slack.NewHeaderBlock(plain("Maintenance"))}
	if len(t.Maintenance) == 0 {
		blocks = append(blocks, section("None in force or planned."))
	}
	for _, m := range t.Maintenance[:min(len(t.Maintenance), maxWindows)] {
		block := slack.NewSectionBlock(words(cutSection(m.line(t.Now, t.Zone))), nil, nil)
		if m.Manages {
			block.Accessory = slack.NewAccessory(button(ActionMaintenanceEnd, valueOf(m.ID), m.endLabel(t.Now)))
		}
		blocks = append(blocks, block)
	}
	return partFooter(blocks, len(t.Maintenance)-maxWindows, t.Maintains, button(ActionSetupMaintenance, "", "Start or plan…"))
}

// groupBlocks returns the Slack user groups that follow who is on call.
func (t SetupTeam) groupBlocks() []slack.Block {
	if len(t.Schedules) == 0 {
		return nil
	}
	blocks := []slack.Block{slack.NewHeaderBlock(plain("User groups"))}
	if len(t.Groups) == 0 {
		blocks = append(blocks, section("No user group in Slack follows its schedules."))
	}
	for _, g := range t.Groups[:min(len(t.Groups), maxGroups)] {
		block := slack.NewSectionBlock(words(cutSection(groupLine(g))), nil, nil)
		if t.Edits && edited(g.Name()) {
			block.Accessory = slack.NewAccessory(button(ActionSetupGroup, g.Name(), "Edit…"))
		}
		blocks = append(blocks, block)
	}
	return partFooter(blocks, len(t.Groups)-maxGroups, t.Edits, button(ActionSetupGroup, "", "Let a user group follow…"))
}

// IsSetupTeam reports whether a view is that of a team.
func IsSetupTeam(v slack.View) bool { return v.CallbackID == string(modalSetupTeam) }
