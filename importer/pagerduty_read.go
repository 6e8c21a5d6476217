package importer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// ReadPagerDuty reads saved responses of PagerDuty's API: a file holds one response, or the items
// of several pages. Files may have any name, except those whose contents don't tell what they
// belong to: members-TEAM.json, overrides-SCHEDULE.json. "asked" is the period of the final
// schedules.
func ReadPagerDuty(files map[string][]byte) (in PagerDuty, err error) {
	in.Members, in.Overrides = map[string][]pagerDutyMember{}, map[string][]pagerDutyEntry{}
	in.Swaps, in.Custom = map[string][]pagerDutySwap{}, map[string][]pagerDutyCustom{}
	whole := map[string]bool{} // schedules requested one by one, with their layers
	for _, name := range sortedKeys(files) {
		var answer map[string]json.RawMessage
		if err := json.Unmarshal(files[name], &answer); err != nil {
			return in, fmt.Errorf("%s: %w", name, err)
		}
		of := strings.TrimSuffix(path.Base(name), ".json")
		_, of, _ = strings.Cut(of, "-")
		for key, raw := range answer {
			if err := in.addResponse(key, raw, of, whole); err != nil {
				return in, fmt.Errorf("%s: %s: %w", name, key, err)
			}
		}
	}
	// An object may be in several responses.
	in.Users = uniqueByID(in.Users, func(u pagerDutyUser) string { return u.ID })
	in.Teams = uniqueByID(in.Teams, func(r pagerDutyRef) string { return r.ID })
	in.Policies = uniqueByID(in.Policies, func(p pagerDutyPolicy) string { return p.ID })
	in.Services = uniqueByID(in.Services, func(s pagerDutyService) string { return s.ID })
	in.Schedules = uniqueByID(in.Schedules, func(s pagerDutySchedule) string { return s.ID })
	// Lists have only names; those requested one by one have a time zone.
	slices.SortStableFunc(in.ShiftBased, func(a, b pagerDutyShiftBased) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), -strings.Compare(a.TimeZone, b.TimeZone))
	})
	in.ShiftBased = uniqueByID(in.ShiftBased, func(s pagerDutyShiftBased) string { return s.ID })
	if len(in.Users) == 0 {
		return in, fmt.Errorf("no users are in these files; they should be what GET /users is answered, and /schedules/ID, /escalation_policies and so on")
	}
	return in, nil
}

// addResponse adds the value of a key in a response.
func (in *PagerDuty) addResponse(key string, raw json.RawMessage, of string, whole map[string]bool) error {
	switch key {
	case "users":
		return appendTo(&in.Users, raw)
	case "teams":
		return appendTo(&in.Teams, raw)
	case "escalation_policies":
		return appendTo(&in.Policies, raw)
	case "services":
		return appendTo(&in.Services, raw)
	case "maintenance_windows":
		return appendTo(&in.Maintenance, raw)
	case "members":
		list := in.Members[of]
		defer func() { in.Members[of] = list }()
		return appendTo(&list, raw)
	case "overrides":
		return in.addOverrides(raw, of)
	case "custom_shifts":
		list := in.Custom[of]
		defer func() { in.Custom[of] = list }()
		return appendTo(&list, raw)
	case "schedule":
		var s pagerDutySchedule
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		if s.Type == "schedule_v3" {
			var shiftBased pagerDutyShiftBased
			err := json.Unmarshal(raw, &shiftBased)
			in.ShiftBased = append(in.ShiftBased, shiftBased)
			return err
		}
		in.Schedules = slices.DeleteFunc(in.Schedules, func(o pagerDutySchedule) bool { return o.ID == s.ID })
		in.Schedules = append(in.Schedules, s)
		whole[s.ID] = true
	case "asked":
		return json.Unmarshal(raw, &in.Asked)
	case "shift_based":
		return appendTo(&in.ShiftBased, raw)
	case "schedules":
		var list []pagerDutySchedule
		if err := appendTo(&list, raw); err != nil {
			return err
		}
		for _, s := range list {
			if !whole[s.ID] {
				in.Schedules = append(in.Schedules, s)
			}
		}
	}
	return nil
}

// addOverrides adds overrides, of layers or of shifts.
func (in *PagerDuty) addOverrides(raw json.RawMessage, of string) error {
	var kinds []pagerDutyRef
	if err := appendTo(&kinds, raw); err != nil {
		return err
	}
	if len(kinds) > 0 && kinds[0].Type == "override_shift" {
		list := in.Swaps[of]
		defer func() { in.Swaps[of] = list }()
		return appendTo(&list, raw)
	}
	list := in.Overrides[of]
	defer func() { in.Overrides[of] = list }()
	return appendTo(&list, raw)
}

func appendTo[T any](list *[]T, raw json.RawMessage) error {
	var items []T
	if err := json.Unmarshal(raw, &items); err != nil {
		return err
	}
	*list = append(*list, items...)
	return nil
}

// uniqueByID keeps the first of each id.
func uniqueByID[T any](list []T, id func(T) string) []T {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(t T) bool {
		again := seen[id(t)]
		seen[id(t)] = true
		return again
	})
}

func sortedKeys(files map[string][]byte) []string {
	set := map[string]bool{}
	for name := range files {
		set[name] = true
	}
	return sorted(set)
}
