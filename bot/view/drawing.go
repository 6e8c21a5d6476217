package view

import (
	"strings"

	"github.com/slack-go/slack"
)

// A Drawing is a message as Slack wants it: the text is what screen readers and
// notifications say, the blocks are what people see.
type Drawing struct {
	Text   string
	Blocks []slack.Block
}

// Text is a drawing of words alone.
func Text(text string) Drawing {
	return Drawing{Text: text, Blocks: []slack.Block{section(text)}}
}

// Join puts one drawing under another.
func Join(above, below Drawing) Drawing {
	return Drawing{Text: strings.TrimPrefix(above.Text+"\n"+below.Text, "\n"), Blocks: append(above.Blocks, below.Blocks...)}
}

// section is a paragraph. Verbatim keeps Slack from making mentions and links of
// plain words that others wrote.
func section(text string) slack.Block {
	return slack.NewSectionBlock(words(text), nil, nil)
}

func words(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, cutSection(text), false, true)
}

func plain(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

// note is a small line.
func note(text string) slack.Block { return slack.NewContextBlock("", words(text)) }
