package rest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// IdempotencyHeader are the parameters of requests that must not be carried out twice.
type IdempotencyHeader struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"Any text of your own. Sent again with the same body within a day, the request does nothing and is answered as before."`
}

func (h IdempotencyHeader) idempotencyKey() string { return h.IdempotencyKey }

// An ActBody is an act on an incident. Each act uses only the fields that it documents.
type ActBody struct {
	Act      string    `json:"act" enum:"acknowledge,unacknowledge,resolve,reopen,snooze,unsnooze,escalate,reassign,add_responder,accept,decline,note,severity,link,merge,still_on,split,verdict,open_channel" doc:"As the buttons in Slack. reassign takes user or policy; add_responder user, schedule or team; snooze for, until or till; link and merge take incident; note takes text; severity takes severity; split takes alert or text; verdict, of one that is resolved, takes verdict and, for what helped, text; open_channel gives it a Slack channel of its own."`
	User     string    `json:"user,omitempty" maxLength:"200" doc:"Slack id, mail address or whole name."`
	Policy   string    `json:"policy,omitempty" maxLength:"200" doc:"Name or id."`
	Schedule string    `json:"schedule,omitempty" maxLength:"200" doc:"Name or id."`
	Team     string    `json:"team,omitempty" maxLength:"200" doc:"Name or id."`
	Text     string    `json:"text,omitempty" maxLength:"4000"`
	Severity string    `json:"severity,omitempty" enum:"critical,high,medium,low"`
	Verdict  string    `json:"verdict,omitempty" enum:"real,noise,unsure" doc:"What it was."`
	Incident int64     `json:"incident,omitempty" minimum:"1"`
	Alert    int64     `json:"alert,omitempty" minimum:"1"`
	For      string    `json:"for,omitempty" maxLength:"20" doc:"How long to snooze." example:"2h"`
	Until    time.Time `json:"until,omitzero"`
	Till     string    `json:"till,omitempty" enum:"work,handoff" doc:"Until working hours begin, or until the next hand-off."`
}

// actKinds maps the API's names of acts.
var actKinds = map[string]oncall.ActKind{
	"acknowledge": oncall.ActAck, "unacknowledge": oncall.ActUnack, "resolve": oncall.ActResolve, "reopen": oncall.ActReopen,
	"snooze": oncall.ActSnooze, "unsnooze": oncall.ActUnsnooze, "escalate": oncall.ActEscalate, "reassign": oncall.ActReassign,
	"add_responder": oncall.ActAsk, "accept": oncall.ActAccept, "decline": oncall.ActDecline, "note": oncall.ActNote,
	"severity": oncall.ActSeverity, "link": oncall.ActLink, "merge": oncall.ActMerge, "still_on": oncall.ActStillOn, "split": oncall.ActSplit, "verdict": oncall.ActVerdict,
	"open_channel": oncall.ActChannel,
}

func (s *server) actRoutes() {
	handle(s, operation{
		method: http.MethodPost, path: "/incidents/{id}/acts", id: "act-on-incident", tag: "incidents", summary: "Do something with an incident",
		about: "Acknowledge it, resolve it, and all else that the buttons in Slack do. What makes no sense is refused with 409 and the sentence that Slack says.",
		scope: oncall.ScopeAct, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		IncidentPath
		IdempotencyHeader
		Body ActBody
	},
	) (*VersionedResponse[Incident], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		id := oncall.IncidentID(in.ID)
		if _, err := s.Store.Incident(ctx, c.by, id); err != nil { // an incident that the caller may not see doesn't exist
			return nil, err
		}
		if other := oncall.IncidentID(in.Body.Incident); other != 0 {
			if _, err := s.Store.Incident(ctx, c.by, other); err != nil {
				return nil, invalid("There is no incident " + other.String() + ", or it is not yours to see.")
			}
		}
		act, err := v.act(in.Body)
		if err != nil {
			return nil, err
		}
		done, err := s.Store.Act(ctx, id, c.by, act, c.now)
		if err != nil {
			return nil, err
		}
		return &VersionedResponse[Incident]{ETag: incidentETag(done), Body: v.incident(done)}, nil
	})
}

// act converts a body to an act, resolving the names in it.
func (v view) act(b ActBody) (act oncall.Act, err error) {
	act = oncall.Act{
		Do: actKinds[b.Act], Text: b.Text, Severity: oncall.Severity(b.Severity), Verdict: oncall.Verdict(b.Verdict), Other: oncall.IncidentID(b.Incident), Alert: oncall.AlertID(b.Alert),
		Until: b.Until, Till: oncall.SnoozeEnd(b.Till),
	}
	if b.For != "" {
		d, err := time.ParseDuration(b.For)
		if err != nil || d <= 0 {
			return act, invalid("for is how long, such as 30m or 2h.")
		}
		act.Until = v.caller.now.Add(d)
	}
	user, _, err := filterValue(b.User, v.user, "person")
	if err != nil {
		return act, err
	}
	policy, _, err := filterValue(b.Policy, v.policy, "escalation policy")
	if err != nil {
		return act, err
	}
	team, _, err := filterValue(b.Team, v.team, "team")
	if err != nil {
		return act, err
	}
	of, given, err := filterValue(b.Schedule, v.schedule, "schedule")
	if given && err == nil {
		act.Schedule = of.ID()
	}
	act.User, act.Policy, act.Team = user.ID, policy.ID, team.ID
	return act, err
}

// An OverrideBody is an override to make.
type OverrideBody struct {
	Schedule string    `json:"schedule" maxLength:"200" doc:"Name or id."`
	Kind     string    `json:"kind,omitempty" enum:"cover,swap,add,remove" default:"cover" doc:"cover: users instead of everybody; swap: to instead of from; add: users beside them; remove: without users."`
	Role     string    `json:"role,omitempty" maxLength:"100"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Users    []string  `json:"users,omitempty" maxItems:"50" doc:"Slack ids, mail addresses or whole names."`
	From     string    `json:"from,omitempty" maxLength:"200"`
	To       string    `json:"to,omitempty" maxLength:"200"`
	Reason   string    `json:"reason,omitempty" maxLength:"500"`
}

// A ShiftBody is a manual shift to make.
type ShiftBody struct {
	Role  string    `json:"role,omitempty" maxLength:"100"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Users []string  `json:"users" minItems:"1" maxItems:"50" doc:"Slack ids, mail addresses or whole names."`
}

// A ManualShift is a shift entered by hand.
type ManualShift struct {
	ID       int64     `json:"id"`
	Schedule Ref       `json:"schedule"`
	Role     string    `json:"role"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Users    []Person  `json:"users"`
}

// DeletedShifts is the result of deleting shifts.
type DeletedShifts struct {
	Changed int `json:"changed" doc:"How many were shortened or removed."`
}

// peopleOf looks up several people.
func (v view) peopleOf(texts []string) (ids []oncall.UserID, err error) {
	for _, text := range texts {
		u, _, err := filterValue(text, v.user, "person")
		if err != nil {
			return nil, err
		}
		ids = append(ids, u.ID)
	}
	return ids, nil
}

func (s *server) dutyRoutes() {
	handle(s, operation{
		method: http.MethodPost, path: "/overrides", id: "create-override", tag: "schedules", summary: "Put somebody else on call for a while",
		scope: oncall.ScopeAct, status: http.StatusCreated, errors: []int{404, 409},
	}, s.createOverride)
	handle(s, operation{
		method: http.MethodDelete, path: "/overrides/{id}", id: "delete-override", tag: "schedules", summary: "End an override, or take it back",
		scope: oncall.ScopeAct, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		ID int64 `path:"id" minimum:"1"`
	},
	) (*ObjectResponse[Override], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		o, known := v.Override(oncall.OverrideID(in.ID))
		of, seen := v.Schedule(o.ScheduleID)
		if !known || !seen {
			return nil, oncall.ErrNotFound
		}
		if o, err = s.Store.CancelOverride(ctx, c.by, o.ID, c.now); err != nil {
			return nil, err
		}
		out := v.override(o, of.Name())
		out.Cancelled = &c.now
		return &ObjectResponse[Override]{out}, nil
	})
	handle(s, operation{
		method: http.MethodPost, path: "/schedules/{name}/shifts", id: "create-shift", tag: "schedules", summary: "Write down a shift by hand",
		about: "It unites with what the rotations say.", scope: oncall.ScopeEdit, status: http.StatusCreated, errors: []int{404, 409},
	}, s.createShift)
	handle(s, operation{
		method: http.MethodDelete, path: "/schedules/{name}/shifts", id: "delete-shifts", tag: "schedules", summary: "Cut a stretch out of the shifts made by hand",
		about: "What is past stays.", scope: oncall.ScopeEdit, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		NamePath
		Role string    `query:"role" doc:"Of one role only."`
		From time.Time `query:"from" required:"true"`
		To   time.Time `query:"to" required:"true"`
	},
	) (*ObjectResponse[DeletedShifts], error) {
		_, of, err := viewWith(ctx, s, c, view.schedule, in.Name)
		if err != nil {
			return nil, err
		}
		n, err := s.Store.DeleteShifts(ctx, c.by, of.ID(), in.Role, in.From, in.To, c.now)
		return &ObjectResponse[DeletedShifts]{DeletedShifts{n}}, err
	})
}

func (s *server) createOverride(ctx context.Context, c caller, in *struct {
	IdempotencyHeader
	Body OverrideBody
},
) (*ObjectResponse[Override], error) {
	v, err := s.viewFor(ctx, c)
	if err != nil {
		return nil, err
	}
	scheduleID, err := v.schedule(in.Body.Schedule)
	if errors.Is(err, oncall.ErrNotFound) {
		return nil, invalid("There is no schedule " + strconv.Quote(in.Body.Schedule) + ", or it is not yours to see.")
	} else if err != nil {
		return nil, err
	}
	override := schedule.Override{
		Kind: schedule.OverrideKind(in.Body.Kind), Role: in.Body.Role, Start: in.Body.Start.UTC(), End: in.Body.End.UTC(), Reason: oncall.Storable(in.Body.Reason),
	}
	if override.Kind == "" {
		override.Kind = schedule.OverrideCover
	}
	if override.Users, err = v.peopleOf(in.Body.Users); err != nil {
		return nil, err
	}
	from, _, err := filterValue(in.Body.From, v.user, "person")
	if err != nil {
		return nil, err
	}
	to, _, err := filterValue(in.Body.To, v.user, "person")
	if err != nil {
		return nil, err
	}
	override.From, override.To = from.ID, to.ID
	if override, err = s.Store.AddOverride(ctx, c.by, scheduleID.ID(), override, c.now); err != nil {
		return nil, err
	}
	return &ObjectResponse[Override]{v.override(override, scheduleID.Name())}, nil
}

func (s *server) createShift(ctx context.Context, c caller, in *struct {
	NamePath
	IdempotencyHeader
	Body ShiftBody
},
) (*ObjectResponse[ManualShift], error) {
	v, of, err := viewWith(ctx, s, c, view.schedule, in.Name)
	if err != nil {
		return nil, err
	}
	shift := schedule.ManualShift{Role: in.Body.Role, Start: in.Body.Start.UTC(), End: in.Body.End.UTC()}
	if shift.Users, err = v.peopleOf(in.Body.Users); err != nil {
		return nil, err
	}
	if shift, err = s.Store.AddShift(ctx, c.by, of.ID(), shift, c.now); err != nil {
		return nil, err
	}
	return &ObjectResponse[ManualShift]{ManualShift{
		ID: int64(shift.ID), Schedule: Ref{int64(of.ID()), of.Name()}, Role: shift.RoleName(), Start: shift.Start, End: shift.End, Users: v.people(shift.Users),
	}}, nil
}
