package store

import (
	"github.com/watchbill/watchbill/oncall"
)

// Name returns a person's name, or else their id.
func (d *Directory) Name(id oncall.UserID) string {
	if name := d.Users[id].Name; name != "" {
		return name
	}
	return string(id)
}

// maxWatchers is how many people are told of problems of the whole installation.
const maxWatchers = 20

// InstallationAdmins returns the admins of the installation, who are told of problems that only they can fix.
func (d *Directory) InstallationAdmins() []string {
	var to []string
	for _, id := range d.access.AdminIDs() {
		to = append(to, string(id))
	}
	return to[:min(len(to), maxWatchers)]
}

// withWatchers returns a person and the watchers of their teams.
func (d *Directory) withWatchers(user oncall.UserID) []string {
	to := []string{string(user)}
	seen := map[string]bool{string(user): true}
	for _, t := range d.Teams {
		for _, member := range d.Members[t.ID] {
			if member != user {
				continue
			}
			for _, who := range d.Watchers(t.ID) {
				if !seen[who] {
					seen[who] = true
					to = append(to, who)
				}
			}
		}
	}
	return to
}
