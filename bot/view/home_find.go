package view

import (
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A FindTeam is the team search, with the team that was found.
type FindTeam struct {
	Teams     []oncall.Team
	Found     oncall.TeamID // 0: none chosen yet
	Schedules []*schedule.Schedule
	Overrides overrides
	Open      []oncall.Incident
	Zone      *time.Location
	Now       time.Time
}

// maxFound is the maximum number of incidents of a team.
const maxFound = 10

// Draw draws the search. Slack filters the choices by what is typed.
func (f FindTeam) Draw() slack.ModalViewRequest {
	if len(f.Teams) == 0 {
		return readOnly("Find a team", section("There is no team that you may see."))
	}
	var groups []*slack.OptionGroupBlockObject
	var chosen *slack.OptionBlockObject
	for i := 0; i < len(f.Teams) && len(groups) < maxOptions; i += maxOptions {
		var objects []*slack.OptionBlockObject
		for _, t := range f.Teams[i:min(i+maxOptions, len(f.Teams))] {
			o := optionObject(option{valueOf(t.ID), t.Name})
			if objects = append(objects, o); t.ID == f.Found {
				chosen = o
			}
		}
		groups = append(groups, slack.NewOptionGroupBlockElement(plain(fmt.Sprintf("Teams %d to %d", i+1, i+len(objects))), objects...))
	}
	e := slack.NewOptionsGroupSelectBlockElement(slack.OptTypeStatic, plain("Type its name"), string(BlockFind), groups...)
	e.InitialOption = chosen
	blocks := []slack.Block{slack.NewActionBlock(string(BlockFind), e)}
	if f.Found != 0 {
		blocks = append(blocks, f.found()...)
	}
	return buttonModal(modalFind, "Find a team", "", blocks...)
}

// found draws the chosen team.
func (f FindTeam) found() []slack.Block {
	var blocks []slack.Block
	for _, s := range f.Schedules[:min(len(f.Schedules), homeSchedules)] {
		blocks = append(blocks, section(cutSection(scheduleLines(f.Overrides, s, f.Now, f.Zone))))
	}
	if len(f.Schedules) == 0 {
		blocks = append(blocks, section("It has no schedule, so nobody is on call."))
	}
	var lines []string
	for _, in := range f.Open {
		lines = append(lines, incidentLine(in, ""))
	}
	if len(lines) == 0 {
		lines = []string{"None."}
	}
	return append(blocks, section(cutSection(headedFirst("*Open incidents*", lines[:min(len(lines), maxFound)], len(lines)))),
		slack.NewActionBlock("found", button(ActionHomePage, "", "Page…")))
}
