package notify

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	telegramURL   = "https://api.telegram.org"
	telegramWait  = 25 * time.Second // how long Telegram holds a request for updates
	telegramText  = 4096             // characters of a message
	telegramData  = 64               // bytes that fit into a button
	telegramBatch = 20               // updates at once
)

// TelegramConfig is the Telegram bot that writes.
type TelegramConfig struct {
	Token string
	URL   string // an address to use instead of Telegram's; empty: Telegram's
}

var telegramToken = regexp.MustCompile(`^[0-9]+:[-_A-Za-z0-9]{30,}$`)

// Problems says what is wrong with the settings, by their names and without secrets.
func (c TelegramConfig) Problems() []string {
	out := apiProblems("WATCHBILL_TELEGRAM_API_URL", c.URL)
	if c.Token != "" && !telegramToken.MatchString(c.Token) {
		out = append(out, "WATCHBILL_TELEGRAM_TOKEN is not a bot's token such as 123456:ABC-DEF…; @BotFather gives it")
	}
	return out
}

// Telegram writes to chats through a bot. Answers are fetched from Telegram, so that nobody needs to
// reach us.
type Telegram struct {
	config TelegramConfig
	web    *httpClient
	listen *httpClient
}

// NewTelegram returns a sender that uses one bot.
func NewTelegram(c TelegramConfig) *Telegram {
	c.URL = strings.TrimRight(cmp.Or(c.URL, telegramURL), "/")
	listen := newHTTPClient("Telegram", c.Token)
	listen.limit, listen.longest = telegramWait+webLimit, telegramBatch*(64<<10)
	return &Telegram{config: c, web: newHTTPClient("Telegram", c.Token), listen: listen}
}

// telegramResponse is the answer of all API methods.
type telegramResponse struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int `json:"retry_after"`
	} `json:"parameters"`
}

type telegramButton struct {
	Text string `json:"text"`
	Data string `json:"callback_data"`
}

type telegramKeyboard struct {
	Rows [][]telegramButton `json:"inline_keyboard"`
}

type telegramMessage struct {
	Chat   string            `json:"chat_id"`
	Text   string            `json:"text"` // without markup, so that foreign text stays text
	Quiet  bool              `json:"disable_notification,omitempty"`
	Links  map[string]bool   `json:"link_preview_options,omitempty"`
	Markup *telegramKeyboard `json:"reply_markup,omitempty"`
}

// telegramUpdate is something that happened in a chat.
type telegramUpdate struct {
	ID      int64 `json:"update_id"`
	Message struct {
		Text string         `json:"text"`
		From telegramPerson `json:"from"`
		Chat telegramChat   `json:"chat"`
	} `json:"message"`
	Pressed struct {
		ID      string         `json:"id"`
		Data    string         `json:"data"`
		From    telegramPerson `json:"from"`
		Message struct {
			Chat telegramChat `json:"chat"`
		} `json:"message"`
	} `json:"callback_query"`
}

type telegramPerson struct {
	ID int64 `json:"id"`
}

type telegramChat struct {
	ID   int64  `json:"id"`
	Type string `json:"type"`
}

// of reports whether a chat is a person's private chat. In a group, every member could act as the person who verified
// the address.
func (c telegramChat) of(p telegramPerson) bool {
	return c.Type == "private" && c.ID != 0 && c.ID == p.ID
}

// isTelegramGroup reports whether an address is a group or a channel: Telegram's numbers for them are negative.
func isTelegramGroup(to string) bool { return strings.HasPrefix(to, "-") }

func (t *Telegram) call(ctx context.Context, method string, body any) (httpResponse, telegramResponse, *Receipt) {
	a, failed := t.web.postJSON(ctx, t.config.URL+"/bot"+t.config.Token+"/"+method, body, nil)
	if failed != nil {
		return httpResponse{}, telegramResponse{}, failed
	}
	var response telegramResponse
	_ = json.Unmarshal(a.body, &response) // without Telegram's JSON it is not OK
	return a, response, nil
}

// Send writes the message once, and never to a group.
func (t *Telegram) Send(ctx context.Context, message Message) Receipt {
	if isTelegramGroup(message.To) {
		return Receipt{Outcome: Rejected, Dead: true, Err: fmt.Errorf("the chat is a group: Watchbill writes to private chats only")}
	}
	text := message.headline()
	if note := message.note(); note != "" {
		text += "\n\n" + note
	}
	if message.Link != "" {
		text += "\n\n" + message.Link
	}
	a, response, failed := t.call(ctx, "sendMessage", telegramMessage{
		Chat: message.To, Text: cut(text, telegramText), Quiet: message.Purpose == ForPage && message.Severity == "low",
		Links: map[string]bool{"is_disabled": true}, Markup: t.keyboard(message),
	})
	if failed != nil {
		return *failed
	}
	a.secrets = append(a.secrets, message.secrets()...)
	var sent struct {
		ID int64 `json:"message_id"`
	}
	switch {
	case a.status == http.StatusOK && response.OK && json.Unmarshal(response.Result, &sent) == nil:
		return Receipt{Outcome: Accepted, Reference: message.To + " " + strconv.FormatInt(sent.ID, 10)}
	case a.status == http.StatusOK:
		return Receipt{Outcome: Unknown, Err: fmt.Errorf("Telegram answered 200 without saying that it was sent")}
	}
	return t.refused(a, response)
}

// refused returns the receipt for an answer that doesn't accept the message.
func (t *Telegram) refused(a httpResponse, response telegramResponse) Receipt {
	receipt := t.web.refusedReceipt(a, response.Description)
	switch {
	case a.status == http.StatusNotFound: // Telegram's answer to an unknown token
		receipt.Outcome = Misconfigured
	case a.status == http.StatusForbidden, strings.Contains(response.Description, "chat not found"),
		strings.Contains(response.Description, "user is deactivated"):
		receipt.Outcome, receipt.Dead = Rejected, true // until the person writes to the bot again
	case response.Parameters.RetryAfter > 0:
		receipt.Outcome, receipt.RetryAfter = Throttled, seconds(response.Parameters.RetryAfter)
	}
	return receipt
}

// keyboard returns the buttons below a message.
func (t *Telegram) keyboard(m Message) *telegramKeyboard {
	var row []telegramButton
	for _, b := range m.buttons() {
		if data := t.data(b.does, m); data != "" {
			row = append(row, telegramButton{Text: b.label, Data: data})
		}
	}
	if row == nil {
		return nil
	}
	return &telegramKeyboard{Rows: [][]telegramButton{row}}
}

// data returns what a button sends: the key of its message, signed, because a client could send anything.
// If the key is too long, it is the code that people type.
func (t *Telegram) data(act ButtonAct, message Message) string {
	if message.Key == "" {
		return ""
	}
	if data := string(act) + " " + t.seal(act, message.Key) + " " + message.Key; len(data) <= telegramData {
		return data
	}
	if message.Code == 0 {
		return ""
	}
	return strconv.Itoa(message.Code) + string(act)
}

// seal returns the signature that proves that a button is ours.
func (t *Telegram) seal(does ButtonAct, key string) string {
	mac := hmac.New(sha256.New, []byte(t.config.Token))
	mac.Write([]byte(string(does) + " " + key))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:9])
}

// Listen waits for what people write or press. The cursor is the number of the next update; asking
// for it confirms to Telegram that we have those before it.
func (t *Telegram) Listen(ctx context.Context, cursor string) ([]Answer, string, error) {
	offset, _ := strconv.ParseInt(cursor, 10, 64) // on an error it is 0, the beginning
	updates, err := t.updates(ctx, offset)
	if err != nil && ctx.Err() == nil {
		return nil, cursor, fmt.Errorf("listen to Telegram: %w", err)
	}
	var replies []Answer
	for _, u := range updates {
		cursor = strconv.FormatInt(u.ID+1, 10)
		if r, ok := t.reply(ctx, u); ok {
			replies = append(replies, r)
		}
	}
	return replies, cursor, nil
}

// updates fetches what happened since offset.
func (t *Telegram) updates(ctx context.Context, offset int64) ([]telegramUpdate, error) {
	a, failed := t.listen.postJSON(ctx, t.config.URL+"/bot"+t.config.Token+"/getUpdates", map[string]any{
		"offset": offset, "limit": telegramBatch, "timeout": int(telegramWait.Seconds()), "allowed_updates": []string{"message", "callback_query"},
	}, nil)
	if failed != nil {
		return nil, failed.Err
	}
	var response telegramResponse
	var updates []telegramUpdate
	if err := json.Unmarshal(a.body, &response); err != nil || !response.OK {
		return nil, t.refused(a, response).Err
	}
	if err := json.Unmarshal(response.Result, &updates); err != nil {
		return nil, fmt.Errorf("read the updates: %w", err)
	}
	return updates, nil
}

// reply returns the reply that an update contains.
func (t *Telegram) reply(ctx context.Context, u telegramUpdate) (Answer, bool) {
	r := Answer{ID: strconv.FormatInt(u.ID, 10)}
	if u.Pressed.ID != "" {
		// Until this is sent the phone shows that it is waiting; nothing else depends on it.
		_, _, _ = t.call(ctx, "answerCallbackQuery", map[string]string{"callback_query_id": u.Pressed.ID})
		return t.pressed(r, u)
	}
	if u.Message.Chat.ID == 0 || u.Message.Text == "" {
		return Answer{}, false
	}
	if !u.Message.Chat.of(u.Message.From) {
		t.refuseGroup(ctx, u)
		return Answer{}, false
	}
	r.From = strconv.FormatInt(u.Message.Chat.ID, 10)
	r.Text = strings.TrimSpace(u.Message.Text)
	if start, ok := strings.CutPrefix(r.Text, "/start"); ok {
		if r.Text = strings.TrimSpace(start); r.Text == "" {
			_, _, _ = t.call(ctx, "sendMessage", telegramMessage{Chat: r.From, Text: "This is Watchbill. " +
				"Say in Slack that you want to be reached by Telegram, and send me the code that you get there."})
			return Answer{}, false
		}
	}
	return r, true
}

// refuseGroup answers a group that asks to be paged that this isn't possible. It ignores everything else in groups.
func (t *Telegram) refuseGroup(ctx context.Context, u telegramUpdate) {
	if strings.HasPrefix(strings.TrimSpace(u.Message.Text), "/start") {
		_, _, _ = t.call(ctx, "sendMessage", telegramMessage{
			Chat: strconv.FormatInt(u.Message.Chat.ID, 10), Text: "Watchbill writes to private chats only. Open a chat with me and send the code there.",
		})
	}
}

// pressed reads the data of a button.
func (t *Telegram) pressed(r Answer, u telegramUpdate) (Answer, bool) {
	if !u.Pressed.Message.Chat.of(u.Pressed.From) {
		return Answer{}, false
	}
	r.From = strconv.FormatInt(u.Pressed.Message.Chat.ID, 10)
	act, rest, signed := strings.Cut(u.Pressed.Data, " ")
	if !signed {
		end := max(0, len(act)-1)
		code, err := strconv.Atoi(act[:end])
		r.Code, r.Act = code, ButtonAct(act[end:])
		return r, err == nil && r.Act.known()
	}
	seal, key, _ := strings.Cut(rest, " ")
	r.Act, r.Key = ButtonAct(act), key
	return r, r.Act.known() && hmac.Equal([]byte(seal), []byte(t.seal(r.Act, key)))
}

// Check asks who the bot is, and whether its updates go somewhere else.
func (t *Telegram) Check(ctx context.Context) []CheckResult {
	const setting = "WATCHBILL_TELEGRAM_API_URL if it is set"
	var bot struct{ Username string }
	var hook struct{ URL string }
	for _, ask := range []struct {
		method string
		to     any
	}{{"getMe", &bot}, {"getWebhookInfo", &hook}} {
		a, response, failed := t.call(ctx, ask.method, struct{}{})
		switch {
		case failed != nil:
			return []CheckResult{t.web.unreachableResult(failed.Err, t.config.URL, setting)}
		case a.status == http.StatusUnauthorized || a.status == http.StatusNotFound && response.Description != "":
			return []CheckResult{{
				Text:   t.refused(a, response).Err.Error() + ": it doesn't know the token",
				Remedy: "Ask @BotFather for it (/token), and set WATCHBILL_TELEGRAM_TOKEN.",
			}}
		case a.status != http.StatusOK || !response.OK || json.Unmarshal(response.Result, ask.to) != nil:
			return []CheckResult{t.web.unexpectedResult(a, response.Description, setting)}
		}
	}
	name := "the bot is @" + oneLine(bot.Username, maxName)
	if hook.URL != "" { // then Telegram refuses getUpdates
		address := telegramURL
		if t.config.URL != address { // it may contain a password
			address = "${WATCHBILL_TELEGRAM_API_URL%/}"
		}
		return []CheckResult{{
			Text:   name + ", whose answers go to a webhook in place of Watchbill",
			Remedy: "Remove it: curl " + address + "/bot$WATCHBILL_TELEGRAM_TOKEN/deleteWebhook",
		}}
	}
	return []CheckResult{{OK: true, Text: name}}
}
