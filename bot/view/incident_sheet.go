package view

import (
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// A Sheet is what the forms about an incident show to one reader.
type Sheet struct {
	Picture  oncall.Picture
	Reader   oncall.UserID
	Plan     []oncall.PlanEntry
	Reach    map[oncall.UserID]oncall.Reach
	Pages    []Attempt
	Others   []oncall.Incident
	Policies map[oncall.PolicyID]oncall.Policy
	Zone     *time.Location
	Now      time.Time
}

// An Attempt is a page and what has become of it.
type Attempt struct {
	oncall.Page
	State oncall.PageState
	Ended *time.Time // when that was known
}

// Draw draws how an incident stands, what happens next and why, why its reader was paged,
// and everything that can be done.
func (s Sheet) Draw() slack.ModalViewRequest {
	in := s.Picture.Incident
	blocks := []slack.Block{
		section(headline(in)), section(standing(s.Picture)), paragraph("*What happens next*", s.planLines()),
	}
	if lines := s.pagedLines(); len(lines) > 0 {
		blocks = append(blocks, paragraph("*Why you were paged*", lines))
	}
	elements := mainButtons(in, s.Reader)
	for _, o := range offers(in) {
		elements = append(elements, button(o.does, valueOf(in.ID), o.label))
	}
	return readOnly("Incident "+in.ID.String(), append(blocks, slack.NewActionBlock("deeds", elements...))...)
}
