package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
)

// telegramServer is the part of Telegram's Bot API that we use, with one bot and its chats.
type telegramServer struct {
	*httptest.Server
	mu       sync.Mutex
	messages []telegramServerMessage
	updates  []map[string]any
	answered []string
	refuse   string // what sendMessage answers
	hook     string // webhook that gets updates instead of getUpdates
	wake     chan struct{}
	onWait   func() // called when getUpdates has nothing to return
}

type telegramServerMessage struct {
	Chat   string `json:"chat_id"`
	Text   string `json:"text"`
	Quiet  bool   `json:"disable_notification"`
	Markup struct {
		Rows [][]struct {
			Text string `json:"text"`
			Data string `json:"callback_data"`
		} `json:"inline_keyboard"`
	} `json:"reply_markup"`
}

func newTelegramServer(t *testing.T) *telegramServer {
	s := &telegramServer{wake: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *telegramServer) serve(w http.ResponseWriter, r *http.Request) {
	method, ours := strings.CutPrefix(r.URL.Path, "/bot1:secret/")
	say := func(status int, body string) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
	if !ours {
		say(404, `{"ok":false,"error_code":404,"description":"Not Found"}`)
		return
	}
	switch method {
	case "getMe":
		say(200, `{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"Watchbill","username":"watchbill_bot"}}`)
	case "getWebhookInfo":
		say(200, `{"ok":true,"result":{"url":"`+s.hook+`","has_custom_certificate":false,"pending_update_count":0}}`)
	case "sendMessage":
		s.send(w, r, say)
	case "answerCallbackQuery":
		var q map[string]string
		_ = json.NewDecoder(r.Body).Decode(&q)
		s.mu.Lock()
		s.answered = append(s.answered, q["callback_query_id"])
		s.mu.Unlock()
		say(200, `{"ok":true,"result":true}`)
	case "getUpdates":
		var q struct{ Offset, Limit int }
		_ = json.NewDecoder(r.Body).Decode(&q)
		for {
			s.mu.Lock()
			new, wake, waits := s.updates[min(max(q.Offset-1, 0), len(s.updates)):], s.wake, s.onWait
			s.mu.Unlock()
			if len(new) > 0 {
				b, _ := json.Marshal(map[string]any{"ok": true, "result": new[:min(len(new), q.Limit)]})
				say(200, string(b))
				return
			}
			if waits != nil {
				waits()
			}
			select {
			case <-wake:
			case <-r.Context().Done():
				return
			}
		}
	}
}

func (s *telegramServer) send(w http.ResponseWriter, r *http.Request, say func(int, string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var m telegramServerMessage
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.Text == "" || len([]rune(m.Text)) > 4096 {
		say(400, `{"ok":false,"error_code":400,"description":"Bad Request: message text is empty"}`)
		return
	}
	for _, row := range m.Markup.Rows {
		for _, b := range row {
			if len(b.Data) > 64 || b.Data == "" {
				say(400, `{"ok":false,"error_code":400,"description":"Bad Request: BUTTON_DATA_INVALID"}`)
				return
			}
		}
	}
	if s.refuse != "" {
		var as struct {
			Code int `json:"error_code"`
		}
		_ = json.Unmarshal([]byte(s.refuse), &as)
		say(as.Code, s.refuse)
		return
	}
	s.messages = append(s.messages, m)
	say(200, fmt.Sprintf(`{"ok":true,"result":{"message_id":%d,"chat":{"id":%s}}}`, len(s.messages), m.Chat))
}

// addUpdate adds an update in a person's private chat.
func (s *telegramServer) addUpdate(what string, chat int64, text string) {
	s.addUpdateIn(what, map[string]any{"id": chat, "type": "private"}, chat, text)
}

// addUpdateIn adds an update of a person in any chat.
func (s *telegramServer) addUpdateIn(what string, chat map[string]any, from int64, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := map[string]any{"update_id": len(s.updates) + 1}
	if what == "message" {
		u["message"] = map[string]any{"date": 1_772_452_800, "text": text, "chat": chat, "from": map[string]any{"id": from}}
	} else {
		u["callback_query"] = map[string]any{
			"id": "q" + strconv.Itoa(len(s.updates)+1), "data": text,
			"from": map[string]any{"id": from}, "message": map[string]any{"chat": chat},
		}
	}
	s.updates = append(s.updates, u)
	close(s.wake)
	s.wake = make(chan struct{})
}

func TestTelegramWritesAndIsAnswered(t *testing.T) {
	t.Parallel()
	g := newTelegramServer(t)
	sender := notify.NewTelegram(notify.TelegramConfig{Token: "1:secret", URL: g.URL})
	m := testPage("4711")
	m.Key = "1234567/9876/U0123456789/telegram:123456"
	r := sender.Send(t.Context(), m)
	if r.Outcome != notify.Accepted || r.Reference != "4711 1" {
		t.Fatalf("sent: %+v, want accepted as 4711 1", r)
	}
	sent := g.messages[0]
	if !strings.HasPrefix(sent.Text, "[#12] disk full on db-1\n\nCritical · payments") || sent.Quiet {
		t.Errorf("the chat shows %+v, want the page with sound", sent)
	}
	buttons := sent.Markup.Rows[0]
	if len(buttons) != 3 || buttons[0].Text != "Acknowledge" {
		t.Fatalf("buttons %+v, want three that begin with Acknowledge", buttons)
	}
	// A long key gives way to the code.
	long := testPage("4711")
	long.Key = strings.Repeat("k", 60)
	if r := sender.Send(t.Context(), long); r.Outcome != notify.Accepted {
		t.Fatalf("with a long key: %+v, want accepted", r)
	}

	g.addUpdate("button", 4711, buttons[0].Data)
	g.addUpdate("button", 4711, "r"+buttons[0].Data[1:]) // forged by a client
	g.addUpdate("button", 4711, g.messages[1].Markup.Rows[0][1].Data)
	g.addUpdate("button", 4711, "3x")
	g.addUpdate("button", 4711, "now")
	g.addUpdate("message", 4711, " 3a ")
	g.addUpdate("message", 4712, "/start 482913")
	g.addUpdate("message", 4713, "/start")
	replies, cursor, err := sender.Listen(t.Context(), "")
	must(t, err)
	want := []notify.Answer{
		{ID: "1", From: "4711", Key: m.Key, Act: notify.Ack},
		{ID: "3", From: "4711", Code: 3, Act: notify.Resolve},
		{ID: "6", From: "4711", Text: "3a"},
		{ID: "7", From: "4712", Text: "482913"},
	}
	if fmt.Sprint(replies) != fmt.Sprint(want) || cursor != "9" {
		t.Errorf("cursor %s, replies\n%+v\nwant\n%+v", cursor, replies, want)
	}
	if fmt.Sprint(g.answered) != "[q1 q2 q3 q4 q5]" {
		t.Errorf("answered %v, want \"[q1 q2 q3 q4 q5]\"", g.answered)
	}
	if last := g.messages[len(g.messages)-1]; last.Chat != "4713" || !strings.Contains(last.Text, "send me the code") {
		t.Errorf("who only says /start is told %+v, want Chat \"4713\" with \"send me the code\"", last)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	g.onWait = cancel
	if replies, next, err := sender.Listen(ctx, cursor); err != nil || len(replies) > 0 || next != cursor {
		t.Errorf("%v, %q, %v, want no error, no replies and %v", replies, next, err, cursor)
	}
}

// In a group everybody would act as whoever had verified it.
func TestTelegramWritesToPrivateChatsOnly(t *testing.T) {
	t.Parallel()
	g := newTelegramServer(t)
	sender := notify.NewTelegram(notify.TelegramConfig{Token: "1:secret", URL: g.URL})
	m := testPage("4711")
	m.Key = "1234567/9876/U0123456789/telegram:123456"
	if r := sender.Send(t.Context(), m); r.Outcome != notify.Accepted {
		t.Fatalf("sent: %+v, want accepted", r)
	}
	button := g.messages[0].Markup.Rows[0][0].Data
	chats := []map[string]any{
		{"id": -1007, "type": "supergroup"},
		{"id": -7, "type": "group"},
		{"id": -1008, "type": "channel"},
		{"id": 4711, "type": "private"}, // of somebody else
		{"id": 666},
		{"id": 0, "type": "private"},
	}
	for _, chat := range chats {
		for _, text := range []string{"482913", "3a", "ack", "/start 482913"} {
			g.addUpdateIn("message", chat, 666, text)
		}
		g.addUpdateIn("button", chat, 666, button)
		g.addUpdateIn("button", chat, 666, "3a")
	}
	g.addUpdate("message", 4711, "last")
	var replies []notify.Answer
	for cursor := ""; len(replies) == 0; {
		var err error
		replies, cursor, err = sender.Listen(t.Context(), cursor)
		must(t, err)
	}
	if len(replies) != 1 || replies[0].Text != "last" {
		t.Errorf("heard %+v, want only the last message", replies)
	}
	if text := g.messages[1]; text.Chat != "-1007" || !strings.Contains(text.Text, "private chats only") || len(text.Markup.Rows) > 0 {
		t.Errorf("a group that says /start is told %+v, want Chat \"-1007\" and no Rows with \"private chats only\"", text)
	}

	sent := len(g.messages)
	r := sender.Send(t.Context(), testPage("-1007"))
	if r.Outcome != notify.Rejected || !r.Dead || r.Err == nil {
		t.Errorf("a page to a group: got %+v, want it rejected as dead, with a reason", r)
	}
	if got := len(g.messages) - sent; got != 0 {
		t.Errorf("a page to a group: got %d messages, want none", got)
	}
}

func TestTelegramRefusalsMapToOutcomes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refuse  string
		outcome notify.Outcome
		dead    bool
		wait    time.Duration
	}{
		"blocked":    {`{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`, notify.Rejected, true, 0},
		"no chat":    {`{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`, notify.Rejected, true, 0},
		"flood":      {`{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 31","parameters":{"retry_after":31}}`, notify.Throttled, false, 31 * time.Second},
		"for ever":   {`{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":9223372037}}`, notify.Throttled, false, time.Hour},
		"bad token":  {`{"ok":false,"error_code":401,"description":"Unauthorized"}`, notify.Misconfigured, false, 0},
		"broken":     {`{"ok":false,"error_code":500,"description":"Internal Server Error"}`, notify.Unknown, false, 0},
		"a bad text": {`{"ok":false,"error_code":400,"description":"Bad Request: message is too long"}`, notify.Rejected, false, 0},
	} {
		g := newTelegramServer(t)
		g.refuse = c.refuse
		r := notify.NewTelegram(notify.TelegramConfig{Token: "1:secret", URL: g.URL}).Send(t.Context(), testPage("4711"))
		if r.Outcome != c.outcome || r.Dead != c.dead {
			t.Errorf("%s: got %s, dead %t, want %s, dead %t", name, r.Outcome, r.Dead, c.outcome, c.dead)
		}
		if r.RetryAfter != c.wait || r.Err == nil {
			t.Errorf("%s: got a wait of %s and the error %v, want %s and some error", name, r.RetryAfter, r.Err, c.wait)
		}
	}
	g := newTelegramServer(t)
	r := notify.NewTelegram(notify.TelegramConfig{Token: "1:other", URL: g.URL}).Send(t.Context(), testPage("4711"))
	if r.Outcome != notify.Misconfigured {
		t.Errorf("unknown token: got %+v, want Outcome %v", r, notify.Misconfigured)
	}
	g.Close()
	r = notify.NewTelegram(notify.TelegramConfig{Token: "1:secret", URL: g.URL}).Send(t.Context(), testPage("4711"))
	if r.Outcome != notify.Throttled || strings.Contains(r.Err.Error(), "secret") {
		t.Errorf("out of reach: got %+v, want Outcome %v without \"secret\"", r, notify.Throttled)
	}
}
