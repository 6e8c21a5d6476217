package rest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A pdOnCall is a person on call at a level of an escalation policy.
type pdOnCall struct {
	User     any     `json:"user"`
	Schedule any     `json:"schedule"` // null if the policy names the person
	Policy   any     `json:"escalation_policy"`
	Level    int     `json:"escalation_level"`
	Start    *string `json:"start"` // null: always
	End      *string `json:"end"`

	who  oncall.UserID
	from time.Time
}

func (s *server) pdOnCalls(f *dialectRequest) (dialectResponse, error) {
	since, until := f.query.Get("since"), f.query.Get("until")
	from, to, err := f.span(0)
	if err != nil {
		return dialectResponse{}, err
	}
	if f.Directory, err = s.Store.DirectoryAt(f.ctx(), f.caller.by, f.Directory, from); err != nil {
		return dialectResponse{}, err
	}
	now := since == "" && until == ""
	all := []pdOnCall{}
	for _, p := range f.policies() {
		if !f.has("escalation_policy_ids", pdNumber(p.ID)) {
			continue
		}
		for level, step := range p.Steps {
			for _, t := range step.Targets {
				all = append(all, f.pdOnCallsOf(p, level+1, t, from, to, now)...)
			}
		}
	}
	if f.query.Get("earliest") == "true" {
		all = earliest(all)
	}
	return pdPage(f, "oncalls", all)
}

// pdOnCallsOf returns the people that a target means during a stretch of time, or now.
func (dr *dialectRequest) pdOnCallsOf(p oncall.Policy, level int, t oncall.Target, from, to time.Time, now bool) []pdOnCall {
	var out []pdOnCall
	add := func(u oncall.UserID, is *schedule.Schedule, start, end *time.Time) {
		o := pdOnCall{User: dr.pdUserRef(u), Policy: *dr.pdPolicyRef(p.ID), Level: level, Start: dr.stamp(start), End: dr.stamp(end), who: u}
		if !dr.has("user_ids", string(u)) {
			return
		}
		if dr.includes("users") {
			o.User = dr.pdUser(u)
		}
		if dr.includes("escalation_policies") {
			o.Policy = dr.pdPolicy(p)
		}
		if is != nil {
			o.Schedule, o.from = dr.pdReference("schedule", pdNumber(is.ID()), is.Name()), *start
			if dr.includes("schedules") {
				o.Schedule = dr.pdSchedule(is)
			}
		}
		out = append(out, o)
	}
	is, known := dr.Schedule(t.Schedule)
	if !known {
		if len(dr.list("schedule_ids")) == 0 {
			for _, u := range dr.always(t) {
				add(u, nil, nil, nil)
			}
		}
		return out
	}
	if !dr.has("schedule_ids", pdNumber(is.ID())) || t.Which != oncall.OnCallNow {
		return out
	}
	for _, shift := range dr.onDuty(is, t.Role, from, to, now) {
		for _, u := range shift.Users {
			add(u, is, &shift.Start, &shift.End)
		}
	}
	return out
}

// onDuty returns the shifts of a schedule, of one role or of all but shadow. Current shifts have
// their true beginning and end.
func (dr *dialectRequest) onDuty(is *schedule.Schedule, role string, from, to time.Time, now bool) []schedule.Shift {
	meant := func(r string) bool { return r == role || role == "" && r != schedule.RoleShadow }
	var out []schedule.Shift
	if now {
		for _, d := range is.Who(from) {
			if meant(d.Role) {
				out = append(out, schedule.Shift{Start: d.Since, End: d.Until, Users: d.Users})
			}
		}
		return out
	}
	for _, r := range is.Roles() {
		if meant(r) {
			out = append(out, is.Shifts(from, to, r)...)
		}
	}
	return out
}

// earliest keeps the first entry of each person, policy and level.
func earliest(all []pdOnCall) []pdOnCall {
	slices.SortStableFunc(all, func(a, b pdOnCall) int { return a.from.Compare(b.from) })
	seen := map[string]bool{}
	all = slices.DeleteFunc(all, func(o pdOnCall) bool {
		key := fmt.Sprintf("%s %v %d", o.who, o.Policy, o.Level)
		was := seen[key]
		seen[key] = true
		return was
	})
	slices.SortStableFunc(all, func(a, b pdOnCall) int { return cmp.Compare(a.Level, b.Level) })
	return all
}
