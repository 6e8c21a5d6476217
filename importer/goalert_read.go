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
			Asked *finalPeriod               `json:"asked"`
		}
		if err := json.Unmarshal(files[name], &answer); err != nil {
			return in, fmt.Errorf("%s: %w", name, err)
		}
		if answer.Asked != nil {
			in.Asked = *answer.Asked
		}
		for key, raw := range answer.Data {
			if err := in.addResponse(key, raw); err != nil {
				return in, fmt.Errorf("%s: %s: %w", name, key, err)
			}
		}
	}
	in.Users = uniqueByID(in.Users, func(u gaUser) string { return u.ID })
	in.Schedules = uniqueByID(in.Schedules, func(s gaSchedule) string { return s.ID })
	in.Rotations = uniqueByID(in.Rotations, func(r gaRotation) string { return r.ID })
	in.Overrides = uniqueByID(in.Overrides, func(o gaOverride) string { return o.ID })
	in.Policies = uniqueByID(in.Policies, func(p gaPolicy) string { return p.ID })
	in.Services = uniqueByID(in.Services, func(s gaService) string { return s.ID })
	if len(in.Users) == 0 {
		return in, errors.New("no users are in these files; they should be what GoAlert answers to the query that watchbill import goalert --print-query prints")
	}
	return in, nil
}

func (in *GoAlert) addResponse(key string, raw json.RawMessage) error {
	var list struct {
		Nodes json.RawMessage `json:"nodes"`
	}
	if err := json.Unmarshal(raw, &list); err != nil || len(list.Nodes) == 0 {
		return err
	}
	switch key {
	case "users":
		return appendTo(&in.Users, list.Nodes)
	case "schedules":
		return appendTo(&in.Schedules, list.Nodes)
	case "rotations":
		return appendTo(&in.Rotations, list.Nodes)
	case "userOverrides":
		return appendTo(&in.Overrides, list.Nodes)
	case "escalationPolicies":
		return appendTo(&in.Policies, list.Nodes)
	case "services":
		return appendTo(&in.Services, list.Nodes)
	}
	return nil
}
