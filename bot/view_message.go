package bot

import (
	"strings"

	"github.com/slack-go/slack"
)

// A drawing is a message as Slack wants it: the text is what screen readers and
// notifications say, the blocks are what people see.
type drawing struct {
	text   string
	blocks []slack.Block
}

// spoken is a drawing of words alone.
func spoken(text string) drawing {
	return drawing{text: text, blocks: []slack.Block{section(foreignSection(text))}}
}

// join puts one drawing under another.
func join(above, below drawing) drawing {
	return drawing{text: strings.TrimPrefix(above.text+"\n"+below.text, "\n"), blocks: append(above.blocks, below.blocks...)}
}
