package view

import (
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

// groupLine says what a user group follows.
func groupLine(g setup.UserGroup) string {
	schedules := make([]string, len(g.Schedules))
	for i, name := range g.Schedules {
		schedules[i] = Name(name)
	}
	text := "*@" + Name(g.Name()) + "* is whoever is on call in " + List(schedules)
	if len(g.Roles) > 0 {
		text += ", as " + Foreign(strings.Join(g.Roles, ", "), maxTitle)
	}
	switch g.WhenEmpty {
	case oncall.WhenEmptyDisable:
		return text + "; disabled while nobody is"
	case oncall.WhenEmptyFallback:
		return text + "; while nobody is, " + Name(g.Fallback)
	case oncall.WhenEmptyKeep:
	}
	return text + "; while nobody is, whoever was last"
}

// A SetupGroupForm is what the form of a user group shows.
type SetupGroupForm struct {
	Meta      SetupMeta
	Group     setup.UserGroup
	Schedules []string // to choose from
	Fallback  oncall.UserID
	ByFile    bool
}

// Draw draws the form.
func (f SetupGroupForm) Draw() slack.ModalViewRequest {
	title, submit := "User group", "Save"
	var blocks []slack.Block
	if f.Meta.Name == "" {
		title, submit = "A user group follows", "Follow"
		blocks = append(blocks, textField(BlockName, "User group", "Such as @payments-oncall. It must be there in Slack; who is in it changes with every hand-off.", ""))
	} else {
		blocks = append(blocks, section("*@"+Name(f.Group.Name())+"*"))
	}
	e := slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeStatic, nil, string(BlockGroupFollows))
	for _, name := range f.Schedules[:min(len(f.Schedules), maxOptions)] {
		o := optionObject(option{name, name})
		e.Options = append(e.Options, o)
		if slices.Contains(f.Group.Schedules, name) || len(f.Schedules) == 1 {
			e.InitialOptions = append(e.InitialOptions, o)
		}
	}
	blocks = append(blocks,
		field(BlockGroupFollows, "Follows", "", e),
		optional(textField(BlockGroupRoles, "Roles", "Such as primary, secondary. Left empty: all but shadows.", strings.Join(f.Group.Roles, ", "))),
		choiceField(BlockGroupEmpty, "While nobody is on call", "Slack takes no empty user group.", orText(string(f.Group.WhenEmpty), string(oncall.WhenEmptyKeep)), []option{
			{string(oncall.WhenEmptyKeep), "whoever was on call last stays in it"},
			{string(oncall.WhenEmptyDisable), "it is disabled"},
			{string(oncall.WhenEmptyFallback), "it is the person below"},
		}),
		optional(userField(BlockGroupFallback, "That person", "", f.Fallback)),
	)
	if f.Meta.Name != "" {
		blocks = append(blocks, slack.NewActionBlock("group_actions", button(ActionSetupRemove, "group", "Follow no more").WithStyle(slack.StyleDanger).
			WithConfirm(slack.NewConfirmationBlockObject(plain("Follow no more?"), plain("The user group stays in Slack as it is, and changes no more."), plain("Remove"), plain("Cancel")))))
	}
	if f.ByFile {
		blocks = append(blocks, note(UndoneByFile(f.Meta.Team, true)))
	}
	return dialog(ModalSetupGroup, title, submit, f.Meta.String(), blocks...)
}
