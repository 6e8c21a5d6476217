package intake

import (
	"bytes"

	"github.com/watchbill/watchbill/oncall"
)

// unreadableKey is the dedup key of payloads that could not be read: one alert an integration, however
// many arrive.
const unreadableKey = "watchbill/unread"

// maxExcerpt is how much of it is shown, in runes.
const maxExcerpt = 2_000

// UnreadableSignal returns the signal for a payload that could not be read or costs too much to read, so that
// somebody learns of it all the same. begin is its beginning.
func UnreadableSignal(begin []byte, why string) oncall.Signal {
	return oncall.Signal{
		Action: oncall.Trigger, DedupKey: unreadableKey, Severity: oncall.High, Unread: true,
		Title: "Alerts came that could not be read",
		Body:  clean(why+"\n\nIt begins:\n"+string(bytes.ToValidUTF8(begin[:min(len(begin), 4*maxExcerpt)], nil)), maxExcerpt),
		Hints: []oncall.Hint{{Text: why}},
	}
}
