package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Definition is everything stored about a schedule: the facts from which every answer, past or
// future, follows.
type Definition struct {
	ID        ID                `json:"id"`
	TeamID    TeamID            `json:"team_id"`
	Name      string            `json:"name"`
	TimeZone  string            `json:"timezone"` // the default of its rotations
	Versions  []Version         `json:"versions"`
	Overrides []Override        `json:"overrides,omitempty"`
	Shifts    []ManualShift     `json:"shifts,omitempty"`   // entered by hand; they add to the rotations, below the overrides
	Inactive  map[UserID][]Span `json:"inactive,omitempty"` // when people are away; nobody fills in for them
	Apart     bool              `json:"apart,omitempty"`    // refuse manual shifts of one role that overlap
}

// A Version is the rotations in force from an instant until the next version begins. An edit adds a
// version, so it never changes the past. The rotations are stored as JSON.
type Version struct {
	ID            int64      `json:"id,omitempty"`
	EffectiveFrom *time.Time `json:"effective_from"` // nil: from the beginning
	Rotations     []Rotation `json:"rotations"`
	Note          string     `json:"note,omitempty"`
	CreatedBy     UserID     `json:"created_by,omitempty"`
	CreatedAt     time.Time  `json:"created_at,omitzero"`
}

// A Span is half-open; without End it never ends.
type Span struct {
	Start time.Time  `json:"start"`
	End   *time.Time `json:"end"`
}

// Schedule is a compiled schedule. It is immutable, so it is safe for concurrent use.
type Schedule struct {
	id       ID
	teamID   TeamID
	name     string
	timeZone string
	lines    []line
}

// ID returns the schedule's id.
func (s *Schedule) ID() ID { return s.id }

// TeamID returns the team that the schedule belongs to.
func (s *Schedule) TeamID() TeamID { return s.teamID }

// Name returns the schedule's name.
func (s *Schedule) Name() string { return s.name }

// TimeZone returns the schedule's own time zone.
func (s *Schedule) TimeZone() string { return s.timeZone }

// A line is one role of a schedule; lines are independent of each other.
type line struct {
	role     string
	versions []version

	// Between cuts[i] and the next cut, the ops acting[i] apply, in this order.
	ops    []op
	cuts   []int64
	acting [][]int32
}

// A version is the rotations of one role, highest priority first.
type version struct {
	from   int64
	layers []layer
}

// maxLayers is how many rotations of one role a version may have, since a trace has one bit for
// each.
const maxLayers = 64

// Compile checks and compiles a schedule. An error is a Refusal that names the rotation or override
// and the field.
func Compile(definition Definition) (*Schedule, error) {
	away := compilePeople(definition.Inactive)
	ops, err := compileOps(definition, away)
	if err != nil {
		return nil, err
	}
	compiled := &Schedule{id: definition.ID, teamID: definition.TeamID, name: definition.Name, timeZone: definition.TimeZone}
	for _, role := range rolesOf(definition, ops) {
		compiled.lines = append(compiled.lines, line{role: role, versions: []version{{from: ever}}})
	}
	versions := slices.Clone(definition.Versions)
	slices.SortStableFunc(versions, func(a, b Version) int { return cmp.Compare(a.Begins(), b.Begins()) })
	for _, v := range versions {
		if err := compiled.addVersion(v, definition.TimeZone, away); err != nil {
			return nil, err
		}
	}
	for i := range compiled.lines {
		compiled.lines[i].index(ops)
	}
	return compiled, nil
}

// Begins returns the version's first instant.
func (v Version) Begins() int64 {
	if v.EffectiveFrom == nil {
		return ever
	}
	return nanos(*v.EffectiveFrom)
}

// rolesOf lists every role that anybody can have; RolePrimary is always one.
func rolesOf(s Definition, ops []op) []string {
	roles := []string{RolePrimary}
	add := func(role string) {
		if role != "" && !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	for _, v := range s.Versions {
		for _, r := range v.Rotations {
			add(r.Role)
		}
	}
	for _, o := range ops {
		add(o.role)
	}
	return roles
}

func (s *Schedule) addVersion(v Version, defaultZone string, away people) error {
	for i := range s.lines {
		s.lines[i].versions = append(s.lines[i].versions, version{from: v.Begins()})
	}
	for i, r := range v.Rotations {
		y, err := compileLayer(r, defaultZone, away)
		if err != nil {
			name := fmt.Sprintf("%q", r.Name)
			if r.Name == "" {
				name = fmt.Sprint(i + 1)
			}
			return Refuse("Rotation %s, %s.", name, err)
		}
		line := s.line(r.Role)
		last := &line.versions[len(line.versions)-1]
		if len(last.layers) == maxLayers {
			return Refuse("There are more than %d rotations for role %q.", maxLayers, line.role)
		}
		last.layers = append(last.layers, y)
	}
	for i := range s.lines {
		layers := s.lines[i].versions[len(s.lines[i].versions)-1].layers
		slices.SortStableFunc(layers, func(a, b layer) int { return cmp.Compare(b.priority, a.priority) })
	}
	return nil
}

// line returns a role's line; nil if nobody can have the role.
func (s *Schedule) line(role string) *line {
	role = roleName(role)
	for i := range s.lines {
		if s.lines[i].role == role {
			return &s.lines[i]
		}
	}
	return nil
}

// compileOps returns the ops of overrides and manual shifts, in the order in which they apply.
func compileOps(definition Definition, away people) ([]op, error) {
	var ops []op
	for i, shift := range definition.Shifts {
		o, err := compileShift(shift, fmt.Sprintf("Shift %d", i+1), away)
		if err != nil {
			return nil, err
		}
		ops = append(ops, o)
	}
	for i, o := range definition.Overrides {
		text := fmt.Sprintf("Override %d", o.ID)
		if o.ID == 0 {
			text = fmt.Sprintf("New override %d", i+1)
		}
		made, err := compileOverride(o, definition.TimeZone, text, away)
		if err != nil {
			return nil, err
		}
		ops = append(ops, made...)
	}
	ops = slices.DeleteFunc(ops, func(o op) bool { return o.start >= o.end })
	slices.SortStableFunc(ops, func(a, b op) int { return cmp.Compare(a.order, b.order) })
	return ops, nil
}

// index computes which ops apply between any two cuts.
func (l *line) index(all []op) {
	for _, o := range all {
		if o.role == "" || o.role == l.role {
			l.ops = append(l.ops, o)
		}
	}
	type edge struct {
		at    int64
		op    int32
		begin bool
	}
	edges := make([]edge, 0, 2*len(l.ops))
	for i, o := range l.ops {
		edges = append(edges, edge{o.start, int32(i), true}, edge{o.end, int32(i), false})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	l.cuts, l.acting = []int64{ever}, [][]int32{nil}
	var now []int32 // ascending, which is order of creation
	for i, e := range edges {
		at, _ := slices.BinarySearch(now, e.op)
		if e.begin {
			now = slices.Insert(now, at, e.op)
		} else {
			now = slices.Delete(now, at, at+1)
		}
		if i+1 < len(edges) && edges[i+1].at == e.at {
			continue
		}
		l.cuts, l.acting = append(l.cuts, e.at), append(l.acting, l.visible(now))
	}
}

// visible drops the ops that a later one hides completely.
func (l *line) visible(now []int32) []int32 {
	from := 0
	for i, op := range now {
		if l.ops[op].hides() {
			from = i
		}
	}
	return slices.Clone(now[from:])
}
