package slacksim

import (
	"slices"
	"strings"
)

// target finds the message that a reaction or a pin is about.
func (s *Sim) target(a args) (*Channel, *Message, error) {
	c, err := s.visible(a.str("channel"))
	if err != nil {
		return nil, nil, err
	}
	if !a.has("timestamp") {
		return nil, nil, refuse("no_item_specified")
	}
	if _, ok := parseTS(a.str("timestamp")); !ok {
		return nil, nil, refuse("bad_timestamp")
	}
	m := s.message(c.ID, a.str("timestamp"))
	if m == nil {
		return nil, nil, refuse("message_not_found")
	}
	return c, m, nil
}

func (s *Sim) reactionsAdd(a args) (obj, error) {
	_, m, err := s.target(a)
	if err != nil {
		return nil, err
	}
	name := strings.Trim(a.str("name"), ":")
	if slices.Contains(m.Reactions[name], BotUserID) {
		return nil, refuse("already_reacted")
	}
	if m.Reactions == nil {
		m.Reactions = map[string][]string{}
	}
	m.Reactions[name] = append(m.Reactions[name], BotUserID)
	return nil, nil
}

func (s *Sim) reactionsRemove(a args) (obj, error) {
	_, m, err := s.target(a)
	if err != nil {
		return nil, err
	}
	name := strings.Trim(a.str("name"), ":")
	i := slices.Index(m.Reactions[name], BotUserID)
	if i < 0 {
		return nil, refuse("no_reaction")
	}
	m.Reactions[name] = slices.Delete(m.Reactions[name], i, i+1)
	if len(m.Reactions[name]) == 0 {
		delete(m.Reactions, name)
	}
	return nil, nil
}

func (s *Sim) reactionsGet(a args) (obj, error) {
	c, m, err := s.target(a)
	if err != nil {
		return nil, err
	}
	return obj{"type": "message", "channel": c.ID, "message": s.messageObject(m, false)}, nil
}

func (s *Sim) pinsAdd(a args) (obj, error) {
	c, m, err := s.target(a)
	switch {
	case err != nil:
		return nil, err
	case !c.has(BotUserID):
		return nil, refuse("not_in_channel")
	case m.Pinned:
		return nil, refuse("already_pinned")
	}
	m.Pinned = true
	return nil, nil
}

func (s *Sim) pinsRemove(a args) (obj, error) {
	_, m, err := s.target(a)
	if err != nil {
		return nil, err
	}
	if !m.Pinned {
		return nil, refuse("no_pin")
	}
	m.Pinned = false
	return nil, nil
}

func (s *Sim) pinsList(a args) (obj, error) {
	c, err := s.visible(a.str("channel"))
	if err != nil {
		return nil, err
	}
	items := []obj{}
	for _, m := range s.history[c.ID] {
		if m.Pinned {
			items = append(items, obj{"type": "message", "channel": c.ID, "message": s.messageObject(m, false)})
		}
	}
	return obj{"items": items}, nil
}

func (s *Sim) bookmarksAdd(a args) (obj, error) {
	c, err := s.visible(a.str("channel_id"))
	if err != nil {
		return nil, err
	}
	if !c.has(BotUserID) {
		return nil, refuse("access_denied")
	}
	if a.str("type") != "link" {
		return nil, refuse("invalid_bookmark_type")
	}
	if !strings.HasPrefix(a.str("link"), "http") {
		return nil, refuse("invalid_link")
	}
	b := &Bookmark{
		ID: s.id("Bk"), Channel: c.ID, Title: a.str("title"), Link: a.str("link"), Emoji: a.str("emoji"),
	}
	s.bookmarks = append(s.bookmarks, b)
	return obj{"bookmark": bookmarkObject(b)}, nil
}

func bookmarkObject(b *Bookmark) obj {
	return obj{
		"id": b.ID, "channel_id": b.Channel, "title": b.Title, "link": b.Link, "emoji": b.Emoji, "type": "link",
		"app_id": AppID, "date_created": 0, "date_updated": 0,
	}
}

func (s *Sim) bookmark(a args) (*Bookmark, error) {
	if _, err := s.visible(a.str("channel_id")); err != nil {
		return nil, err
	}
	for _, b := range s.bookmarks {
		if b.ID == a.str("bookmark_id") && b.Channel == a.str("channel_id") {
			return b, nil
		}
	}
	return nil, refuse("not_found")
}

func (s *Sim) bookmarksEdit(a args) (obj, error) {
	b, err := s.bookmark(a)
	if err != nil {
		return nil, err
	}
	if a.has("link") {
		if !strings.HasPrefix(a.str("link"), "http") {
			return nil, refuse("invalid_link")
		}
		b.Link = a.str("link")
	}
	if a.has("title") {
		b.Title = a.str("title")
	}
	if a.has("emoji") {
		b.Emoji = a.str("emoji")
	}
	return obj{"bookmark": bookmarkObject(b)}, nil
}

func (s *Sim) bookmarksList(a args) (obj, error) {
	c, err := s.visible(a.str("channel_id"))
	if err != nil {
		return nil, err
	}
	list := []obj{}
	for _, b := range s.bookmarks {
		if b.Channel == c.ID {
			list = append(list, bookmarkObject(b))
		}
	}
	return obj{"bookmarks": list}, nil
}

func (s *Sim) bookmarksRemove(a args) (obj, error) {
	b, err := s.bookmark(a)
	if err != nil {
		return nil, err
	}
	s.bookmarks = slices.DeleteFunc(s.bookmarks, func(x *Bookmark) bool { return x == b })
	return nil, nil
}
