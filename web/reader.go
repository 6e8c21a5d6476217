package web

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// A reader is the person for whom a page is rendered. Times are in their zone.
type reader struct {
	user oncall.User
	dir  *store.Directory // as visible to them; nil: not signed in
	zone *time.Location
	wall *schedule.Zone
	now  time.Time
	base string
}

// newReader returns a person as a reader.
func (s *server) newReader(dir *store.Directory, id oncall.UserID, now time.Time) reader {
	to := reader{user: dir.Users[id], dir: dir, now: now, base: s.base}
	to.user.ID = id
	name := to.user.TimeZone
	wall, err := schedule.LoadZone(name)
	zone, bad := time.LoadLocation(name)
	if name == "" || err != nil || bad != nil {
		wall, _ = schedule.LoadZone("UTC")
		zone = time.UTC
	}
	to.wall, to.zone = wall, zone
	return to
}

// SignedIn reports whether the reader is signed in.
func (rd reader) SignedIn() bool { return rd.dir != nil }

// Now returns when the page was rendered.
func (rd reader) Now() time.Time { return rd.now }

// Me returns the reader's name.
func (rd reader) Me() string { return rd.Name(rd.user.ID) }

// MyID returns the reader's id.
func (rd reader) MyID() string { return string(rd.user.ID) }

// Zone names the zone of the times.
func (rd reader) Zone() string {
	if rd.zone == nil {
		return "UTC"
	}
	return rd.zone.String()
}

// At returns the address of one of our paths, with the names in it escaped.
func (rd reader) At(parts ...any) string {
	var out strings.Builder
	out.WriteString(rd.base)
	for i, p := range parts {
		if i == 0 {
			fmt.Fprint(&out, p)
			continue
		}
		out.WriteString("/" + url.PathEscape(strings.TrimPrefix(fmt.Sprint(p), "#")))
	}
	return out.String()
}

// Name returns a person's name.
func (rd reader) Name(id oncall.UserID) string {
	if rd.dir == nil {
		return string(id)
	}
	return rd.dir.Name(id)
}

// Names returns several people's names.
func (rd reader) Names(ids []oncall.UserID) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = rd.Name(id)
	}
	return list(names)
}

// Said renders a refusal, with people by name.
func (rd reader) Said(r oncall.Refusal) template.HTML { return renderQuotes(r.Shown(rd.Name)) }

// TeamName returns the name of a team, if the reader may see it.
func (rd reader) TeamName(id oncall.TeamID) string {
	for _, t := range rd.dir.Teams {
		if t.ID == id {
			return t.Name
		}
	}
	return "a private team"
}

// Time renders an instant: "Tue 1 Dec 09:00".
func (rd reader) Time(t time.Time) template.HTML {
	return stamped(t, schedule.Stamp(t, rd.zone))
}

// Clock renders an instant, without the day if that is today.
func (rd reader) Clock(t time.Time) template.HTML {
	if rd.date(t) == rd.date(rd.now) {
		return stamped(t, t.In(rd.zone).Format("15:04"))
	}
	return rd.Time(t)
}

// Seconds renders an instant's time of day, with seconds.
func (rd reader) Seconds(t time.Time) template.HTML {
	return stamped(t, t.In(rd.zone).Format("15:04:05"))
}

// Day formats the day of an instant.
func (rd reader) Day(t time.Time) string { return schedule.Day(t, rd.zone) }

// Ago renders the time since an instant: "5 min ago".
func (rd reader) Ago(t time.Time) template.HTML {
	return stampedTitle(t, formatDuration(rd.now.Sub(t))+" ago", schedule.ZonedStamp(t, rd.zone))
}

// For renders how long something has lasted.
func (rd reader) For(t time.Time) template.HTML {
	return stampedTitle(t, formatDuration(rd.now.Sub(t)), schedule.ZonedStamp(t, rd.zone))
}

// Until renders an end, phrased by how far away it is.
func (rd reader) Until(t time.Time) template.HTML {
	if t.IsZero() {
		return "no end within a year"
	}
	return rd.Clock(t)
}

func (rd reader) date(t time.Time) schedule.Date {
	d, _ := rd.wall.Local(t)
	return d
}

func stamped(t time.Time, shown string) template.HTML {
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `">` + template.HTMLEscapeString(shown) + `</time>`) //nolint:gosec // escaped
}

func stampedTitle(t time.Time, shown, title string) template.HTML {
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `" title="` + template.HTMLEscapeString(title) + `">` + //nolint:gosec // escaped
		template.HTMLEscapeString(shown) + `</time>`)
}

// formatDuration roughly formats a duration: "40 s", "5 min", "3 h 20 min", "4 d".
func formatDuration(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 24*time.Hour && d%time.Hour >= time.Minute:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d d", d/(24*time.Hour))
}

// myTeams returns the teams that the reader belongs to or is on call for, and the others.
func (rd reader) myTeams() (mine, others []oncall.Team) {
	on := map[oncall.TeamID]bool{}
	for _, s := range rd.dir.Schedules {
		for _, role := range s.Roles() {
			if slices.Contains(s.At(rd.now, role), rd.user.ID) {
				on[s.TeamID()] = true
			}
		}
	}
	for _, t := range rd.dir.Teams {
		if on[t.ID] || slices.Contains(rd.dir.Members[t.ID], rd.user.ID) {
			mine = append(mine, t)
		} else {
			others = append(others, t)
		}
	}
	byName := func(a, b oncall.Team) int {
		return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	}
	slices.SortFunc(mine, byName)
	slices.SortFunc(others, byName)
	return mine, others
}

// teamNamed finds a visible team by its name or id.
func (rd reader) teamNamed(name string) (oncall.Team, bool) {
	for _, t := range rd.dir.Teams {
		if strings.EqualFold(t.Name, name) || fmt.Sprint(t.ID) == name {
			return t, true
		}
	}
	return oncall.Team{}, false
}

// colours is the number of colours for people.
const colours = 10

// coloursOf assigns each person a colour derived from their id, so that it is the same on every
// page unless two people on a page would share one.
func coloursOf(people []oncall.UserID) map[oncall.UserID]int {
	out, used := map[oncall.UserID]int{}, map[int]bool{}
	people = slices.Clone(people)
	slices.Sort(people)
	for _, u := range slices.Compact(people) {
		h := fnv.New32a()
		_, _ = h.Write([]byte(u)) // never fails
		if len(used) == colours {
			clear(used)
		}
		i := int(h.Sum32() % colours)
		for used[i] {
			i = (i + 1) % colours
		}
		used[i], out[u] = true, i
	}
	return out
}
