package view

import (
	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// The forms of a team's set-up that a message offers.
const (
	OpenMaintenance = "maintenance"
	OpenRoutes      = "routes"
)

// A SetupOffer is a button in a message that opens a form of a team's set-up.
type SetupOffer struct {
	Form  string
	Team  oncall.TeamID
	With  string // what it begins with
	Label string
}

// Offer puts buttons for forms below an answer, unless that is too long for blocks.
func Offer(d Drawing, offers []SetupOffer) Drawing {
	if len(offers) == 0 || len(d.Blocks) == 0 && len([]rune(d.Text)) > maxSection {
		return d
	}
	if len(d.Blocks) == 0 {
		d = Text(d.Text)
	}
	var buttons []slack.BlockElement
	for _, o := range offers {
		b := button(ActionSetupOpen, o.Form+" "+valueOf(o.Team)+" "+o.With, CutPlain(o.Label, maxButton))
		b.ActionID += "/" + valueOf(o.Team) // each is its own in the block
		buttons = append(buttons, b)
	}
	d.Blocks = append(d.Blocks, slack.NewActionBlock("setup_offers", buttons...))
	return d
}

// maxButton is the maximum length of a button's label.
const maxButton = 70
