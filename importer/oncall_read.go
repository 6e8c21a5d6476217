package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// ReadOnCall reads responses of Grafana OnCall's public API. The file names tell their contents:
// users.json, teams.json, schedules.json, on_call_shifts.json or on_call_shifts-SCHEDULE.json,
// final_shifts-SCHEDULE.json, shift_swaps.json, escalation_chains.json, escalation_policies.json,
// integrations.json, routes.json, personal_notification_rules.json, user_groups.json.
func ReadOnCall(files map[string][]byte) (in OnCall, err error) {
	in.ShiftsOf, in.Finals = map[string][]string{}, map[string][]gocFinal{}
	for _, name := range sortedKeys(files) {
		what, of, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".json"), "-")
		var answer struct {
			Results json.RawMessage `json:"results"`
			Asked   *finalPeriod    `json:"asked"`
		}
		if err := json.Unmarshal(files[name], &answer); err != nil {
			return in, fmt.Errorf("%s: %w", name, err)
		}
		if answer.Asked != nil {
			in.Asked = *answer.Asked
		}
		if len(answer.Results) == 0 {
			continue
		}
		if err := in.addResponse(what, of, answer.Results); err != nil {
			return in, fmt.Errorf("%s: %w", name, err)
		}
	}
	in.Users = uniqueByID(in.Users, func(u gocUser) string { return u.ID })
	in.Shifts = uniqueByID(in.Shifts, func(s gocShift) string { return s.ID })
	if len(in.Users) == 0 {
		return in, errors.New("no users are in these files; they should be answers of Grafana OnCall's public API that --save has kept, users.json and so on")
	}
	return in, nil
}

func (in *OnCall) addResponse(what, of string, raw json.RawMessage) error {
	switch what {
	case "users":
		return appendTo(&in.Users, raw)
	case "teams":
		return appendTo(&in.Teams, raw)
	case "schedules":
		return appendTo(&in.Schedules, raw)
	case "on_call_shifts":
		var list []gocShift
		if err := appendTo(&list, raw); err != nil {
			return err
		}
		in.Shifts = append(in.Shifts, list...)
		for _, s := range list {
			if of != "" && !slices.Contains(in.ShiftsOf[of], s.ID) {
				in.ShiftsOf[of] = append(in.ShiftsOf[of], s.ID)
			}
		}
		return nil
	case "final_shifts":
		list := []gocFinal{}
		err := appendTo(&list, raw)
		in.Finals[of] = list
		return err
	case "shift_swaps":
		return appendTo(&in.Swaps, raw)
	case "escalation_chains":
		return appendTo(&in.Chains, raw)
	case "escalation_policies":
		return appendTo(&in.Steps, raw)
	case "integrations":
		return appendTo(&in.Integrations, raw)
	case "routes":
		return appendTo(&in.Routes, raw)
	case "personal_notification_rules":
		return appendTo(&in.Rules, raw)
	case "user_groups":
		return appendTo(&in.Groups, raw)
	}
	return nil
}
