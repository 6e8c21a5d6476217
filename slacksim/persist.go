package slacksim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// saveDelay collects changes that come together into one write.
const saveDelay = 300 * time.Millisecond

// saved is the content of the state file.
type saved struct {
	Users     []*User                      `json:"users"`
	Channels  []*Channel                   `json:"channels"`
	Messages  map[string][]*Message        `json:"messages"`
	Groups    []*Group                     `json:"groups,omitempty"`
	Files     []*File                      `json:"files,omitempty"`
	Bookmarks []*Bookmark                  `json:"bookmarks,omitempty"`
	Homes     map[string]*view             `json:"homes,omitempty"`
	Read      map[string]map[string]string `json:"read,omitempty"`
	Counter   int                          `json:"counter"`
	LastTS    int64                        `json:"last_ts"`
}

// load reads the state file, if there is one.
func (s *Sim) load() error {
	text, err := os.ReadFile(s.opt.StateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read simulator state: %w", err)
	}
	w := newWorld(s.opt)
	in := saved{Messages: w.history, Homes: w.homes, Read: w.read}
	if err := json.Unmarshal(text, &in); err != nil {
		return fmt.Errorf("read simulator state %s: %w", s.opt.StateFile, err)
	}
	s.world = world{
		users: in.Users, channels: in.Channels, history: in.Messages, groups: in.Groups, files: in.Files,
		bookmarks: in.Bookmarks, homes: in.Homes, read: in.Read, counter: in.Counter, lastTS: in.LastTS,
	}
	for _, home := range s.homes {
		s.views[home.ID] = home
	}
	return nil
}

// save writes the state to a new file and renames it, so that a crash leaves the old or the new one.
func (s *Sim) save() error {
	s.mu.Lock()
	text, err := json.MarshalIndent(saved{
		Users: s.users, Channels: s.channels, Messages: s.history, Groups: s.groups, Files: s.files,
		Bookmarks: s.bookmarks, Homes: s.homes, Read: s.read, Counter: s.counter, LastTS: s.lastTS,
	}, "", " ")
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("save simulator state: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(s.opt.StateFile), ".slacksim-*")
	if err != nil {
		return fmt.Errorf("save simulator state: %w", err)
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), s.opt.StateFile)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("save simulator state: %w", err)
	}
	return nil
}

// keepSaving saves shortly after every change until the simulator closes.
func (s *Sim) keepSaving() {
	if s.loadErr != nil {
		return // never write over a file that could not be read
	}
	for {
		select {
		case <-s.done:
			return
		case <-s.dirty:
		}
		if !s.sleep(saveDelay) {
			return
		}
		err := s.save()
		s.mu.Lock()
		s.saveErr = err
		s.mu.Unlock()
	}
}
