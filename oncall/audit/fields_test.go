package audit

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// undescribed are the fields of a set-up that the log leaves out, and why.
var undescribed = map[string]string{
	"Setup.Teams[].Admins":                                 "an installation has them as Managers",
	"Setup.Teams[].Admins (one less)":                      "an installation has them as Managers",
	"Setup.Teams[].Admins[]":                               "an installation has them as Managers",
	"Setup.Integrations[].Key":                             "it is secret; that it was replaced has an entry of its own",
	"Setup.Schedules[].Rotations[].Only[].FromDay":         "the test's window has Days instead of days from and to",
	"Setup.Schedules[].Rotations[].Only[].ToDay":           "the test's window has Days instead of days from and to",
	"Setup.Schedules[].Holidays":                           "an installation has them with each rotation",
	"Setup.Teams[].Hours[].FromDay":                        "the test's window has Days instead of days from and to",
	"Setup.Teams[].Hours[].ToDay":                          "the test's window has Days instead of days from and to",
	"Setup.Schedules[].Later[].Rotations[].Only[].FromDay": "the test's window has Days instead of days from and to",
	"Setup.Schedules[].Later[].Rotations[].Only[].ToDay":   "the test's window has Days instead of days from and to",
}

// full returns a set-up with a value in every field.
func full() setup.Setup {
	yes := true
	hours := func() []schedule.Window {
		return []schedule.Window{{Days: []schedule.Weekday{schedule.Monday, schedule.Tuesday}, From: 9 * 60, To: 17 * 60}}
	}
	rotations := func() []setup.Rotation {
		return []setup.Rotation{{
			Name: "week", Role: "secondary", Priority: 3, TimeZone: "Asia/Tokyo", Start: "2026-01-05 09:00", Every: "week", Until: "2027-01-05 09:00",
			Advance: "active", Turns: []setup.Turn{{"ANN"}, {"BO"}}, Only: hours(),
			Holidays: &setup.Holidays{Calendar: "de", Rule: schedule.HolidaysAsk, Days: []string{"2026-12-24 Christmas Eve", "2026-12-31"}},
			Members:  []setup.Member{{User: "ANN", From: schedule.Date{Year: 2026, Month: 1, Day: 2}, Until: schedule.Date{Year: 2027, Month: 1, Day: 2}}},
		}}
	}
	routes := func() []setup.Route {
		return []setup.Route{{
			Name: "night", If: []string{"title is x"}, When: "true", To: "page", Drop: true, Severity: oncall.Low,
			Labels: map[string]string{"a": "b"}, Hold: "5m", Group: &setup.Group{By: []string{"a"}, Window: "5m"}, Shadow: true,
		}}
	}
	return setup.Setup{
		Users: []setup.User{{Name: "Ann", Slack: "ANN", Email: "ann@example.com", TimeZone: "Asia/Tokyo"}},
		Teams: []setup.Team{{
			Name: "payments", Channel: "#payments", Members: []string{"ANN", "BO"}, Topic: true, Owner: oncall.OwnerSlack,
			Managers: []string{"ANN", "BO"}, Admins: []string{"ANN"}, Private: true, Acts: oncall.TeamActs, TimeZone: "Asia/Tokyo", Hours: hours(),
			Fallback: []string{"ANN"}, Policy: "page", Remind: "20m", Digest: "off", IncidentChannel: "high", Updates: []string{"#status"}, TimeOff: "skip", Routes: routes(), ShadowRoutes: true,
		}},
		Schedules: []setup.Schedule{{
			Name: "primary", Team: "payments", TimeZone: "Asia/Tokyo", Rotations: rotations(), Apart: &yes,
			Later:  []setup.Version{{From: "2026-12-07 09:00", Rotations: rotations()}},
			Shifts: []setup.Shift{{Role: "secondary", Start: "2026-12-24 09:00", End: "2026-12-24 18:00", Users: []string{"ANN"}}},
		}},
		Policies: []setup.Policy{{
			Name: "page", Team: "payments", Repeat: 2, Acks: 2, AckTimeout: "30m", AckWait: "5m",
			Steps: []setup.Step{{
				Page: []string{"user ANN"}, Wait: "5m", Repeat: 2, Every: "1m", RoundRobin: "cycle",
				Only: &setup.Condition{Severity: []oncall.Severity{oncall.High}, Hours: "in"},
			}},
		}},
		Integrations: []setup.Integration{{
			Name: "grafana", Team: "payments", Format: "generic", Policy: "page", Key: "0123", Storm: "10",
			Heartbeats: []setup.Heartbeat{{Name: "backup", Every: "1d", Grace: "2h", MaxRuntime: "3h", Severity: oncall.Low}},
			Group:      &setup.Group{By: []string{"service"}, Window: "5m"}, Routes: routes(), ShadowRoutes: true,
			Signed: true, Topics: []string{"arn:aws:sns:eu-central-1:123456789012:alarms", "arn:aws:sns:eu-central-1:123456789012:others"},
			Silence: &setup.Silence{URL: "http://alertmanager:9093", On: []string{"acknowledge", "snooze"}, For: "1h"},
			Mapping: &oncall.Mapping{
				Each: "payload", Title: "t", Body: "b", Severity: "s", Status: "s", DedupKey: "k", Link: "l",
				Labels: map[string]string{"a": "b"}, Details: map[string]string{"a": "b"}, Links: map[string]string{"a": "b"},
			},
		}},
		UserGroups: []setup.UserGroup{{Handle: "oncall", Schedules: []string{"primary"}, Roles: []string{"primary"}, WhenEmpty: "clear", Fallback: "ANN"}},
		Maintenance: []setup.Maintenance{{
			Name: "upgrade", Team: "payments", Integration: "grafana", Only: []string{"service=checkout", "env=prod"}, From: "2026-12-05 22:00", Until: "2026-12-05 23:00",
			TimeZone: "Asia/Tokyo", ExceptCritical: true, Reason: "why",
		}},
	}
}

// installedAs returns an installation with this set-up, filled in only as far as the descriptions
// need.
func installedAs(doc setup.Setup) installation {
	inst := installation{doc: doc, private: map[oncall.TeamID]bool{}, teamOf: map[oncall.ScheduleID]oncall.TeamID{}, by: map[oncall.PolicyID]oncall.TeamID{}}
	for _, u := range doc.Users {
		inst.Users = append(inst.Users, setup.KnownUser{User: oncall.User{ID: u.Slack, Name: u.Name, Email: u.Email, TimeZone: u.TimeZone}})
	}
	inst.Teams = make([]setup.StaffedTeam, len(doc.Teams))
	inst.Schedules = make([]schedule.Definition, len(doc.Schedules))
	inst.Integrations = make([]oncall.Integration, len(doc.Integrations))
	inst.UserGroups = make([]oncall.UserGroup, len(doc.UserGroups))
	for _, p := range doc.Policies {
		var steps []oncall.Step
		for _, st := range p.Steps {
			steps = append(steps, oncall.Step{Targets: make([]oncall.Target, len(st.Page))})
		}
		inst.Policies = append(inst.Policies, oncall.Policy{Steps: steps})
	}
	return inst
}

// A place is a field in a set-up, and how to change it there.
type place struct {
	name   string
	change func(root reflect.Value)
}

// places lists all fields at and below a value. A pointer, a list and a single element are also
// removed.
func places(t *testing.T, name string, v reflect.Value, at func(root reflect.Value) reflect.Value) (all []place) {
	if v.IsZero() && undescribed[name] == "" && v.Kind() != reflect.Struct {
		t.Errorf("%s says nothing in the full set-up: fill it", name)
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			all = append(all, places(t, name+"."+v.Type().Field(i).Name, v.Field(i), func(r reflect.Value) reflect.Value { return at(r).Field(i) })...)
		}
		return all
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		all = append(all, place{name + " (gone)", func(r reflect.Value) { at(r).SetZero() }})
		return append(all, places(t, name, v.Elem(), func(r reflect.Value) reflect.Value { return at(r).Elem() })...)
	case reflect.Slice:
		if v.Len() == 0 {
			return nil
		}
		all = append(all, place{name + " (one less)", func(r reflect.Value) { at(r).SetLen(v.Len() - 1) }})
		return append(all, places(t, name+"[]", v.Index(0), func(r reflect.Value) reflect.Value { return at(r).Index(0) })...)
	case reflect.Map:
		return []place{
			{name + " (one less)", func(r reflect.Value) { at(r).SetMapIndex(reflect.ValueOf("a"), reflect.Value{}) }},
			{name + "[]", func(r reflect.Value) { at(r).SetMapIndex(reflect.ValueOf("a"), reflect.ValueOf("c")) }},
		}
	case reflect.String:
		return []place{{name, func(r reflect.Value) { at(r).SetString(at(r).String() + "9") }}}
	case reflect.Bool:
		return []place{{name, func(r reflect.Value) { at(r).SetBool(!at(r).Bool()) }}}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return []place{{name, func(r reflect.Value) { at(r).SetInt(at(r).Int() + 1) }}}
	default:
		t.Errorf("%s is a %s, which this test can't change", name, v.Kind())
		return nil
	}
}

// Every field of a set-up file makes an entry when it changes, so that no new field is forgotten.
func TestEveryFieldOfASetupIsRecorded(t *testing.T) {
	t.Parallel()
	tell := func(doc setup.Setup) string {
		x := installedAs(doc)
		var lines []string
		for _, things := range [][]thing{x.persons(), x.teams(), x.schedules(), x.policies(), x.integrations(), x.groups(), x.maintenance()} {
			lines = append(lines, describe(compare("thing", nil, things))...)
			for _, one := range things {
				for _, f := range one.says {
					lines = append(lines, f.whole)
				}
			}
		}
		return fmt.Sprint(lines)
	}
	doc := full()
	all := places(t, "Setup", reflect.ValueOf(doc), func(r reflect.Value) reflect.Value { return r })
	if len(all) < 80 {
		t.Errorf("found %d fields only, want at least 80", len(all))
	}
	was := tell(full())
	for _, p := range all {
		changed := full()
		p.change(reflect.ValueOf(&changed).Elem())
		if (tell(changed) == was) != (undescribed[p.name] != "") {
			t.Errorf("%s: told %v, and the reason why not is %q", p.name, tell(changed) != was, undescribed[p.name])
		}
	}
}
