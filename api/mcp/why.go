package mcp

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

type whyInput struct {
	Incident int64  `json:"incident,omitempty" jsonschema:"why people were paged for this incident: its number"`
	User     string `json:"user,omitempty" jsonschema:"only this person: Slack id or name"`
	Team     string `json:"team,omitempty" jsonschema:"without incident: in one team only, name or id"`
	Schedule string `json:"schedule,omitempty" jsonschema:"without incident: in one schedule only, name or id"`
	At       string `json:"at,omitempty" jsonschema:"without incident: at this instant; now where it is left out"`
}

type person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// matches reports whether this is who is meant.
func (p person) matches(whom string) bool {
	return whom == "" || p.ID == whom || strings.EqualFold(p.Name, whom)
}

type named struct {
	Name string `json:"name"`
}

type sentPage struct {
	User    *person `json:"user"`
	Method  string  `json:"method"`
	Why     string  `json:"why"`
	State   string  `json:"state"`
	At      string  `json:"at"`
	Receipt string  `json:"receipt"`
}

func why(ctx context.Context, c client, in whyInput) (map[string]any, error) {
	if in.Incident != 0 {
		return whyPaged(ctx, c, in)
	}
	return whyOnCall(ctx, c, in)
}

// whyPaged says of each page why it was sent and what came of it, and whom the policy pages next.
func whyPaged(ctx context.Context, c client, in whyInput) (map[string]any, error) {
	var found, plan map[string]any
	if err := c.ask(ctx, http.MethodGet, incidentPath(in.Incident), nil, nil, &found); err != nil {
		return nil, err
	}
	if err := c.ask(ctx, http.MethodGet, incidentPath(in.Incident)+"/plan", values("limit", "20"), nil, &plan); err != nil {
		return nil, err
	}
	pages := []any{}
	for _, p := range decoded[[]sentPage](found["pages"]) {
		who := "a channel or a webhook"
		if p.User != nil {
			who = p.User.Name
		}
		if in.User != "" && (p.User == nil || !p.User.matches(in.User)) {
			continue
		}
		pages = append(pages, map[string]any{"who": who, "by": p.Method, "at": p.At, "because": p.Why, "state": p.State, "receipt": p.Receipt})
	}
	out := map[string]any{"pages": pages, "next": plan["items"]}
	last(out, "pages", pagesShown)
	for _, name := range []string{"id", "title", "state", "severity", "team", "policy", "integration", "opened_at", "holders", "acknowledged_by", "resolved_by"} {
		if v, known := found[name]; known {
			out[name] = v
		}
	}
	return out, nil
}

type onCall struct {
	Schedule named    `json:"schedule"`
	Team     named    `json:"team"`
	Role     string   `json:"role"`
	Users    []person `json:"users"`
	Since    string   `json:"since"`
	Until    string   `json:"until"`
	Why      struct {
		Rotation string  `json:"rotation"`
		Override int64   `json:"override"`
		Shift    int64   `json:"shift"`
		Kind     string  `json:"kind"`
		By       *person `json:"by"`
		Reason   string  `json:"reason"`
	} `json:"why"`
}

// whyOnCall says what puts people on call.
func whyOnCall(ctx context.Context, c client, in whyInput) (map[string]any, error) {
	var answered struct {
		Items []onCall `json:"items"`
	}
	if err := c.ask(ctx, http.MethodGet, "/oncall", onCallInput{Team: in.Team, Schedule: in.Schedule, At: in.At}.query(), nil, &answered); err != nil {
		return nil, err
	}
	reasons := []any{}
	for _, o := range answered.Items {
		names, meant := []any{}, in.User == ""
		for _, u := range o.Users {
			names = append(names, u.Name)
			meant = meant || u.matches(in.User)
		}
		if !meant {
			continue
		}
		reasons = append(reasons, map[string]any{
			"schedule": o.Schedule.Name, "team": o.Team.Name, "role": o.Role, "users": names, "since": o.Since, "until": o.Until, "because": o.because(),
		})
	}
	return map[string]any{"on_call": reasons}, nil
}

// because says in words what puts somebody on call.
func (o onCall) because() string {
	w := o.Why
	var text string
	switch {
	case w.Override != 0:
		text = fmt.Sprintf("Override %d", w.Override)
		if w.Kind != "" {
			text += " (" + w.Kind + ")"
		}
		if w.By != nil {
			text += " that " + w.By.Name + " made"
		}
		if w.Rotation != "" {
			text += ", on top of the rotation " + w.Rotation
		}
		if w.Reason != "" {
			text += "; the reason given: " + w.Reason
		}
	case w.Shift != 0:
		text = fmt.Sprintf("Shift %d, made by hand", w.Shift)
	case w.Rotation != "":
		text = "It is their turn in the rotation " + w.Rotation
	default:
		return "Nothing puts anybody on call then."
	}
	return text + "."
}
