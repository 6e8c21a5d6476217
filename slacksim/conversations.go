package slacksim

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// visible finds a conversation that the bot can see.
func (s *Sim) visible(id string) (*Channel, error) {
	c := s.channel(id)
	if c == nil || c.Private && !c.has(BotUserID) {
		return nil, refuse("channel_not_found")
	}
	return c, nil
}

// writable finds a channel that the bot is in and may change.
func (s *Sim) writable(id string) (*Channel, error) {
	c, err := s.visible(id)
	switch {
	case err != nil:
		return nil, err
	case c.User != "":
		return nil, refuse("method_not_supported_for_channel_type")
	case c.Archived:
		return nil, refuse("is_archived")
	case !c.has(BotUserID):
		return nil, refuse("not_in_channel")
	}
	return c, nil
}

func (s *Sim) conversationsOpen(a args) (obj, error) {
	if id := a.str("channel"); id != "" {
		c, err := s.visible(id)
		if err != nil {
			return nil, err
		}
		return obj{"channel": obj{"id": c.ID}}, nil
	}
	users := a.list("users")
	switch {
	case len(users) == 0:
		return nil, refuse("users_list_not_supplied")
	case len(users) > 1: // group conversations are not part of the simulator
		return nil, refuse("invalid_user_combination")
	}
	u := s.user(users[0])
	switch {
	case u == nil:
		return nil, refuse("user_not_found")
	case u.Deleted:
		return nil, refuse("user_disabled")
	case u.ID == BotUserID:
		return nil, refuse("invalid_user_combination")
	}
	known := s.dm(u.ID) != nil
	c := s.openDM(u.ID)
	out := obj{"id": c.ID}
	if a.yes("return_im") {
		out = s.channelObject(c)
		for _, key := range []string{"is_mpim", "is_channel", "is_group", "is_private", "is_shared", "is_ext_shared"} {
			delete(out, key)
		}
	}
	return obj{"channel": out, "no_op": known, "already_open": known}, nil
}

func (s *Sim) conversationsInfo(a args) (obj, error) {
	c, err := s.visible(a.str("channel"))
	if err != nil {
		return nil, err
	}
	o := s.channelObject(c)
	if a.yes("include_num_members") {
		o["num_members"] = len(c.Members)
	}
	return obj{"channel": o}, nil
}

// page cuts a list by cursor and limit; the cursor is the position.
func page[T any](list []T, a args, fallback int) ([]T, string, error) {
	start := 0
	if cursor := a.str("cursor"); cursor != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(cursor, "next:"))
		if err != nil || n < 0 || n > len(list) {
			return nil, "", refuse("invalid_cursor")
		}
		start = n
	}
	limit := a.number("limit", fallback)
	if limit <= 0 || limit >= 1000 {
		limit = fallback
	}
	end := min(start+limit, len(list))
	next := ""
	if end < len(list) {
		next = "next:" + strconv.Itoa(end)
	}
	return list[start:end], next, nil
}

// listScopes are the scopes that each type of conversation needs.
var listScopes = map[string]string{
	"public_channel": "channels:read", "private_channel": "groups:read", "im": "im:read", "mpim": "mpim:read",
}

// conversationsList lists what the bot can see, of the requested types. Filtering happens after a page was
// cut, so that a page may hold fewer entries than the limit, or none.
func (s *Sim) conversationsList(a args) (obj, error) {
	types := a.list("types")
	if len(types) == 0 {
		types = []string{"public_channel"}
	}
	for _, kind := range types {
		if listScopes[kind] == "" || !s.scopes[listScopes[kind]] {
			return nil, refuse("invalid_types")
		}
	}
	if a.number("limit", 100) >= 1000 {
		return nil, refuse("invalid_limit")
	}
	var all []*Channel
	for _, c := range s.channels {
		kind := "public_channel"
		if c.User != "" {
			kind = "im"
		} else if c.Private {
			kind = "private_channel"
		}
		if slices.Contains(types, kind) && (!c.Private || c.has(BotUserID)) {
			all = append(all, c)
		}
	}
	part, next, err := page(all, a, 100)
	if err != nil {
		return nil, err
	}
	list := []obj{}
	for _, c := range part {
		if !c.Archived || !a.yes("exclude_archived") {
			list = append(list, s.channelObject(c))
		}
	}
	return obj{"channels": list, "response_metadata": obj{"next_cursor": next}}, nil
}

func (s *Sim) conversationsHistory(a args) (obj, error) {
	c, err := s.readable(a)
	if err != nil {
		return nil, err
	}
	var list []*Message
	for _, m := range slices.Backward(s.history[c.ID]) {
		if m.ThreadTS == "" || m.Broadcast {
			list = append(list, m)
		}
	}
	return s.messagePage(list, a)
}

func (s *Sim) conversationsReplies(a args) (obj, error) {
	c, err := s.readable(a)
	if err != nil && err.Error() == "not_in_channel" { // conversations.replies has no such error
		err = refuse("channel_not_found")
	}
	if err != nil {
		return nil, err
	}
	root := s.message(c.ID, a.str("ts"))
	if root == nil {
		return nil, refuse("thread_not_found")
	}
	if root.ThreadTS != "" {
		return s.messagePage([]*Message{root}, a)
	}
	return s.messagePage(append([]*Message{root}, s.replies(c.ID, root.TS)...), a)
}

func (s *Sim) readable(a args) (*Channel, error) {
	c, err := s.visible(a.str("channel"))
	if err == nil && !c.has(BotUserID) {
		return nil, refuse("not_in_channel")
	}
	return c, err
}

// messagePage applies oldest, latest, inclusive and the cursor.
func (s *Sim) messagePage(list []*Message, a args) (obj, error) {
	oldest, ok := parseTS(orZero(a.str("oldest")))
	if !ok {
		return nil, refuse("invalid_ts_oldest")
	}
	latest, ok := parseTS(orZero(a.str("latest")))
	if !ok {
		return nil, refuse("invalid_ts_latest")
	}
	out := []obj{}
	for _, m := range list {
		at, _ := parseTS(m.TS)
		edge := a.yes("inclusive") && (at == oldest || at == latest)
		if edge || (at > oldest && (latest == 0 || at < latest)) {
			out = append(out, s.messageObject(m, a.yes("include_all_metadata")))
		}
	}
	part, next, err := page(out, a, 100)
	if err != nil {
		return nil, err
	}
	return obj{"messages": part, "has_more": next != "", "response_metadata": obj{"next_cursor": next}}, nil
}

func orZero(ts string) string {
	setDefault(&ts, "0")
	return ts
}

func (s *Sim) conversationsJoin(a args) (obj, error) {
	c, err := s.visible(a.str("channel"))
	switch {
	case err != nil:
		return nil, err
	case c.User != "" || c.Private:
		return nil, refuse("method_not_supported_for_channel_type")
	case c.Archived:
		return nil, refuse("is_archived")
	}
	if c.has(BotUserID) {
		return obj{"channel": s.channelObject(c), "warning": "already_in_channel"}, nil
	}
	s.join(c, BotUserID, "")
	return obj{"channel": s.channelObject(c)}, nil
}

// join adds a member and tells the channel and the app.
func (s *Sim) join(c *Channel, userID, inviter string) {
	c.Members = append(c.Members, userID)
	s.post(c, &Message{User: userID, Subtype: "channel_join", Text: "<@" + userID + "> has joined the channel"})
	event := obj{"user": userID, "channel": c.ID, "channel_type": "C", "team": TeamID}
	if c.Private {
		event["channel_type"] = "G"
	}
	if inviter != "" {
		event["inviter"] = inviter
	}
	s.emit("member_joined_channel", event)
}

var channelName = regexp.MustCompile(`^[\p{Ll}\p{Lo}\p{N}_-]+$`)

// checkName refuses names that Slack would refuse.
func (s *Sim) checkName(name string) error {
	switch {
	case name == "":
		return refuse("invalid_name_required")
	case utf8.RuneCountInString(name) > 80:
		return refuse("invalid_name_maxlength")
	case !channelName.MatchString(name):
		return refuse("invalid_name_specials")
	case strings.Trim(name, "-_") == "":
		return refuse("invalid_name_punctuation")
	}
	for _, c := range s.channels {
		if c.User == "" && c.Name == name {
			return refuse("name_taken")
		}
	}
	return nil
}

func (s *Sim) conversationsCreate(a args) (obj, error) {
	name := a.str("name")
	if err := s.checkName(name); err != nil {
		return nil, err
	}
	c := &Channel{
		ID: s.id("C"), Name: name, Private: a.yes("is_private"), Members: []string{BotUserID},
		Creator: BotUserID, Created: s.opt.Now().Unix(),
	}
	s.channels = append(s.channels, c)
	return obj{"channel": s.channelObject(c)}, nil
}

func (s *Sim) conversationsInvite(a args) (obj, error) {
	c, err := s.writable(a.str("channel"))
	if err != nil {
		return nil, err
	}
	users := a.list("users")
	if len(users) == 0 {
		return nil, refuse("no_user")
	}
	for _, id := range users {
		u := s.user(id)
		switch {
		case u == nil || u.Deleted:
			return nil, refuse("user_not_found")
		case id == BotUserID:
			return nil, refuse("cant_invite_self")
		case c.has(id):
			return nil, refuse("already_in_channel")
		}
	}
	for _, id := range users {
		s.join(c, id, BotUserID)
	}
	return obj{"channel": s.channelObject(c)}, nil
}

func (s *Sim) conversationsArchive(a args) (obj, error) {
	c, err := s.writable(a.str("channel"))
	if c := s.channel(a.str("channel")); err != nil && err.Error() == "is_archived" && c.Archived {
		return nil, refuse("already_archived")
	}
	if err != nil {
		return nil, err
	}
	s.archive(c, BotUserID)
	return nil, nil
}

func (s *Sim) archive(c *Channel, userID string) {
	c.Archived = true
	s.emitChannel(c, "archive", userID)
}

func (s *Sim) conversationsRename(a args) (obj, error) {
	c, err := s.writable(a.str("channel"))
	if err != nil {
		return nil, err
	}
	if err := s.checkName(a.str("name")); err != nil {
		return nil, err
	}
	s.rename(c, a.str("name"))
	return obj{"channel": s.channelObject(c)}, nil
}

func (s *Sim) conversationsSetTopic(a args) (obj, error) {
	c, err := s.writable(a.str("channel"))
	if err != nil {
		return nil, err
	}
	topic := a.str("topic")
	if utf8.RuneCountInString(topic) > 250 {
		return nil, refuse("too_long")
	}
	c.Topic = topic
	s.post(c, &Message{User: BotUserID, Subtype: "channel_topic", Text: "set the channel topic: " + topic})
	return obj{"channel": s.channelObject(c)}, nil
}
