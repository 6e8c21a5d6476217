package access

import (
	"cmp"
	"maps"
	"slices"

	"github.com/watchbill/watchbill/oncall"
)

// A Reading is what somebody may read of the audit log.
type Reading struct {
	All    bool
	Teams  []oncall.TeamID // whose entries
	Hidden []oncall.TeamID // of which nothing, also where an entry is about another team as well
	People []oncall.UserID // about whom: those of the teams
}

// Reads returns what somebody may read of the audit log: all, or what is of the teams that they manage.
func (m Model) Reads(by oncall.Actor) (r Reading) {
	if by.Operates() || m.May(by, OthersThings, Object{}) == nil {
		return Reading{All: true}
	}
	for _, id := range slices.Sorted(maps.Keys(m.Teams)) {
		on := Object{Team: id}
		if m.May(by, See, on) != nil {
			r.Hidden = append(r.Hidden, id)
		}
		if m.May(by, ReadAudit, on) != nil {
			continue
		}
		r.Teams = append(r.Teams, id)
		t := m.Teams[id]
		r.People = slices.Concat(r.People, t.Members, t.Managers, t.OnCall)
	}
	slices.SortFunc(r.People, cmp.Compare[oncall.UserID])
	r.People = slices.Compact(r.People)
	return r
}

// None reports whether that is nothing at all.
func (r Reading) None() bool { return !r.All && len(r.Teams) == 0 }
