package slacksim

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Result is the app's response to an interaction.
type Result struct {
	Acked    bool   `json:"acked"`
	Envelope string `json:"envelope"`
	// Error is what the person sees if the interaction failed.
	Error string `json:"error,omitempty"`
}

// SlashResult is what a person sees at once after a command. Messages that the app sends later, through the
// response_url or the Web API, are among Messages and Ephemerals.
type SlashResult struct {
	Result
	Text      string          `json:"text,omitempty"`
	Blocks    json.RawMessage `json:"blocks,omitempty"`
	Ephemeral bool            `json:"ephemeral"`
	TS        string          `json:"ts,omitempty"`
}

// actor finds the person and the channel of an action. The lock is held.
func (s *Sim) actor(userID, channel string) (*User, *Channel, error) {
	u := s.findUser(userID)
	if u == nil {
		return nil, nil, fmt.Errorf("no such user: %s", userID)
	}
	if channel == "" {
		return u, nil, nil
	}
	c := s.findChannel(channel)
	if channel == "@"+s.opt.BotName || channel == BotUserID {
		c = s.openDM(u.ID)
	}
	if c == nil {
		return nil, nil, fmt.Errorf("no such channel: %s", channel)
	}
	if c.Private && !c.has(u.ID) || c.User != "" && c.User != u.ID {
		return nil, nil, fmt.Errorf("%s can't see %s", u.Name, channel)
	}
	return u, c, nil
}

func userRef(u *User) obj {
	return obj{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.team()}
}

// team returns the person's workspace.
func (u *User) team() string {
	if u.Team != "" {
		return u.Team
	}
	return TeamID
}

func channelRef(c *Channel) obj { return obj{"id": c.ID, "name": c.shownName()} }

func (c *Channel) shownName() string {
	switch {
	case c.User != "":
		return "directmessage"
	case c.Private:
		return "privategroup"
	default:
		return c.Name
	}
}

// interaction returns the part that all interactive payloads share.
func (s *Sim) interaction(kind string, u *User) obj {
	team := obj{"id": TeamID, "domain": teamDomain}
	o := obj{
		"type": kind, "token": "sim", "team": team, "user": userRef(u),
		"api_app_id": AppID, "enterprise": nil, "is_enterprise_install": false,
	}
	if id := s.opt.Enterprise; id != "" {
		team["enterprise_id"], team["enterprise_name"] = id, enterpriseName(id)
		o["enterprise"] = obj{"id": id, "name": enterpriseName(id)}
	}
	return o
}

// enterpriseOf returns the organisation of a person's workspace; empty if there is none.
func (s *Sim) enterpriseOf(u *User) string {
	if u.Team == "" || u.Team == TeamID {
		return s.opt.Enterprise
	}
	return u.Enterprise
}

func enterpriseName(id string) string { return "Organisation " + id }

// perform sends an envelope for a person and waits for the acknowledgement.
func (s *Sim) perform(ctx context.Context, d *delivery) (json.RawMessage, Result) {
	s.mu.Lock()
	sent := s.send(d, 0)
	s.mu.Unlock()
	result := Result{Envelope: d.id}
	if !sent {
		result.Error = "dispatch_failed"
		return nil, result
	}
	payload, ok := s.await(ctx, d)
	result.Acked = ok
	if !ok {
		result.Error = "operation_timeout"
	}
	return payload, result
}

// Slash types a command, such as "/oncall who", in a channel.
func (s *Sim) Slash(ctx context.Context, userID, channel, line string) (SlashResult, error) {
	name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	s.mu.Lock()
	u, c, err := s.actor(userID, channel)
	if err == nil && c == nil {
		c = s.openDM(u.ID)
	}
	if err == nil && !slices.ContainsFunc(s.opt.Manifest.Features.Commands, func(k Command) bool { return k.Name == name }) {
		err = fmt.Errorf("%s is not a valid command", name)
	}
	if err != nil {
		s.mu.Unlock()
		return SlashResult{}, err
	}
	reply := response{channel: c.ID, user: u.ID}
	payload := obj{
		"token": "sim", "team_id": TeamID, "team_domain": teamDomain, "channel_id": c.ID, "channel_name": c.shownName(),
		"user_id": u.ID, "user_name": u.Name, "command": name, "text": s.escape(strings.TrimSpace(rest)),
		"api_app_id": AppID, "is_enterprise_install": "false", "response_url": s.newResponse(reply),
		"trigger_id": s.newTrigger(trigger{user: u.ID, channel: c.ID}),
	}
	if id := s.opt.Enterprise; id != "" {
		payload["enterprise_id"], payload["enterprise_name"] = id, enterpriseName(id)
	}
	s.mu.Unlock()
	answer, result := s.perform(ctx, newDelivery("slash_commands", name, payload))
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	out := SlashResult{Result: result, Ephemeral: true}
	if result.Error != "" {
		return s.commandFailed(c, u, name, result.Error, out), nil
	}
	return s.showReply(c, u, line, answer, out), nil
}

// commandFailed shows the person that a command failed.
func (s *Sim) commandFailed(c *Channel, u *User, line, code string, out SlashResult) SlashResult {
	name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	out.Error, out.Text = code, name+" failed with the error \""+code+"\""
	m := &Message{User: u.ID, Author: "Slackbot", Text: out.Text}
	s.whisper(c, u.ID, m)
	out.TS = m.TS
	return out
}

// showReply shows the message in an acknowledgement, if there is one.
func (s *Sim) showReply(c *Channel, u *User, line string, payload json.RawMessage, out SlashResult) SlashResult {
	a := args(decode[obj](payload))
	if text, ok := decode[any](payload).(string); ok {
		a = args{"text": text}
	}
	everybody := a.str("response_type") == "in_channel"
	if everybody {
		s.post(c, &Message{User: u.ID, Text: line})
	}
	if !a.has("text") && !a.has("blocks") && !a.has("attachments") {
		return out
	}
	m, err := s.content(a)
	if err != nil {
		s.misused("the answer to " + line + " is refused: " + explain(err))
		// The whole answer is refused, and only the app's developer can find out why.
		return s.commandFailed(c, u, line, "invalid_command_response", out)
	}
	s.sayTo(c, u.ID, m, everybody)
	out.Text, out.Blocks, out.Ephemeral, out.TS = m.Text, m.Blocks, !everybody, m.TS
	return out
}

var (
	linkInText = regexp.MustCompile(`(^|[\s(])(https?://[^\s<>|]+[^\s<>|.,;:!?)'"])`)
	refInText  = regexp.MustCompile(`&lt;([@#!][^&<>]+)&gt;`)
	mailInText = regexp.MustCompile(`(^|\s)([\w.+-]+@[\w-]+(?:\.[\w-]+)+)`)
)

// escape converts what a person typed into what an app receives: entities, references, links and addresses.
// References may also be typed as such.
func (s *Sim) escape(text string) string {
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	text = refInText.ReplaceAllString(text, "<$1>")
	text = linkInText.ReplaceAllString(text, "$1<$2>")
	text = mailInText.ReplaceAllString(text, "$1<mailto:$2|$2>")
	return s.escapeNames(text)
}

var nameInText = regexp.MustCompile(`(^|\s)([@#])([\p{L}\p{N}._-]+)`)

// escapeNames turns @name and #name into references, as should_escape asks for.
func (s *Sim) escapeNames(text string) string {
	return nameInText.ReplaceAllStringFunc(text, func(hit string) string {
		parts := nameInText.FindStringSubmatch(hit)
		space, sign, name := parts[1], parts[2], parts[3]
		if sign == "#" {
			if c := s.findChannel("#" + name); c != nil && c.User == "" {
				if c.Private {
					return space + "<#" + c.ID + "|>"
				}
				return space + "<#" + c.ID + "|" + c.Name + ">"
			}
			return hit
		}
		if u := s.findUser("@" + name); u != nil {
			return space + "<@" + u.ID + "|" + u.Name + ">"
		}
		for _, g := range s.groups {
			if g.Handle == name {
				return space + "<!subteam^" + g.ID + "|@" + g.Handle + ">"
			}
		}
		return hit
	})
}

// Shortcut uses a global shortcut or, if channel and ts name a message, one of that message's menu.
func (s *Sim) Shortcut(ctx context.Context, userID, callbackID, channel, ts string) (Result, error) {
	s.mu.Lock()
	u, c, err := s.actor(userID, channel)
	known := slices.ContainsFunc(s.opt.Manifest.Features.Shortcuts, func(d Shortcut) bool {
		return d.CallbackID == callbackID && (d.Type == "message") == (ts != "")
	})
	if err == nil && !known {
		err = fmt.Errorf("no such shortcut: %s", callbackID)
	}
	var m *Message
	if err == nil && ts != "" {
		if c != nil {
			m = s.message(c.ID, ts)
		}
		if m == nil {
			err = fmt.Errorf("no message %s in %s", ts, channel)
		}
	}
	if err != nil {
		s.mu.Unlock()
		return Result{}, err
	}
	kind := "shortcut"
	t := trigger{user: u.ID}
	if m != nil {
		kind, t.channel = "message_action", c.ID
	}
	payload := s.interaction(kind, u)
	payload["callback_id"], payload["action_ts"] = callbackID, s.ts()
	if m != nil {
		payload["message"], payload["message_ts"] = s.messageObject(m, true), m.TS
		payload["channel"] = channelRef(c)
		payload["response_url"] = s.newResponse(response{channel: c.ID, user: u.ID, ts: m.TS})
	}
	payload["trigger_id"] = s.newTrigger(t)
	s.mu.Unlock()
	_, result := s.perform(ctx, newDelivery("interactive", kind, payload))
	return result, nil
}

// OpenMessages opens the app's messages tab.
func (s *Sim) OpenMessages(userID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, _, err := s.actor(userID, "")
	if err != nil {
		return err
	}
	s.emit("app_home_opened", obj{"user": u.ID, "channel": s.openDM(u.ID).ID, "tab": "messages"})
	s.wake()
	return nil
}

// OpenHome opens the app's home tab.
func (s *Sim) OpenHome(userID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, _, err := s.actor(userID, "")
	if err != nil {
		return err
	}
	event := obj{"user": u.ID, "channel": s.openDM(u.ID).ID, "tab": "home"}
	if home := s.homes[u.ID]; home != nil {
		event["view"] = s.viewObject(home)
	}
	s.emit("app_home_opened", event)
	s.wake()
	return nil
}

// Say writes a message in a channel, in the conversation with the bot, or in a thread, and returns its ts.
func (s *Sim) Say(userID, channel, threadTS, text string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, c, err := s.actor(userID, channel)
	if err != nil {
		return "", err
	}
	if c == nil {
		return "", fmt.Errorf("say where?")
	}
	if c.Archived {
		return "", fmt.Errorf("#%s is archived", c.Name)
	}
	if threadTS != "" && s.message(c.ID, threadTS) == nil {
		return "", fmt.Errorf("no message %s in %s", threadTS, channel)
	}
	text = s.mentions(text)
	m := &Message{User: u.ID, Text: text, ThreadTS: threadTS}
	s.post(c, m)
	if strings.Contains(text, "<@"+BotUserID+">") && c.has(BotUserID) && c.User == "" {
		event := obj{"user": u.ID, "text": text, "ts": m.TS, "team": TeamID, "channel": c.ID, "event_ts": m.TS}
		if threadTS != "" {
			event["thread_ts"] = threadTS
		}
		s.emit("app_mention", event)
	}
	s.wake()
	return m.TS, nil
}

var barLabel = regexp.MustCompile(`<([@#][A-Z0-9]+)\|[^>]*>`)

// mentions escapes what a person typed and turns names into references.
func (s *Sim) mentions(text string) string {
	return barLabel.ReplaceAllString(s.escape(text), "<$1>")
}
