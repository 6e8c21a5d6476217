package slacksim

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// View is a modal or a home tab as a person sees it.
type View struct {
	ID              string                    `json:"id"`
	Type            string                    `json:"type"`
	CallbackID      string                    `json:"callback_id"`
	Title           string                    `json:"title"`
	Submit          string                    `json:"submit"`
	Close           string                    `json:"close"`
	PrivateMetadata string                    `json:"private_metadata"`
	Hash            string                    `json:"hash"`
	Blocks          json.RawMessage           `json:"blocks"`
	State           map[string]map[string]obj `json:"state"`
	Errors          map[string]string         `json:"errors,omitempty"`
}

func (v *view) public() View {
	content := v.content()
	state := make(map[string]map[string]obj, len(v.State))
	for block, actions := range v.State {
		state[block] = make(map[string]obj, len(actions))
		maps.Copy(state[block], actions) // entries are replaced as a whole, never changed in place
	}
	return View{
		ID: v.ID, Type: textOf(content["type"]), CallbackID: textOf(content["callback_id"]),
		Title: plainOf(content["title"]), Submit: plainOf(content["submit"]), Close: plainOf(content["close"]),
		PrivateMetadata: textOf(content["private_metadata"]), Hash: v.Hash, Blocks: toJSON(v.blocks()),
		State: state, Errors: v.errors,
	}
}

func plainOf(v any) string {
	o, _ := v.(obj)
	return textOf(o["text"])
}

// Messages lists the messages of a channel, roots and replies, oldest first. The channel is named by
// id, name, "#name", or "@user" for the conversation between the bot and that person.
func (s *Sim) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.findChannel(channel)
	if c == nil {
		return nil
	}
	return copies(s.history[c.ID])
}

// Ephemerals lists the ephemeral messages shown to a person, oldest first.
func (s *Sim) Ephemerals(userID string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.findUser(userID); u != nil {
		return copies(s.ephemerals[u.ID])
	}
	return nil
}

// File returns an uploaded file, if there is one with that id.
func (s *Sim) File(id string) (File, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.file(id); f != nil {
		return *f, true
	}
	return File{}, false
}

func copies(list []*Message) []Message {
	out := make([]Message, 0, len(list))
	for _, m := range list {
		out = append(out, *m)
	}
	return out
}

// Views returns the modals that a person has open; the last one is on top.
func (s *Sim) Views(userID string) []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []View
	if u := s.findUser(userID); u != nil {
		for _, v := range s.stacks[u.ID] {
			out = append(out, v.public())
		}
	}
	return out
}

// Home returns a person's home tab, and whether there is one.
func (s *Sim) Home(userID string) (View, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.findUser(userID); u != nil && s.homes[u.ID] != nil {
		return s.homes[u.ID].public(), true
	}
	return View{}, false
}

// Calls lists the calls of the Web API and of response URLs, oldest first.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// UserGroups lists the user groups.
func (s *Sim) UserGroups() []Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Group, 0, len(s.groups))
	for _, g := range s.groups {
		c := *g
		c.Users = slices.Clone(g.Users)
		out = append(out, c)
	}
	return out
}

// Bookmarks returns the bookmarks of a channel.
func (s *Sim) Bookmarks(channel string) []Bookmark {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Bookmark
	c := s.findChannel(channel)
	for _, b := range s.bookmarks {
		if c != nil && b.Channel == c.ID {
			out = append(out, *b)
		}
	}
	return out
}

// FindChannel finds a channel as Messages does.
func (s *Sim) FindChannel(ref string) (Channel, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.findChannel(ref)
	if c == nil {
		return Channel{}, false
	}
	out := *c
	out.Members = slices.Clone(c.Members)
	return out, true
}

// Text returns a channel as plain text: one paragraph per message with its author, what its blocks show,
// button labels in brackets, "(edited)", and replies indented below their root. Names replace references;
// there are no times, so that the text is stable.
func (s *Sim) Text(channel string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.findChannel(channel)
	if c == nil {
		return ""
	}
	var out strings.Builder
	for _, m := range s.history[c.ID] {
		if m.ThreadTS != "" || m.Hidden {
			continue
		}
		s.writeMessage(&out, m, "")
		for _, r := range s.replies(c.ID, m.TS) {
			if !r.Hidden {
				s.writeMessage(&out, r, "  ")
			}
		}
	}
	return out.String()
}

// EphemeralText returns the ephemeral messages shown to a person in all channels, in the format of Text.
func (s *Sim) EphemeralText(userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out strings.Builder
	if u := s.findUser(userID); u != nil {
		for _, m := range s.ephemerals[u.ID] {
			s.writeMessage(&out, m, "")
		}
	}
	return out.String()
}

// ViewText returns a person's topmost modal as text.
func (s *Sim) ViewText(userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.findUser(userID)
	if u == nil || s.top(u.ID) == nil {
		return ""
	}
	v := s.top(u.ID)
	content := v.content()
	lines := append([]string{plainOf(content["title"])}, s.blockLines(v.blocks(), v)...)
	buttons := "[" + cmp.Or(plainOf(content["close"]), "Cancel") + "]"
	if submit := plainOf(content["submit"]); submit != "" {
		buttons += " [" + submit + "]"
	}
	return strings.Join(append(lines, buttons), "\n") + "\n"
}

// HomeText returns a person's home tab as text.
func (s *Sim) HomeText(userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.findUser(userID)
	if u == nil || s.homes[u.ID] == nil {
		return ""
	}
	return strings.Join(s.blockLines(s.homes[u.ID].blocks(), s.homes[u.ID]), "\n") + "\n"
}
