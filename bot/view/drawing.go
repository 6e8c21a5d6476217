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
