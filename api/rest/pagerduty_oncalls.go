package rest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A pagerDutyOnCall is a person on call at a level of an escalation policy.
type pagerDutyOnCall struct {
	User     any     `json:"user"`
	Schedule any     `json:"schedule"` // null if the policy names the person
	Policy   any     `json:"escalation_policy"`
	Level    int     `json:"escalation_level"`
	Start    *string `json:"start"` // null: always
	End      *string `json:"end"`

	who  oncall.UserID
	from time.Time
}

func (s *server) pagerDutyOnCalls(f *dialectRequest) (dialectResponse, error) {
	since, until := f.query.Get("since"), f.query.Get("until")
	from, to, err := f.span(0)
	if err != nil {
		return dialectResponse{}, err
	}
	if f.Directory, err = s.Store.DirectoryAt(f.ctx(), f.caller.by, f.Directory, from); err != nil {
		return dialectResponse{}, err
	}
	now := since == "" && until == ""
	all := []pagerDutyOnCall{}
	for _, p := range f.policies() {
		if !f.has("escalation_policy_ids", pagerDutyNumber(p.ID)) {
			continue
		}
		for level, step := range p.Steps {
			for _, t := range step.Targets {
				all = append(all, f.pagerDutyOnCallsOf(p, level+1, t, from, to, now)...)
			}
		}
	}
	if f.query.Get("earliest") == "true" {
		all = earliest(all)
	}
	return pagerDutyPage(f, "oncalls", all)
}

// pagerDutyOnCallsOf returns the people that a target means during a stretch of time, or now.
func (dr *dialectRequest) pagerDutyOnCallsOf(policy oncall.Policy, level int, target oncall.Target, from, to time.Time, now bool) []pagerDutyOnCall {
	var out []pagerDutyOnCall
	add := func(u oncall.UserID, sched *schedule.Schedule, start, end *time.Time) {
		o := pagerDutyOnCall{User: dr.pagerDutyUserRef(u), Policy: *dr.pagerDutyPolicyRef(policy.ID), Level: level, Start: dr.stamp(start), End: dr.stamp(end), who: u}
		if !dr.has("user_ids", string(u)) {
			return
		}
		if dr.includes("users") {
			o.User = dr.pagerDutyUser(u)
		}
		if dr.includes("escalation_policies") {
			o.Policy = dr.pagerDutyPolicy(policy)
		}
		if sched != nil {
			o.Schedule, o.from = dr.pagerDutyReference("schedule", pagerDutyNumber(sched.ID()), sched.Name()), *start
			if dr.includes("schedules") {
				o.Schedule = dr.pagerDutySchedule(sched)
			}
		}
		out = append(out, o)
	}
	sched, known := dr.Schedule(target.Schedule)
	if !known {
		if len(dr.list("schedule_ids")) == 0 {
			for _, u := range dr.always(target) {
				add(u, nil, nil, nil)
			}
		}
		return out
	}
	if !dr.has("schedule_ids", pagerDutyNumber(sched.ID())) || target.Which != oncall.OnCallNow {
		return out
	}
	for _, shift := range dr.onDuty(sched, target.Role, from, to, now) {
		for _, u := range shift.Users {
			add(u, sched, &shift.Start, &shift.End)
		}
	}
	return out
}

// onDuty returns the shifts of a schedule, of one role or of all but shadow. Current shifts have
// their true beginning and end.
func (dr *dialectRequest) onDuty(sched *schedule.Schedule, role string, from, to time.Time, now bool) []schedule.Shift {
	meant := func(r string) bool { return r == role || role == "" && r != schedule.RoleShadow }
	var out []schedule.Shift
	if now {
		for _, d := range sched.Who(from) {
			if meant(d.Role) {
				out = append(out, schedule.Shift{Start: d.Since, End: d.Until, Users: d.Users})
			}
		}
		return out
	}
	for _, r := range sched.Roles() {
		if meant(r) {
			out = append(out, sched.Shifts(from, to, r)...)
		}
	}
	return out
}

// earliest keeps the first entry of each person, policy and level.
func earliest(all []pagerDutyOnCall) []pagerDutyOnCall {
	slices.SortStableFunc(all, func(a, b pagerDutyOnCall) int { return a.from.Compare(b.from) })
	seen := map[string]bool{}
	all = slices.DeleteFunc(all, func(o pagerDutyOnCall) bool {
		key := fmt.Sprintf("%s %v %d", o.who, o.Policy, o.Level)
		was := seen[key]
		seen[key] = true
		return was
	})
	slices.SortStableFunc(all, func(a, b pagerDutyOnCall) int { return cmp.Compare(a.Level, b.Level) })
	return all
}
