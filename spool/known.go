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

// Known is what is remembered of the set-up for when the database is away. It is kept beside the spool: keys as
// hashes, and addresses encrypted.
type Known struct {
	At       time.Time                                   `json:"at"` // when the database was asked
	Keys     map[string]knownKey                         `json:"keys"`
	Teams    map[oncall.TeamID]string                    `json:"teams"`
	Watches  map[oncall.PolicyID][]oncall.OutageContact  `json:"watches"`
	Contacts map[oncall.UserID][]knownContact            `json:"contacts"`
	Sources  map[oncall.IntegrationID]oncall.Integration `json:"integrations"`
	Admins   []string                                    `json:"admins"` // of the installation, by Slack id

	Routes      []route.Definition   `json:"routes,omitempty"` // lists of rules that aren't empty
	Maintenance []oncall.Maintenance `json:"maintenance,omitempty"`

	compiling sync.Once
	lists     map[oncall.RouteOwner]*route.List
	windows   []oncall.Maintenance
}

type knownKey struct {
	Integration oncall.IntegrationID `json:"integration"`
	Until       time.Time            `json:"until,omitzero"`
}

// A knownContact is one of a person's notification rules.
type knownContact struct {
	Method  oncall.Method  `json:"method"`
	Address string         `json:"address,omitempty"` // encrypted
	After   oncall.Seconds `json:"after,omitempty"`
}

// KnowledgeOf is what is to be remembered. Without a secret nobody's address is.
func KnowledgeOf(dir *store.Directory, secrets []oncall.Secret, now time.Time) *Known {
	k := &Known{
		At: now, Keys: map[string]knownKey{}, Teams: map[oncall.TeamID]string{}, Watches: map[oncall.PolicyID][]oncall.OutageContact{},
		Contacts: map[oncall.UserID][]knownContact{}, Sources: map[oncall.IntegrationID]oncall.Integration{}, Admins: dir.InstallationAdmins(),
	}
	for _, key := range dir.Keys() {
		k.Keys[hex.EncodeToString(key.Hash[:])] = knownKey{key.Integration.ID, key.Until}
	}
	facts := dir.Facts()
	for _, l := range dir.Lists() {
		k.Routes = append(k.Routes, l.Definition)
	}
	k.Maintenance = dir.Maintenance
	for _, in := range dir.Integrations {
		k.Sources[in.ID] = in
		if team, found := dir.Team(in.TeamID); found {
			k.Teams[in.TeamID] = team.Name
		}
		for _, policy := range dir.RoutedTo(in.ID) {
			if k.Watches[policy] == nil && !facts.Policies[policy].Removed {
				k.Watches[policy] = facts.OutageContacts(policy, now, now.Add(oncall.OutageContactsAhead))
			}
		}
	}
	for _, watches := range k.Watches {
		for _, w := range watches {
			for _, user := range w.Users {
				if k.Contacts[user] == nil {
					k.Contacts[user] = contactsOf(dir.ContactSettings[user], secrets)
				}
			}
		}
	}
	return k
}

// contactsOf are somebody's notification rules for what is urgent, each contact method once.
func contactsOf(reach oncall.ContactSettings, secrets []oncall.Secret) []knownContact {
	var out []knownContact
	for _, rule := range reach.Rules(false) {
		c, found := reach.Contact(rule.Contact)
		known := knownContact{Method: c.Method, After: rule.After}
		switch {
		case !found || !c.Usable():
			continue
		case rule.Contact != 0 && len(secrets) == 0:
			continue
		case rule.Contact != 0:
			known.Address = secrets[0].Seal(c.Address)
		}
		if !slices.ContainsFunc(out, func(o knownContact) bool { return o.Method == known.Method && o.Address == known.Address }) {
			out = append(out, known)
		}
	}
	if len(out) == 0 {
		out = append(out, knownContact{Method: oncall.MethodSlack})
	}
	return out
}

// Integration returns whose a key is.
func (k *Known) Integration(key string, now time.Time) (oncall.Integration, bool) {
	if k == nil {
		return oncall.Integration{}, false
	}
	hash := sha256.Sum256([]byte(key))
	found, known := k.Keys[hex.EncodeToString(hash[:])]
	if !known || !found.Until.IsZero() && !now.Before(found.Until) {
		return oncall.Integration{}, false
	}
	in, known := k.Sources[found.Integration]
	return in, known
}

// onCall is whom a policy pages first, as far as is known.
func (k *Known) onCall(policy oncall.PolicyID, now time.Time) []oncall.UserID {
	var users []oncall.UserID
	for i, w := range k.Watches[policy] {
		if i == 0 || !w.From.After(now) {
			users = w.Users
		}
	}
	return users
}

// save writes it to the disk, whole or not at all.
func (k *Known) save(dir string) error {
	text, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("keep what is known: %w", err)
	}
	f, err := os.CreateTemp(dir, ".known-*") // with mode 0600
	if err != nil {
		return fmt.Errorf("keep what is known: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, knownFile))
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it is of no use
		return fmt.Errorf("keep what is known: %w", err)
	}
	return nil
}

// loadKnown reads what was known; nil: nothing.
func loadKnown(dir string) (*Known, error) {
	text, err := os.ReadFile(filepath.Join(dir, knownFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // nothing is known, and that is no error
	}
	if err != nil {
		return nil, fmt.Errorf("read what is known: %w", err)
	}
	k := &Known{}
	if err := json.Unmarshal(text, k); err != nil {
		return nil, fmt.Errorf("read what is known: %w", err)
	}
	return k, nil
}
