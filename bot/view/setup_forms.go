package view

import (
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

// The checkboxes of a team.
const (
	TeamPrivate = "private"
	TeamTopic   = "topic"
)

// A SetupTeamForm is the form of a team.
type SetupTeamForm struct {
	Meta     SetupMeta
	Team     setup.Team
	Channel  string // channel id; empty: not known yet
	Members  []oncall.UserID
	Managers []oncall.UserID
	Fallback []oncall.UserID
	Policies []string
	ByFile   bool
	Admin    bool // the reader may rename and remove it
}

// NoChoice is the value of the option that stands for none.
const NoChoice = "none"

// Draw draws the form.
func (f SetupTeamForm) Draw() slack.ModalViewRequest {
	team := f.Team
	head := "*" + Name(team.Name) + "*"
	if f.ByFile {
		head += "\n" + UndoneByFile(team.Name, true)
	}
	policies := []option{{NoChoice, "its only one"}}
	for _, name := range f.Policies {
		policies = append(policies, option{name, name})
	}
	first := []slack.Block{section(head)}
	if f.Admin {
		first = append(first, slack.NewActionBlock("team_actions", button(ActionSetupRename, "", "Rename…"), button(ActionSetupRemoveTeam, "", "Remove the team…").WithStyle(slack.StyleDanger)))
	}
	return dialog(ModalSetupTeamEdit, "Team", "Save", f.Meta.String(), append(first,
		f.channel(),
		peopleField(BlockPeople, "Members", "", f.Members),
		optional(peopleField(BlockSetupManagers, "Managers", "They may change all of this. Nobody chosen: every member.", f.Managers)),
		optional(textField(BlockSetupGroup, "Managers by user group", "Such as @payments-leads: whoever is in it manages the team.", handle(team.ManagedBy()))),
		optional(peopleField(BlockSetupFallback, "Paged where a policy has nobody", "Nobody chosen: the managers.", f.Fallback)),
		choiceField(BlockSetupActs, "Who acts on its incidents", "Whoever was paged always does.", actsValue(team), []option{
			{"workspace", "every full member of the workspace"}, {string(oncall.TeamActs), "the team"},
		}),
		optional(f.boxes()),
		choiceField(BlockPolicy, "Paging the team runs", "", orNone(team.Policy), policies),
		textField(BlockSetupRemind, "Reminds of unacknowledged incidents every", "Such as 10m, or off.", orText(team.Remind, "10m")),
		choiceField(BlockSetupDigest, "Tells the channel of its week", "", orText(string(team.Digest), NoChoice), []option{
			{NoChoice, "while there is something to tell"}, {string(oncall.DigestWeekly), "every week"}, {string(oncall.DigestOff), "never"},
		}),
		choiceField(BlockSetupChannels, "Incidents get a channel of their own", "Whoever was paged is let in; a day after the end it is archived.", orText(string(team.IncidentChannel), NoChoice), []option{
			{NoChoice, "when somebody asks for one"},
			{string(oncall.Critical), "if they are critical"},
			{string(oncall.High), "from high severity on"},
			{string(oncall.Medium), "from medium severity on"},
			{string(oncall.Low), "always"},
		}),
		optional(textField(BlockSetupUpdates, "Updates for others go to", "Channels such as #status #support, for people who don't work on incidents.", strings.Join(team.Updates, " "))),
		choiceField(BlockSetupTimeOff, "If somebody is away while on call", "", orText(string(team.OnTimeOff()), NoChoice), []option{
			{NoChoice, "they are warned"}, {string(oncall.TimeOffCover), "others are asked for cover"}, {string(oncall.TimeOffSkip), "whoever comes next is on call"},
		}),
		choiceField(BlockSetupOwner, "Its schedules are kept", "", orText(string(team.Owner), string(oncall.OwnerFile)), []option{
			{string(oncall.OwnerSlack), "in Slack: the file leaves them as they are"}, {string(oncall.OwnerFile), "in the set-up file: it undoes other edits"},
		}),
	)...)
}

func (f SetupTeamForm) channel() *slack.InputBlock {
	in := channelField(BlockSetupChannel, "Channel", "Where its incidents are shown. Of a private team, a private one.", f.Channel)
	if f.Channel == "" && f.Team.Channel != "" {
		in.Hint = plain("Left empty: " + CutPlain(f.Team.Channel, MaxName) + ", as now.")
		return optional(in)
	}
	return in
}

func (f SetupTeamForm) boxes() *slack.InputBlock {
	in := checkField(BlockSetupOptions, "Also", "", option{TeamPrivate, "Private: only members see what is the team's"}, option{TeamTopic, "The channel's topic says who is on call"})
	boxes, _ := in.Element.(*slack.CheckboxGroupsBlockElement)
	for i, ticked := range []bool{f.Team.Private, f.Team.Topic} {
		if ticked {
			boxes.InitialOptions = append(boxes.InitialOptions, boxes.Options[i])
		}
	}
	return in
}

func handle(group string) string {
	if group == "" {
		return ""
	}
	return "@" + strings.TrimPrefix(group, "@")
}

func actsValue(t setup.Team) string {
	if t.ActsOf() == oncall.TeamActs {
		return string(oncall.TeamActs)
	}
	return "workspace"
}

func orNone(text string) string { return orText(text, NoChoice) }

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// A SetupIntegrationForm is the form of an integration.
type SetupIntegrationForm struct {
	Meta     SetupMeta
	Is       setup.Integration
	Kinds    []Choice
	Policies []string // policies of its team
	ByFile   bool
	Mapped   bool // a mapping reads what comes
}

// Draw draws the form.
func (f SetupIntegrationForm) Draw() slack.ModalViewRequest {
	title, submit := "Monitor", "Save"
	var blocks []slack.Block
	if f.Meta.Name == "" {
		title, submit = "New monitor", "Make its key"
		blocks = append(blocks, textField(BlockName, "Name", "Such as payments-grafana.", f.Is.Name))
	} else {
		blocks = append(blocks, section("*"+Name(f.Is.Name)+"* of the team "+Name(f.Meta.Team)))
	}
	policies := make([]option, len(f.Policies))
	for i, name := range f.Policies {
		policies[i] = option{name, name}
	}
	by, window := "", ""
	if f.Is.Group != nil {
		by, window = strings.Join(f.Is.Group.By, ", "), f.Is.Group.Window
	}
	hint := "Labels in which alerts agree that are one incident, such as cluster, service. Left empty: each is its own."
	if window != "" {
		hint += " Within " + Name(window) + "."
	}
	blocks = append(blocks,
		choiceField(BlockSetupKind, "What sends the alerts", "", orText(string(f.Is.Format), string(oncall.AutoFormat)), optionsOf(f.Kinds)),
		choiceField(BlockPolicy, "Escalation policy", "", f.Is.Policy, policies),
		optional(textField(BlockGroupBy, "Group by", hint, by)),
		optional(textField(BlockStorm, "A storm begins after", "So many incidents in a minute, or off. Left empty: 10.", f.Is.Storm)),
		optional(areaField(BlockHeartbeats, "Heartbeats", "What has to ping regularly, one a line: backup: every 1d, grace 2h. /oncall heartbeats shows their addresses.", HeartbeatLines(f.Is.Heartbeats))),
	)
	if f.Meta.Name != "" {
		mapping := "How JSON is read…"
		if f.Mapped {
			mapping = "How JSON is read: by a mapping…"
		}
		blocks = append(blocks, slack.NewActionBlock("integration_actions", button(ActionSetupRoutes, f.Meta.Name, "Rules for its alerts…"), button(ActionSetupMapping, f.Meta.Name, mapping), button(ActionSetupRemove, "integration", "Remove it").WithStyle(slack.StyleDanger).
			WithConfirm(slack.NewConfirmationBlockObject(plain("Remove it?"), plain("What its monitor sends is refused from then on."), plain("Remove"), plain("Cancel")))))
	}
	if f.ByFile {
		blocks = append(blocks, note(UndoneByFile(f.Meta.Team, true)))
	}
	return dialog(ModalSetupIntegration, title, submit, f.Meta.String(), blocks...)
}
