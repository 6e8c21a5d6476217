package view

import "github.com/slack-go/slack"

// Shortcut draws the modal of a shortcut: who is on call, and what else there is. about is the value of its button: the message on which
// the shortcut was used.
func Shortcut(text, about string) slack.ModalViewRequest {
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plain("On call"), Close: plain("Close"), Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewSectionBlock(words(cutSection(text)), nil, nil),
			slack.NewActionBlock("", button(ActionHomePage, about, "Page somebody…")),
			slack.NewContextBlock("", words("`/oncall help` lists what else there is.")),
		}},
	}
}
