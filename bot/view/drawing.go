package view

import (
	"strings"

	"github.com/slack-go/slack"
)

// A Drawing is a message in both of Slack's forms: the text is for screen readers and notifications, the blocks
// are what people see.
type Drawing struct {
	Text   string
	Blocks []slack.Block
}

// Text draws a message without blocks.
func Text(text string) Drawing {
	return Drawing{Text: text, Blocks: []slack.Block{section(text)}}
}

// Join puts one drawing below another.
func Join(above, below Drawing) Drawing {
	return Drawing{Text: strings.TrimPrefix(above.Text+"\n"+below.Text, "\n"), Blocks: append(above.Blocks, below.Blocks...)}
}

// section draws a paragraph. Verbatim keeps Slack from turning foreign words into mentions and links.
func section(text string) slack.Block {
	return slack.NewSectionBlock(words(text), nil, nil)
}

func words(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, cutSection(text), false, true)
}

func plain(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

// note draws a small line.
func note(text string) slack.Block { return slack.NewContextBlock("", words(text)) }
