package bot

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

// What a command understands is understood in a direct message, in a mention and in the thread of a mention, too: each
// phrase of the stories about words does the same there, or its answer says where it does.
func TestPhrasesAreUnderstoodInEveryWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, slacksim.Options{})
	typed := regexp.MustCompile(`^type [a-z]+ '/oncall (.*)'$`)
	tried := map[string]int{}
	for _, story := range []string{"words", "obvious", "said", "planning_words"} {
		text, err := os.ReadFile("../cmd/watchbill/testdata/stories/" + story + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			m := typed.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			phrase := strings.ReplaceAll(m[1], "''", "'")
			words := strings.Fields(phrase)
			if _, _, err := findCommand(rephrase(words)); err != nil {
				continue
			}
			direct := typedMessage{
				user: slack.User{ID: string(ann)}, text: phrase, by: oncall.ByUser(ann), can: directCommands, at: store.MessageRef{Channel: "D0ANN", TS: "1.1"},
			}
			at := store.MessageRef{Channel: "C0PAY", TS: "1.1"}
			mention := typedMessage{user: direct.user, text: phrase, by: oncall.InChannel(ann), can: mentionCommands, at: at, follow: at}
			thread := mention
			thread.at.TS = "1.2"
			for way, message := range map[string]typedMessage{"direct message": direct, "mention": mention, "thread": thread} {
				tried[way]++
				switch got := w.bot.answerMessage(w.ctx, message).Text; {
				case got == "":
				case got == view.Help().Text:
					t.Errorf("%q in a %s is not understood, as it is as a command", phrase, way)
				case way == "direct message" && strings.Contains(got, "does that in any channel") && !staysOut(words):
					t.Errorf("%q in a direct message is only pointed to the command: %q", phrase, got)
				}
			}
		}
	}
	if tried["mention"] < 100 {
		t.Errorf("tried %d phrases, want at least 100", tried["mention"])
	}
}

// staysOut reports whether the command shows what shouldn't stay in a message.
func staysOut(words []string) bool {
	known, _, err := findCommand(rephrase(words))
	if err != nil {
		return false
	}
	switch known.name {
	case "contact", "calendar", "web", "key", "apikey":
		return true
	}
	return false
}
