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
			Asked   *asked          `json:"asked"`
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
		if err := in.answered(what, of, answer.Results); err != nil {
			return in, fmt.Errorf("%s: %w", name, err)
		}
	}
	in.Users = once(in.Users, func(u gocUser) string { return u.ID })
	in.Shifts = once(in.Shifts, func(s gocShift) string { return s.ID })
	if len(in.Users) == 0 {
		return in, errors.New("no users are in these files; they should be answers of Grafana OnCall's public API that --save has kept, users.json and so on")
	}
	return in, nil
}

func (in *OnCall) answered(what, of string, raw json.RawMessage) error {
	switch what {
	case "users":
		return more(&in.Users, raw)
	case "teams":
		return more(&in.Teams, raw)
	case "schedules":
		return more(&in.Schedules, raw)
	case "on_call_shifts":
		var list []gocShift
		if err := more(&list, raw); err != nil {
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
		err := more(&list, raw)
		in.Finals[of] = list
		return err
	case "shift_swaps":
		return more(&in.Swaps, raw)
	case "escalation_chains":
		return more(&in.Chains, raw)
	case "escalation_policies":
		return more(&in.Steps, raw)
	case "integrations":
		return more(&in.Integrations, raw)
	case "routes":
		return more(&in.Routes, raw)
	case "personal_notification_rules":
		return more(&in.Rules, raw)
	case "user_groups":
		return more(&in.Groups, raw)
	}
	return nil
}
