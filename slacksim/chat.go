package slacksim

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxText       = 40000 // longer text is cut
	maxUpdateText = 4000
	maxMetadata   = 8192
)

// postTarget resolves the channel of a post and checks that the bot may write there.
func (s *Sim) postTarget(ref string) (*Channel, error) {
	c := s.findChannel(ref)
	if c == nil {
		if u := s.user(ref); u != nil && !u.Bot && !u.Deleted {
			c = s.openDM(u.ID)
		}
	}
	switch {
	case c == nil, c.Private && !c.has(BotUserID):
		return nil, refuse("channel_not_found")
	case c.Archived:
		return nil, refuse("is_archived")
	case !c.has(BotUserID) && !s.scopes["chat:write.public"]:
		return nil, refuse("not_in_channel")
	}
	return c, nil
}

// content parses and checks the content of a message.
func (s *Sim) content(a args) (*Message, error) {
	m := &Message{User: BotUserID, Author: a.str("username"), Text: a.str("text")}
	if a.has("markdown_text") {
		if a.has("text") || a.has("blocks") {
			return nil, refuse("markdown_text_conflict")
		}
		m.Text = a.str("markdown_text")
	}
	if utf8.RuneCountInString(m.Text) > maxText {
		m.Text = string([]rune(m.Text)[:maxText])
	}
	blocks, err := s.checkedBlocks(a, onMessage)
	if err != nil {
		return nil, err
	}
	m.Blocks = blocks
	if m.Attachments, err = s.checkedAttachments(a); err != nil {
		return nil, err
	}
	if m.Metadata, err = checkedMetadata(a); err != nil {
		return nil, err
	}
	if m.Text == "" && m.Blocks == nil && m.Attachments == nil {
		return nil, refuse("no_text")
	}
	return m, nil
}

// checkedBlocks validates the blocks argument and gives every block an id.
func (s *Sim) checkedBlocks(a args, where surface) (json.RawMessage, error) {
	if !a.has("blocks") {
		return nil, nil
	}
	blocks, ok := a["blocks"].([]any)
	if !ok {
		return nil, refuse("invalid_blocks_format")
	}
	if problems := checkBlocks(blocks, where, "/blocks"); len(problems) > 0 {
		return nil, refuseBlocks(problems)
	}
	if len(blocks) == 0 {
		return nil, nil
	}
	s.nameBlocks(blocks)
	return toJSON(blocks), nil
}

// refuseBlocks lists the problems twice, as Slack does.
func refuseBlocks(problems []string) error {
	short := make([]string, len(problems))
	for i, p := range problems {
		short[i] = strings.TrimPrefix(p, "[ERROR] ")
	}
	return &apiError{code: "invalid_blocks", extra: obj{"errors": short, "response_metadata": obj{"messages": problems}}}
}

// nameBlocks assigns ids to blocks and elements without one, as Slack does.
func (s *Sim) nameBlocks(blocks []any) {
	for _, b := range blocks {
		block, ok := b.(obj)
		if !ok {
			continue
		}
		if textOf(block["block_id"]) == "" {
			block["block_id"] = s.id("b")
		}
		for _, e := range elementsOf(block) {
			if interactive[textOf(e["type"])] && textOf(e["action_id"]) == "" {
				e["action_id"] = s.id("a")
			}
		}
	}
}

func (s *Sim) checkedAttachments(a args) (json.RawMessage, error) {
	if !a.has("attachments") {
		return nil, nil
	}
	list, ok := a["attachments"].([]any)
	if !ok {
		return nil, refuse("invalid_arguments")
	}
	if len(list) > 100 {
		return nil, refuse("too_many_attachments")
	}
	for i, item := range list {
		attachment, _ := item.(obj)
		blocks, ok := attachment["blocks"].([]any)
		if !ok {
			continue
		}
		if problems := checkBlocks(blocks, onMessage, "/attachments/"+strconv.Itoa(i)+"/blocks"); len(problems) > 0 {
			return nil, refuseBlocks(problems)
		}
		s.nameBlocks(blocks)
	}
	if len(list) == 0 {
		return nil, nil
	}
	return toJSON(list), nil
}

// checkedMetadata accepts an event type with an object as payload; an empty type counts as none.
func checkedMetadata(a args) (json.RawMessage, error) {
	if !a.has("metadata") {
		return nil, nil
	}
	data, ok := a["metadata"].(obj)
	if !ok {
		return nil, refuse("invalid_metadata_format")
	}
	if textOf(data["event_type"]) == "" {
		return nil, nil
	}
	if _, ok := data["event_payload"].(obj); !ok {
		return nil, refuse("invalid_metadata_format")
	}
	text := toJSON(obj{"event_type": data["event_type"], "event_payload": data["event_payload"]})
	if len(text) > maxMetadata {
		return nil, refuse("metadata_too_large")
	}
	return text, nil
}

func (s *Sim) chatPostMessage(a args) (obj, error) {
	c, err := s.postTarget(a.str("channel"))
	if err != nil {
		return nil, err
	}
	m, err := s.content(a)
	if err != nil {
		return nil, err
	}
	if m.ThreadTS, err = s.threadRoot(c, a); err != nil {
		return nil, err
	}
	m.Broadcast = m.ThreadTS != "" && a.yes("reply_broadcast")
	m.Hidden = s.burst(c.ID)
	s.post(c, m)
	return obj{"channel": c.ID, "ts": m.TS, "message": s.messageObject(m, true)}, nil
}

// threadRoot finds the thread of a reply. Messages of some kinds can't have one.
func (s *Sim) threadRoot(c *Channel, a args) (string, error) {
	ts := a.str("thread_ts")
	if ts == "" {
		return "", nil
	}
	root := s.message(c.ID, ts)
	switch {
	case root == nil: // deleted: the reply is shown in the channel as a normal message
		return "", nil
	case root.Subtype != "" && root.Subtype != tombstone:
		return "", refuse("cannot_reply_to_message")
	case root.ThreadTS != "":
		return root.ThreadTS, nil
	}
	return ts, nil
}

// post appends a message, and emits an event if the app subscribed to it.
func (s *Sim) post(c *Channel, m *Message) {
	m.Channel, m.TS = c.ID, s.ts()
	s.history[c.ID] = append(s.history[c.ID], m)
	s.emitMessage(c, m, obj{})
}

func (s *Sim) chatUpdate(a args) (obj, error) {
	c := s.channel(a.str("channel"))
	if c == nil {
		return nil, refuse("channel_not_found")
	}
	m := s.message(c.ID, a.str("ts"))
	if m == nil {
		return nil, refuse("message_not_found")
	}
	if m.User != BotUserID || m.Subtype != "" {
		return nil, refuse("cant_update_message")
	}
	if c.Archived {
		return nil, refuse("is_inactive")
	}
	if utf8.RuneCountInString(a.str("text")) > maxUpdateText {
		return nil, refuse("msg_too_long")
	}
	next, err := s.content(a)
	if err != nil {
		return nil, err
	}
	s.replace(c, m, next, a)
	message := s.messageObject(m, false)
	for _, key := range []string{"ts", "thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply"} {
		delete(message, key)
	}
	return obj{"channel": c.ID, "ts": m.TS, "text": m.Text, "message": message}, nil
}

// replace replaces a message's content. Text without blocks removes the blocks; attachments and metadata
// stay unless they are sent; with blocks there is no edited mark.
func (s *Sim) replace(c *Channel, m, next *Message, a args) {
	before := s.messageObject(m, false)
	withText := a.has("text") || a.has("markdown_text")
	if withText {
		m.Text, m.Edited = next.Text, next.Blocks == nil
	}
	if withText || a.has("blocks") {
		m.Blocks = next.Blocks
	}
	if a.has("attachments") {
		m.Attachments = next.Attachments
	}
	if next.Metadata != nil {
		m.Metadata = next.Metadata
	}
	s.emitMessage(c, m, obj{"subtype": "message_changed", "previous_message": before})
}

func (s *Sim) chatDelete(a args) (obj, error) {
	c := s.channel(a.str("channel"))
	if c == nil {
		return nil, refuse("channel_not_found")
	}
	m := s.message(c.ID, a.str("ts"))
	if m == nil {
		return nil, refuse("message_not_found")
	}
	if m.User != BotUserID {
		return nil, refuse("cant_delete_message")
	}
	s.remove(c, m)
	return obj{"channel": c.ID, "ts": m.TS}, nil
}

// tombstone is the subtype of what remains of a deleted message with replies.
const tombstone = "tombstone"

// remove deletes a message; a root with replies leaves a tombstone.
func (s *Sim) remove(c *Channel, m *Message) {
	if m.ThreadTS == "" && len(s.replies(c.ID, m.TS)) > 0 {
		before := s.messageObject(m, false)
		*m = Message{Channel: m.Channel, TS: m.TS, User: "USLACKBOT", Subtype: tombstone, Text: "This message was deleted."}
		s.emitMessage(c, m, obj{"subtype": "message_changed", "previous_message": before})
		return
	}
	s.emitMessage(c, m, obj{"subtype": "message_deleted", "deleted_ts": m.TS})
	s.history[c.ID] = slices.DeleteFunc(s.history[c.ID], func(x *Message) bool { return x == m })
}

func (s *Sim) replies(channel, ts string) []*Message {
	var out []*Message
	for _, m := range s.history[channel] {
		if m.ThreadTS == ts {
			out = append(out, m)
		}
	}
	return out
}

// whisper shows an ephemeral message to one person; it is in no history.
func (s *Sim) whisper(c *Channel, userID string, m *Message) {
	m.Channel, m.TS, m.Ephemeral = c.ID, s.ts(), userID
	s.ephemerals[userID] = append(s.ephemerals[userID], m)
}
