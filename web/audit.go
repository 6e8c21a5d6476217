package web

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// An auditPage lists who changed what.
type auditPage struct {
	Kind, Team, Since string
	Kinds             []audit.Kind
	Teams             []oncall.Team
	Days              []auditDay
	Older             string
	Newest            string
	Problem           string
}

type auditDay struct {
	Day     string
	Entries []auditLine
}

type auditLine struct {
	At      time.Time
	Who     string
	What    string
	Way     string
	Changes []string
}

const entriesShown = 100

// audit returns the audit log, newest first.
func (v *visit) audit() (page, error) {
	q := v.r.URL.Query()
	mine, others := v.myTeams()
	p := auditPage{Kind: q.Get("kind"), Team: q.Get("team"), Since: q.Get("since"), Kinds: audit.Kinds(), Teams: slices.Concat(mine, others)}
	filter := store.AuditFilter{Limit: entriesShown}
	if kind, known := audit.ParseKind(p.Kind); known {
		filter.Kind = kind
	}
	if p.Team != "" {
		t, known := v.teamNamed(p.Team)
		if !known {
			return page{}, oncall.ErrNotFound
		}
		filter.Team = t.ID
	}
	if p.Since != "" {
		day, err := schedule.ParseDate(p.Since)
		if err != nil {
			p.Problem = "A day is written like 2026-11-30."
		} else {
			filter.Since = v.wall.Instant(day, 0)
		}
	}
	if before, err := strconv.ParseInt(q.Get("before"), 10, 64); err == nil && before > 0 {
		filter.Before, p.Newest = before, p.query(0)
	}
	found, more, err := v.Store.History(v.ctx, v.by, filter)
	if err != nil {
		return page{}, err
	}
	if more {
		p.Older = p.query(found[len(found)-1].ID)
	}
	for _, e := range found {
		day := v.Day(e.At)
		if n := len(p.Days); n == 0 || p.Days[n-1].Day != day {
			p.Days = append(p.Days, auditDay{Day: day})
		}
		one := auditLine{At: e.At, Who: e.By.Shown(v.Name), What: e.Sentence().Shown(v.Name), Way: e.Way()}
		for _, c := range e.Changes {
			one.Changes = append(one.Changes, c.In(v.zone).Sentence().Shown(v.Name))
		}
		last := &p.Days[len(p.Days)-1]
		last.Entries = append(last.Entries, one)
	}
	return page{name: "audit", title: "Audit log", tab: "audit", data: p}, nil
}

func (p auditPage) query(before int64) string {
	q := url.Values{}
	for name, value := range map[string]string{"kind": p.Kind, "team": p.Team, "since": p.Since} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if before != 0 {
		q.Set("before", strconv.FormatInt(before, 10))
	}
	return "?" + q.Encode()
}
