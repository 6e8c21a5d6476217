package slacksim

import (
	"slices"
	"strings"
)

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
