package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// A Preview is what an edit would change.
type Preview struct {
	Made    bool         `json:"made" doc:"It would be new."`
	Changes []string     `json:"changes" doc:"In words, as watchbill apply says it. Nothing would change where it is empty."`
	Details []string     `json:"details,omitempty" doc:"What follows of it, and for whom."`
	Diff    string       `json:"diff" doc:"The thing as the set-up file has it, line by line: those that go begin with -, those that come with +."`
	OnCall  []ShiftMoved `json:"on_call,omitempty" doc:"Of a schedule: where somebody else would be on call in the next four weeks."`
	Warning string       `json:"warning,omitempty" doc:"The team is kept in a set-up file, whose next apply would undo the edit."`
}

// A ShiftMoved is a stretch of time in which somebody else would be on call.
type ShiftMoved struct {
	Role   string    `json:"role"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Before []Person  `json:"before"`
	After  []Person  `json:"after"`
}

// previewPart registers the operation that says what an edit would change, and changes nothing.
func previewPart[In any](s *server, t setupKind, read func(*In) (p setup.Part, name *string, err error)) {
	handle(s, operation{
		method: http.MethodPost, path: t.path + "/{name}/preview", id: "preview-" + string(t.kind), tag: t.tag, summary: "See what an edit of " + t.noun + " would change",
		about: "The body is that of the `PUT`, with the same checks. Nothing is changed.", scope: oncall.ScopeEdit, errors: []int{404, 409, 412},
	}, func(ctx context.Context, c caller, in *struct {
		EditPath
		EditCondition
		Body In
	},
	) (*ObjectResponse[Preview], error) {
		part, name, err := read(&in.Body)
		if err != nil {
			return nil, err
		}
		if *name == "" {
			*name = in.Name
		}
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		doc, err := s.Store.SetupFor(ctx, c.by, c.now)
		if err != nil {
			return nil, err
		}
		done, err := s.Store.EditSetup(ctx, c.by, store.SetupEdit{
			Part: part, Name: in.Name, New: in.IfNoneMatch == "*", IfMatch: in.IfMatch, Formats: s.Formats, Dry: true,
		}, c.now)
		if err != nil {
			return nil, err
		}
		before, _ := doc.Find(t.kind, in.Name)
		return &ObjectResponse[Preview]{v.preview(before, done)}, nil
	})
}

func (v view) preview(before setup.Part, done store.EditedSetup) Preview {
	out := Preview{Made: done.Made, Changes: []string{}, Diff: diff(partLines(before), partLines(done.Part))}
	out.Changes = append(out.Changes, done.Report.Changes...)
	for _, change := range slices.Sorted(maps.Keys(done.Report.Details)) {
		out.Details = append(out.Details, done.Report.Details[change]...)
	}
	if done.ByFile {
		out.Warning = "This team is kept in a set-up file: the next apply would undo this."
	}
	if done.Part.Kind == setup.SchedulePart && done.Report.After != nil {
		find := func(all []*schedule.Schedule) *schedule.Schedule {
			sched, _ := findByName(all, done.Part.Name(), (*schedule.Schedule).Name, func(*schedule.Schedule) int64 { return 0 })
			return sched
		}
		out.OnCall = v.moved(find(v.Schedules), find(done.Report.After.Schedules))
	}
	return out
}

// moved returns the shifts in which two versions of a schedule differ; either version may be nil.
func (v view) moved(was, sched *schedule.Schedule) []ShiftMoved {
	from := v.caller.now
	to := from.Add(spanUsual)
	var roles []string
	for _, one := range []*schedule.Schedule{was, sched} {
		if one != nil {
			roles = append(roles, one.Roles()...)
		}
	}
	slices.Sort(roles)
	var out []ShiftMoved
	for _, role := range slices.Compact(roles) {
		var edges []time.Time
		who := [2][]schedule.Shift{}
		for i, one := range []*schedule.Schedule{was, sched} {
			if one == nil {
				continue
			}
			who[i] = one.Shifts(from, to, role)
			for _, shift := range who[i] {
				edges = append(edges, later(shift.Start, from), shift.End)
			}
		}
		slices.SortFunc(edges, time.Time.Compare)
		edges = slices.CompactFunc(edges, time.Time.Equal)
		for i := 0; i+1 < len(edges) && edges[i].Before(to); i++ {
			a, b := usersAt(who[0], edges[i]), usersAt(who[1], edges[i])
			if slices.Equal(a, b) {
				continue
			}
			next := ShiftMoved{Role: role, Start: edges[i], End: edges[i+1], Before: v.people(a), After: v.people(b)}
			if n := len(out) - 1; n >= 0 && out[n].Role == role && out[n].End.Equal(next.Start) && slices.Equal(out[n].Before, next.Before) && slices.Equal(out[n].After, next.After) {
				out[n].End = next.End
				continue
			}
			out = append(out, next)
		}
	}
	return out
}

// usersAt returns who is on call at an instant, in the order of their ids.
func usersAt(shifts []schedule.Shift, at time.Time) []oncall.UserID {
	for _, s := range shifts {
		if !at.Before(s.Start) && at.Before(s.End) {
			return slices.Sorted(slices.Values(s.Users))
		}
	}
	return nil
}

// partLines returns the lines of a part as JSON, or none if it doesn't exist.
func partLines(part setup.Part) []string {
	var thing any
	switch {
	case part.Team != nil:
		thing = part.Team
	case part.Schedule != nil:
		thing = part.Schedule
	case part.Policy != nil:
		thing = part.Policy
	case part.Integration != nil:
		thing = part.Integration
	default:
		return nil
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(thing); err != nil {
		return []string{fmt.Sprint(err)} // of types that always can
	}
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
}

// maxCompared is how many pairs of lines are compared; of what is longer all lines go and come.
const maxCompared = 4 << 20

// diff returns the changes between two lists of lines, by their longest common subsequence.
func diff(before, after []string) string {
	if slices.Equal(before, after) {
		return ""
	}
	n, m := len(before), len(after)
	common := make([][]int32, n+1) // of what begins at these lines
	if n*m > maxCompared {
		return "-" + strings.Join(before, "\n-") + "\n+" + strings.Join(after, "\n+") + "\n"
	}
	for i := range common {
		common[i] = make([]int32, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if before[i] == after[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out strings.Builder
	for i, j := 0, 0; i < n || j < m; {
		switch {
		case i < n && j < m && before[i] == after[j]:
			out.WriteString(" " + before[i] + "\n")
			i, j = i+1, j+1
		case i < n && (j == m || common[i+1][j] >= common[i][j+1]):
			out.WriteString("-" + before[i] + "\n")
			i++
		default:
			out.WriteString("+" + after[j] + "\n")
			j++
		}
	}
	return out.String()
}
