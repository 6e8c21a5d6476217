package slacksim

import (
	"fmt"
	"slices"
	"strings"
)

// AddChannel adds a channel, or replaces the one with the same id, and returns the id. The bot is a member
// only if it is listed. The app is notified of a new name, and if the channel is archived.
func (s *Sim) AddChannel(c Channel) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	if c.ID == "" {
		c.ID = s.id("C")
	}
	c.Name = strings.TrimPrefix(c.Name, "#")
	setDefault(&c.Created, s.opt.Now().Unix())
	c.Members = slices.Clone(c.Members)
	i := slices.IndexFunc(s.channels, func(old *Channel) bool { return old.ID == c.ID })
	if i < 0 {
		s.channels = append(s.channels, &c)
		return c.ID
	}
	old := *s.channels[i]
	s.channels[i] = &c
	if old.Name != c.Name {
		s.emitRename(&c)
	}
	if old.Archived != c.Archived {
		s.emitChannel(&c, archiving(c.Archived), "")
	}
	return c.ID
}

func archiving(archived bool) string {
	if archived {
		return "archive"
	}
	return "unarchive"
}

// RenameChannel gives a channel a new name, as a person would.
func (s *Sim) RenameChannel(channel, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.findChannel(channel)
	if c == nil {
		return fmt.Errorf("no such channel: %s", channel)
	}
	name = strings.TrimPrefix(name, "#")
	if err := s.checkName(name); err != nil {
		return err
	}
	s.rename(c, name)
	s.wake()
	return nil
}

// ArchiveChannel archives or unarchives a channel.
func (s *Sim) ArchiveChannel(channel string, archived bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.findChannel(channel)
	if c == nil {
		return fmt.Errorf("no such channel: %s", channel)
	}
	if c.Archived != archived {
		c.Archived = archived
		s.emitChannel(c, archiving(archived), "")
	}
	s.wake()
	return nil
}

// DeleteChannel removes a channel with everything in it.
func (s *Sim) DeleteChannel(channel string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.findChannel(channel)
	if c == nil {
		return fmt.Errorf("no such channel: %s", channel)
	}
	s.emitChannel(c, "deleted", "")
	s.channels = slices.DeleteFunc(s.channels, func(x *Channel) bool { return x == c })
	delete(s.history, c.ID)
	s.wake()
	return nil
}

// RenameGroup gives a user group another handle.
func (s *Sim) RenameGroup(handle, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.groups {
		if g.Handle == handle {
			g.Handle = to
			s.groupChanged(g)
			s.wake()
			return nil
		}
	}
	return fmt.Errorf("no such user group: %s", handle)
}

func (s *Sim) rename(c *Channel, name string) {
	c.Name = name
	s.emitRename(c)
}

func (s *Sim) emitRename(c *Channel) {
	event := obj{"channel": obj{"id": c.ID, "name": c.Name, "name_normalized": c.Name, "created": c.Created, "is_channel": !c.Private, "is_mpim": false}}
	if kind := c.kind(); c.has(BotUserID) || kind == "channel" {
		s.emit(kind+"_rename", event)
	}
}

// emitChannel emits an event about a channel: archive, unarchive or deleted. Events about a private channel
// go only to its members.
func (s *Sim) emitChannel(c *Channel, what, userID string) {
	event := obj{"channel": c.ID}
	if what != "deleted" {
		event["user"] = userID
		event["is_moved"] = 0
	}
	if kind := c.kind(); c.has(BotUserID) || kind == "channel" {
		s.emit(kind+"_"+what, event)
	}
}

// kind returns the prefix of the names of events about the channel.
func (c *Channel) kind() string {
	if c.Private {
		return "group"
	}
	return "channel"
}
