package view

import (
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

// WindowPagesCritical is the value of the box that lets critical alerts page in maintenance all the same.
const WindowPagesCritical = "critical"

// A MaintenanceForm asks for a window of a team.
type MaintenanceForm struct {
	Team         string
	When         string
	Integrations []Choice // of it, by their ids
}

// Draw draws the form.
func (f MaintenanceForm) Draw() slack.ModalViewRequest {
	of := []option{{"0", "All that comes to the team"}}
	for _, in := range f.Integrations {
		of = append(of, option{in.Value, "Only " + in.Label})
	}
	return dialog(ModalSetupMaintenance, "Maintenance", "Plan it", SetupMeta{Team: f.Team}.String(),
		section("Alerts of *"+Name(f.Team)+"* are kept and counted, and page nobody. What still fires at the end pages then."),
		textField(BlockWindowWhen, "When", "Such as 2h, until 14:00, tomorrow 22:00 to 23:30.", f.When),
		choiceField(BlockWindowOf, "Of what", "", "0", of),
		optional(textField(BlockWindowOnly, "Only alerts with", "Labels such as service=checkout env=prod. Left empty: all.", "")),
		optional(textField(BlockReason, "Why", "Everybody who sees its alerts reads it.", "")),
		optional(checkField(BlockWindowPages, "Critical alerts", "", option{WindowPagesCritical, "Page all the same"})),
	)
}

// A RenameTeamForm asks for another name of a team.
type RenameTeamForm struct{ Team string }

// Draw draws the form.
func (f RenameTeamForm) Draw() slack.ModalViewRequest {
	return dialog(ModalSetupRename, "Rename a team", "Rename", SetupMeta{Team: f.Team}.String(),
		textField(BlockName, "Name", "Its schedules, policies and monitors keep theirs. Whatever names the team follows it.", f.Team))
}

// A RemoveTeamForm asks before a team is removed, with all that is its.
type RemoveTeamForm struct {
	Team     string
	Goes     setup.Setup // what goes with it
	Open     int         // of its incidents
	InTheWay []string    // other things that need it, each in one sentence
	ByFile   bool
}

// Draw draws the form; while something needs the team, it can't be sent.
func (f RemoveTeamForm) Draw() slack.ModalViewRequest {
	lines := []string{"What goes with *" + Name(f.Team) + "*:"}
	for _, part := range []struct {
		what  string
		names []string
	}{
		{"schedule", namesOf(f.Goes.Schedules, func(s setup.Schedule) string { return s.Name })},
		{"policy", namesOf(f.Goes.Policies, func(p setup.Policy) string { return p.Name })},
		{"monitor", namesOf(f.Goes.Integrations, func(in setup.Integration) string { return in.Name })},
		{"user group", namesOf(f.Goes.UserGroups, setup.UserGroup.Name)},
	} {
		if len(part.names) > 0 {
			lines = append(lines, "• "+capitalize(part.what)+": "+List(part.names))
		}
	}
	if len(lines) == 1 {
		lines = []string{"Nothing else goes with *" + Name(f.Team) + "*."}
	}
	blocks := []slack.Block{section(fitLines(lines, maxSection))}
	if len(f.Goes.Integrations) > 0 {
		blocks = append(blocks, section("What its monitors send is refused from then on."))
	}
	if f.Open > 0 {
		blocks = append(blocks, section("What is open goes on by the policy that it follows: "+Count(f.Open, "incident")+"."))
	}
	if f.ByFile {
		blocks = append(blocks, note(UndoneByFile(f.Team, true)))
	}
	if len(f.InTheWay) == 0 {
		return dialog(ModalSetupRemoveTeam, "Remove a team", "Remove", SetupMeta{Team: f.Team}.String(), blocks...)
	}
	var why []string
	for _, problem := range f.InTheWay {
		why = append(why, "• "+Foreign(problem, maxRuleText))
	}
	return readOnly("Remove a team", append([]slack.Block{paragraph("*It can't be removed yet, because others refer to it:*", why)}, blocks...)...)
}

func namesOf[T any](all []T, name func(T) string) (names []string) {
	for _, one := range all {
		names = append(names, Name(name(one)))
	}
	return names
}

// HeartbeatLines are heartbeats as a form has them, one a line.
func HeartbeatLines(all []setup.Heartbeat) string {
	lines := make([]string, len(all))
	for i, h := range all {
		line := h.Name + ": every " + h.Every
		if h.Grace != "" {
			line += ", grace " + h.Grace
		}
		if h.MaxRuntime != "" {
			line += ", runs " + h.MaxRuntime
		}
		if h.Severity != "" && h.Severity != oncall.High {
			line += ", severity " + string(h.Severity)
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}
