package slacksim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The fixed identities of the simulated workspace and app.
const (
	TeamID    = "T0SIM"
	AppID     = "A0SIM"
	BotUserID = "U0BOT"
	BotID     = "B0BOT"

	teamDomain = "simulator"
)

// User is a person, or a bot, of the workspace.
type User struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	RealName string `json:"real_name"`
	Email    string `json:"email,omitempty"`
	TZ       string `json:"tz,omitempty"`
	Bot      bool   `json:"bot,omitempty"`
	Deleted  bool   `json:"deleted,omitempty"`
	Guest    bool   `json:"guest,omitempty"`
	Owner    bool   `json:"owner,omitempty"` // an owner of the workspace, and therefore an admin
	Team     string `json:"team,omitempty"`  // another workspace that shares a channel with this one
	// Enterprise is the organisation of that workspace, if it belongs to one.
	Enterprise string `json:"enterprise,omitempty"`
}

// Channel is a channel, or the direct conversation between the bot and User.
type Channel struct {
	ID       string   `json:"id"`
	Name     string   `json:"name,omitempty"`
	Members  []string `json:"members"`
	Private  bool     `json:"private,omitempty"`
	Archived bool     `json:"archived,omitempty"`
	Topic    string   `json:"topic,omitempty"`
	User     string   `json:"user,omitempty"`
	Creator  string   `json:"creator,omitempty"`
	Created  int64    `json:"created"`
}

// Message is one message as it stands now.
type Message struct {
	Channel  string          `json:"channel"`
	TS       string          `json:"ts"`
	ThreadTS string          `json:"thread_ts,omitempty"` // set on replies; roots have none
	User     string          `json:"user"`
	Author   string          `json:"author,omitempty"` // a name to show instead of the user's
	Text     string          `json:"text"`
	Blocks   json.RawMessage `json:"blocks,omitempty"`
	// Attachments are the legacy ones; blocks inside them are drawn too.
	Attachments json.RawMessage `json:"attachments,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"`
	Edited      bool            `json:"edited,omitempty"`
	Subtype     string          `json:"subtype,omitempty"`
	Broadcast   bool            `json:"broadcast,omitempty"`
	// State is each person's input in it: person, block, action, value.
	State map[string]map[string]map[string]obj `json:"state,omitempty"`
	// Ephemeral is the only person who sees the message, if it is ephemeral.
	Ephemeral string `json:"ephemeral,omitempty"`
	// Hidden marks a message that was accepted in a burst and is not displayed.
	Hidden bool     `json:"hidden,omitempty"`
	Files  []string `json:"files,omitempty"`
}

// File is an uploaded file.
type File struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	AltText  string   `json:"alt_text,omitempty"`
	Type     string   `json:"mimetype"`
	Content  []byte   `json:"content"`
	Channels []string `json:"channels,omitempty"`
	Created  int64    `json:"created"`
	length   int
}

// Group is a user group.
type Group struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Handle   string   `json:"handle"`
	Users    []string `json:"users"`
	Disabled bool     `json:"disabled,omitempty"`
	Updated  int64    `json:"updated"`
}

// Bookmark is a link at the top of a channel.
type Bookmark struct {
	ID      string `json:"id"`
	Channel string `json:"channel_id"`
	Title   string `json:"title"`
	Link    string `json:"link"`
	Emoji   string `json:"emoji,omitempty"`
}

// world is the stored state of a workspace.
type world struct {
	users     []*User
	channels  []*Channel
	history   map[string][]*Message
	groups    []*Group
	files     []*File
	bookmarks []*Bookmark
	canvases  []*Canvas
	freePlan  bool
	homes     map[string]*view
	read      map[string]map[string]string
	counter   int
	lastTS    int64
}

func newWorld(opt Options) world {
	return world{
		users:   []*User{{ID: BotUserID, Name: opt.BotName, RealName: opt.BotName, TZ: "UTC", Bot: true}},
		history: map[string][]*Message{}, homes: map[string]*view{}, read: map[string]map[string]string{},
	}
}

// AddUser adds a person, or replaces the one with the same id, and returns the id. The app gets team_join
// or user_change once it has connected for the first time: people added before that were there before the
// app.
func (s *Sim) AddUser(u User) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	if u.ID == "" {
		u.ID = s.id("U")
	}
	setDefault(&u.Name, strings.ToLower(u.ID))
	setDefault(&u.RealName, u.Name)
	setDefault(&u.TZ, "UTC")
	for i, old := range s.users {
		if old.ID == u.ID {
			s.users[i] = &u
			if s.nextSocket > 0 {
				s.emit("user_change", obj{"user": s.userObject(&u), "cache_ts": s.opt.Now().Unix()})
			}
			return u.ID
		}
	}
	s.users = append(s.users, &u)
	if s.nextSocket > 0 {
		s.emit("team_join", obj{"user": s.userObject(&u)})
	}
	return u.ID
}

// id returns the next id with a prefix, such as U or C. The lock is held.
func (s *Sim) id(prefix string) string {
	s.counter++
	return fmt.Sprintf("%s%06d", prefix, s.counter)
}

// ts returns the next timestamp; it always grows, even if the clock stands still.
func (s *Sim) ts() string {
	s.lastTS = max(s.lastTS+1, s.opt.Now().UnixMicro())
	return formatTS(s.lastTS)
}

func formatTS(micros int64) string { return fmt.Sprintf("%d.%06d", micros/1e6, micros%1e6) }

// parseTS reads a timestamp as microseconds; the fraction is optional.
func parseTS(ts string) (int64, bool) {
	whole, fraction, _ := strings.Cut(ts, ".")
	secs, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || len(fraction) > 6 {
		return 0, false
	}
	micros, err := strconv.ParseInt(fraction+strings.Repeat("0", 6-len(fraction)), 10, 64)
	return secs*1e6 + micros, err == nil
}

func (s *Sim) user(id string) *User {
	for _, u := range s.users {
		if u.ID == id {
			return u
		}
	}
	return nil
}

// findUser accepts an id, a name or @name.
func (s *Sim) findUser(ref string) *User {
	name := strings.TrimPrefix(ref, "@")
	for _, u := range s.users {
		if u.ID == ref || u.Name == name {
			return u
		}
	}
	return nil
}

func (s *Sim) channel(id string) *Channel {
	for _, c := range s.channels {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// findChannel accepts an id, a name, #name, or @user for that person's conversation with the bot.
func (s *Sim) findChannel(ref string) *Channel {
	if c := s.channel(ref); c != nil {
		return c
	}
	name := strings.TrimPrefix(ref, "#")
	for _, c := range s.channels {
		if c.User == "" && c.Name == name {
			return c
		}
	}
	if u := s.findUser(ref); u != nil && (strings.HasPrefix(ref, "@") || u.ID == ref) {
		return s.dm(u.ID)
	}
	return nil
}

// dm returns the conversation between the bot and a person.
func (s *Sim) dm(userID string) *Channel {
	for _, c := range s.channels {
		if c.User == userID {
			return c
		}
	}
	return nil
}

// openDM is dm, but opens the conversation if there is none.
func (s *Sim) openDM(userID string) *Channel {
	if c := s.dm(userID); c != nil {
		return c
	}
	c := &Channel{ID: s.id("D"), User: userID, Members: []string{userID, BotUserID}, Created: s.opt.Now().Unix()}
	s.channels = append(s.channels, c)
	return c
}

func (s *Sim) message(channel, ts string) *Message {
	for _, m := range s.history[channel] {
		if m.TS == ts {
			return m
		}
	}
	return nil
}

func (c *Channel) has(userID string) bool { return slices.Contains(c.Members, userID) }

func (u *User) zone() *time.Location {
	if loc, err := time.LoadLocation(u.TZ); err == nil {
		return loc
	}
	return time.UTC
}
