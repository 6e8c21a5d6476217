package importer

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ReadGoAlert reads one or more responses to GoAlertQuery, under any file names.
func ReadGoAlert(files map[string][]byte) (in GoAlert, err error) {
	for _, name := range sortedKeys(files) {
		var answer struct {
			Data  map[string]json.RawMessage `json:"data"`
			Asked *asked                     `json:"asked"`
		}
		if err := json.Unmarshal(files[name], &answer); err != nil {
			return in, fmt.Errorf("%s: %w", name, err)
		}
		if answer.Asked != nil {
			in.Asked = *answer.Asked
		}
		for key, raw := range answer.Data {
			if err := in.answered(key, raw); err != nil {
				return in, fmt.Errorf("%s: %s: %w", name, key, err)
			}
		}
	}
	in.Users = once(in.Users, func(u gaUser) string { return u.ID })
	in.Schedules = once(in.Schedules, func(s gaSchedule) string { return s.ID })
	in.Rotations = once(in.Rotations, func(r gaRotation) string { return r.ID })
	in.Overrides = once(in.Overrides, func(o gaOverride) string { return o.ID })
	in.Policies = once(in.Policies, func(p gaPolicy) string { return p.ID })
	in.Services = once(in.Services, func(s gaService) string { return s.ID })
	if len(in.Users) == 0 {
		return in, errors.New("no users are in these files; they should be what GoAlert answers to the query that watchbill import goalert --print-query prints")
	}
	return in, nil
}

func (in *GoAlert) answered(key string, raw json.RawMessage) error {
	var list struct {
		Nodes json.RawMessage `json:"nodes"`
	}
	if err := json.Unmarshal(raw, &list); err != nil || len(list.Nodes) == 0 {
		return err
	}
	switch key {
	case "users":
		return more(&in.Users, list.Nodes)
	case "schedules":
		return more(&in.Schedules, list.Nodes)
	case "rotations":
		return more(&in.Rotations, list.Nodes)
	case "userOverrides":
		return more(&in.Overrides, list.Nodes)
	case "escalationPolicies":
		return more(&in.Policies, list.Nodes)
	case "services":
		return more(&in.Services, list.Nodes)
	}
	return nil
}
