package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// ReadOpsgenie reads responses of Opsgenie's API, whose file names tell their contents (users.json,
// team-ID.json, routing-TEAM.json, schedules.json, overrides-SCHEDULE.json, timeline-SCHEDULE.json,
// escalations.json, integrations.json, heartbeats.json), or the folders of its backup tool
// (users/NAME-ID.json and so on).
func ReadOpsgenie(files map[string][]byte) (in Opsgenie, err error) {
	in.Routing, in.Overrides, in.Timelines = map[string][]opsgenieRouting{}, map[string][]opsgenieOverride{}, map[string][]opsgeniePeriod{}
	for _, name := range sortedKeys(files) {
		folder := path.Base(path.Dir(name))
		what, of, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".json"), "-")
		switch folder {
		case "users", "teams", "schedules", "escalations", "integrations":
			err = in.addBackup(folder, files[name])
		default:
			var answer struct {
				Data  json.RawMessage `json:"data"`
				Asked *finalPeriod    `json:"asked"`
			}
			if err = json.Unmarshal(files[name], &answer); err == nil {
				if answer.Asked != nil {
					in.Asked = *answer.Asked
				}
				err = in.addResponse(what, of, answer.Data)
			}
		}
		if err != nil {
			return in, fmt.Errorf("%s: %w", name, err)
		}
	}
	in.Users = uniqueByID(in.Users, func(u opsgenieUser) string { return u.ID })
	in.Schedules = uniqueByID(in.Schedules, func(s opsgenieSchedule) string { return s.ID })
	in.Escalations = uniqueByID(in.Escalations, func(e opsgenieEscalation) string { return e.ID })
	slices.Reverse(in.Teams) // teams requested one by one come later, and have members
	in.Teams = uniqueByID(in.Teams, func(t opsgenieTeam) string { return t.ID })
	slices.Reverse(in.Teams)
	if len(in.Users) == 0 {
		return in, errors.New("no users are in these files; they should be answers of Opsgenie's API that --save has kept, or a folder of its backup tool")
	}
	return in, nil
}

// addResponse adds a response of the API.
func (in *Opsgenie) addResponse(what, of string, data json.RawMessage) error {
	if len(data) == 0 {
		return nil
	}
	switch what {
	case "users":
		return appendTo(&in.Users, data)
	case "teams":
		return appendTo(&in.Teams, data)
	case "team":
		var t opsgenieTeam
		err := json.Unmarshal(data, &t)
		in.Teams = append(in.Teams, t)
		return err
	case "routing":
		var list []opsgenieRouting
		err := appendTo(&list, data)
		in.Routing[of] = list
		return err
	case "schedules":
		return appendTo(&in.Schedules, data)
	case "overrides":
		var list []opsgenieOverride
		err := appendTo(&list, data)
		in.Overrides[of] = list
		return err
	case "timeline":
		var t struct {
			Final struct {
				Rotations []struct {
					Periods []opsgeniePeriod `json:"periods"`
				} `json:"rotations"`
			} `json:"finalTimeline"`
		}
		err := json.Unmarshal(data, &t)
		periods := []opsgeniePeriod{}
		for _, r := range t.Final.Rotations {
			periods = append(periods, r.Periods...)
		}
		in.Timelines[of] = periods
		return err
	case "escalations":
		return appendTo(&in.Escalations, data)
	case "integrations":
		return appendTo(&in.Integrations, data)
	case "heartbeats":
		var h struct {
			Heartbeats []opsgenieHeartbeat `json:"heartbeats"`
		}
		err := json.Unmarshal(data, &h)
		in.Heartbeats = append(in.Heartbeats, h.Heartbeats...)
		return err
	}
	return nil
}

// addBackup adds a file of the backup tool, which holds one object.
func (in *Opsgenie) addBackup(folder string, text []byte) error {
	var f struct {
		User      *opsgenieUser      `json:"user"`
		Team      *opsgenieTeam      `json:"team"`
		Routing   []opsgenieRouting  `json:"teamRoutingRules"`
		Schedule  *opsgenieSchedule  `json:"schedule"`
		Overrides []opsgenieOverride `json:"scheduleOverrideList"`
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	switch {
	case folder == "users" && f.User != nil:
		in.Users = append(in.Users, *f.User)
	case folder == "teams" && f.Team != nil:
		in.Teams = append(in.Teams, *f.Team)
		in.Routing[f.Team.ID] = f.Routing
	case folder == "schedules" && f.Schedule != nil:
		in.Schedules = append(in.Schedules, *f.Schedule)
		in.Overrides[f.Schedule.ID] = f.Overrides
		in.Backup = true
	case folder == "escalations":
		var e opsgenieEscalation
		err := json.Unmarshal(text, &e)
		in.Escalations = append(in.Escalations, e)
		return err
	case folder == "integrations":
		var i opsgenieIntegration
		err := json.Unmarshal(text, &i)
		in.Integrations = append(in.Integrations, i)
		return err
	default:
		return fmt.Errorf("there is no %s in it", strings.TrimSuffix(folder, "s"))
	}
	return nil
}
