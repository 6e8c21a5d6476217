package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Of Telegram's updates only those in private chats are read, and only our own buttons.
func FuzzTelegramUpdates(f *testing.F) {
	for _, seed := range []string{
		`[]`, `[{"update_id": 1, "message": {"text": "3a", "chat": {"id": 7, "type": "private"}, "from": {"id": 7}}}]`,
		`[{"update_id": 1, "message": {"text": "/start x", "chat": {"id": -7, "type": "group"}, "from": {"id": 7}}}]`,
		`[{"update_id": 2, "callback_query": {"id": "q", "data": "a AAAA k", "from": {"id": 7}, "message": {"chat": {"id": 7, "type": "private"}}}}]`,
		`[{"update_id": 2, "callback_query": {"id": "q", "data": "3r", "from": {"id": 7}, "message": {"chat": {"id": 7, "type": "private"}}}}]`,
		`{}`, `[null]`, `[{"update_id": 1e99}]`,
	} {
		f.Add([]byte(seed))
	}
	var result []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"ok": true, "result": %s}`, result)
	}))
	f.Cleanup(server.Close)
	telegram := NewTelegram(TelegramConfig{Token: "1:secret", URL: server.URL})
	f.Fuzz(func(t *testing.T, updates []byte) {
		result = updates
		replies, _, err := telegram.Listen(t.Context(), "")
		if err != nil && len(replies) > 0 {
			t.Fatalf("got the error %v and the replies %+v, want only one of them", err, replies)
		}
		for _, r := range replies {
			if r.From == "" || strings.HasPrefix(r.From, "-") {
				t.Fatalf("heard %+v, want answers from people only, not from groups", r)
			}
			if r.Key != "" && !strings.Contains(string(updates), telegram.seal(r.Act, r.Key)) {
				t.Fatalf("heard %+v, whose key was not sealed by us", r)
			}
		}
	})
}

// Nothing that a provider says brings one of our secrets into a log.
func FuzzOneLine(f *testing.F) {
	for _, seed := range []string{"", "a\r\nb", "\x1b[31m", "\u202e", "\xff\xfe", strings.Repeat("x", 1000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, response string) {
		line := OneLine(response)
		if strings.ContainsAny(line, "\r\n\t\x1b\x00\u2028\u202e") || OneLine(line) != line {
			t.Fatalf("%q is not one clean line, or changes when it is cleaned again", line)
		}
	})
}

// Whatever stands in the reply topic, which anybody can write to, an answer is an act of ours with the token
// that came with it, and the cursor is the last line's.
func FuzzNtfyLines(f *testing.F) {
	for _, seed := range []string{`{"id":"x","event":"message","message":"a token"}`, `{}`, `{"event":"keepalive"}`, `[`, `{"tags":[1]}`} {
		f.Add([]byte(seed), "before")
	}
	f.Fuzz(func(t *testing.T, lines []byte, before string) {
		service := &fixedResponder{status: http.StatusOK, body: lines}
		n := NewNtfy(NtfyConfig{URL: "https://ntfy.example.com", Token: fuzzSecret, ReplyTopic: "replies"})
		n.web.client.Transport = service
		replies, cursor, err := n.Listen(t.Context(), before)
		if err != nil {
			checkSayable(t, "the listener", err.Error())
			if len(replies) > 0 {
				t.Fatalf("%v, and %+v, want no replies", err, replies)
			}
		}
		ids := map[string]bool{before: true}
		for line := range bytes.Lines(lines) {
			var e ntfyEvent
			if json.Unmarshal(line, &e) == nil {
				ids[e.ID] = true
			}
		}
		if !ids[cursor] || cursor == "" && before != "" {
			t.Fatalf("the cursor is %q after %q", cursor, lines)
		}
		for _, r := range replies {
			if !r.Act.known() || !ids[r.ID] {
				t.Fatalf("got the act %q of event %q, want a known act and one of the events %v", r.Act, r.ID, ids)
			}
			if r.Token == "" || strings.ContainsAny(r.Token, " \t\r\n") {
				t.Fatalf("got the token %q, want one word", r.Token)
			}
			if r.From != "" || r.Key != "" {
				t.Fatalf("got sender %q and key %q, want neither", r.From, r.Key)
			}
		}
	})
}
