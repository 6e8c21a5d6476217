package bot

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/store"
)

// Text typed after a command is parsed without a panic, and no word of it has a line break.
func FuzzTyped(f *testing.F) {
	for _, seed := range []string{"", "who payments", "<@U0ANN|ann> now 2h", "<https://example.com|x>", "<mailto:a@b|a@b>", "<!subteam^S1|@x>", "<#C1|pay>", "&lt;&amp;gt;", "<<<>>>", "<!date^1^{time}|x>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := typedWords(text, &store.Directory{})
		if strings.Contains(strings.Join(words, " "), "\n") {
			t.Fatalf("words %q, want none with a newline", words)
		}
		_, _ = unescape(text), plainCode(text)
		_, _, _ = findCommand(append(words, "x"))
	})
}

// A form's metadata and state come from a client and may be anything.
func FuzzForms(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"private_metadata": "{\"schedule\": 1}", "state": {"values": {"name": {"name": {"value": "x"}}}}}`,
		`{"state": {"values": {"from": {"from": {"selected_date_time": 9223372036854775807}}}}}`, `{"state": {"values": {"a": null}}}`, `{"blocks": [{"type": "input"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		var v slack.View
		if json.Unmarshal(data, &v) != nil {
			return
		}
		_, _ = readEditMeta(v.PrivateMetadata)
		form := formOf(v)
		form.digest()
		if v.State == nil {
			return
		}
		for block := range v.State.Values {
			is := view.Block(block)
			form.text(is)
			form.choice(is)
			form.user(is)
			form.users(is)
			form.instant(is)
			form.has(is)
		}
	})
}
