package spool

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/route"
	"github.com/watchbill/watchbill/store"
)

const (
	knownFile = "known.json"
	// maxTitle bounds what is kept of an alert's title in memory, in bytes.
	maxTitle = 400
)

// Snapshot is the part of the set-up that is remembered for a database outage. It is stored beside the
// spool, with keys hashed and addresses encrypted.
type Snapshot struct {
	At       time.Time                                   `json:"at"` // when the database was last read
	Keys     map[string]snapshotKey                      `json:"keys"`
	Teams    map[oncall.TeamID]string                    `json:"teams"`
	Watches  map[oncall.PolicyID][]oncall.OutageContact  `json:"watches"`
	Contacts map[oncall.UserID][]snapshotContact         `json:"contacts"`
	Sources  map[oncall.IntegrationID]oncall.Integration `json:"integrations"`
	Admins   []string                                    `json:"admins"` // of the installation, by Slack id

	Routes      []route.Definition   `json:"routes,omitempty"` // non-empty rule lists
	Maintenance []oncall.Maintenance `json:"maintenance,omitempty"`

	compiling sync.Once
	lists     map[oncall.RouteOwner]*route.List
	windows   []oncall.Maintenance
}

type snapshotKey struct {
	Integration oncall.IntegrationID `json:"integration"`
	Until       time.Time            `json:"until,omitzero"`
}

// A snapshotContact is one of a person's notification rules.
type snapshotContact struct {
	Method  oncall.Method  `json:"method"`
	Address string         `json:"address,omitempty"` // encrypted
	After   oncall.Seconds `json:"after,omitempty"`
}

// NewSnapshot selects what to remember of the set-up. Addresses are kept only if there is a secret
// to encrypt them.
func NewSnapshot(dir *store.Directory, secrets []oncall.Secret, now time.Time) *Snapshot {
	s := &Snapshot{
		At: now, Keys: map[string]snapshotKey{}, Teams: map[oncall.TeamID]string{}, Watches: map[oncall.PolicyID][]oncall.OutageContact{},
		Contacts: map[oncall.UserID][]snapshotContact{}, Sources: map[oncall.IntegrationID]oncall.Integration{}, Admins: dir.InstallationAdmins(),
	}
	for _, key := range dir.Keys() {
		s.Keys[hex.EncodeToString(key.Hash[:])] = snapshotKey{key.Integration.ID, key.Until}
	}
	facts := dir.Facts()
	for _, l := range dir.Lists() {
		s.Routes = append(s.Routes, l.Definition)
	}
	s.Maintenance = dir.Maintenance
	for _, in := range dir.Integrations {
		s.Sources[in.ID] = in
		if team, found := dir.Team(in.TeamID); found {
			s.Teams[in.TeamID] = team.Name
		}
		for _, policy := range dir.RoutedTo(in.ID) {
			if s.Watches[policy] == nil && !facts.Policies[policy].Removed {
				s.Watches[policy] = facts.OutageContacts(policy, now, now.Add(oncall.OutageContactsAhead))
			}
		}
	}
	for _, watches := range s.Watches {
		for _, w := range watches {
			for _, user := range w.Users {
				if s.Contacts[user] == nil {
					s.Contacts[user] = contactsOf(dir.ContactSettings[user], secrets)
				}
			}
		}
	}
	return s
}

// contactsOf returns a person's notification rules for urgent pages, each contact method once.
func contactsOf(reach oncall.ContactSettings, secrets []oncall.Secret) []snapshotContact {
	var out []snapshotContact
	for _, rule := range reach.Rules(false) {
		c, found := reach.Contact(rule.Contact)
		known := snapshotContact{Method: c.Method, After: rule.After}
		switch {
		case !found || !c.Usable():
			continue
		case rule.Contact != 0 && len(secrets) == 0:
			continue
		case rule.Contact != 0:
			known.Address = secrets[0].Seal(c.Address)
		}
		if !slices.ContainsFunc(out, func(o snapshotContact) bool { return o.Method == known.Method && o.Address == known.Address }) {
			out = append(out, known)
		}
	}
	if len(out) == 0 {
		out = append(out, snapshotContact{Method: oncall.MethodSlack})
	}
	return out
}

// Integration returns the integration that a key belongs to.
func (s *Snapshot) Integration(key string, now time.Time) (oncall.Integration, bool) {
	if s == nil {
		return oncall.Integration{}, false
	}
	hash := sha256.Sum256([]byte(key))
	found, known := s.Keys[hex.EncodeToString(hash[:])]
	if !known || !found.Until.IsZero() && !now.Before(found.Until) {
		return oncall.Integration{}, false
	}
	in, known := s.Sources[found.Integration]
	return in, known
}

// onCall returns the people a policy pages first, as far as is known.
func (s *Snapshot) onCall(policy oncall.PolicyID, now time.Time) []oncall.UserID {
	var users []oncall.UserID
	for i, w := range s.Watches[policy] {
		if i == 0 || !w.From.After(now) {
			users = w.Users
		}
	}
	return users
}

// save writes it to the disk atomically.
func (s *Snapshot) save(dir string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("keep what is known: %w", err)
	}
	f, err := os.CreateTemp(dir, ".known-*") // created with mode 0600
	if err != nil {
		return fmt.Errorf("keep what is known: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, knownFile))
	}
	if err != nil {
		_ = os.Remove(f.Name()) // already failing
		return fmt.Errorf("keep what is known: %w", err)
	}
	return nil
}

// loadSnapshot reads what was saved; nil if nothing was.
func loadSnapshot(dir string) (*Snapshot, error) {
	text, err := os.ReadFile(filepath.Join(dir, knownFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // a first start, which is no error
	}
	if err != nil {
		return nil, fmt.Errorf("read what is known: %w", err)
	}
	s := &Snapshot{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("read what is known: %w", err)
	}
	return s, nil
}
