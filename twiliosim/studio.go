package twiliosim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

var flowTakes = []string{"FriendlyName", "Status", "Definition", "CommitMessage"}

// A flow is a Studio flow.
type flow struct {
	sid, name, status string
	revision          int
	def               *definition
	raw               json.RawMessage
	created, updated  time.Time
}

func (f *flow) shown(account string) obj {
	address := "https://studio.twilio.com/v2/Flows/" + f.sid
	return obj{
		"sid": f.sid, "account_sid": account, "friendly_name": f.name, "status": f.status, "revision": f.revision,
		"definition": f.raw, "commit_message": nil, "valid": true, "errors": []any{}, "warnings": []any{},
		"webhook_url":  "https://webhooks.twilio.com/v1/Accounts/" + account + "/Flows/" + f.sid,
		"date_created": iso8601(f.created), "date_updated": iso8601(f.updated), "url": address,
		"links": obj{"executions": address + "/Executions", "revisions": address + "/Revisions"},
	}
}

func (s *Sim) createFlow(r *http.Request, form url.Values) (any, *refusal) {
	f := &flow{sid: newSID("FW"), created: s.opt.Now()}
	if no := f.apply(form, s.opt.Now()); no != nil {
		return nil, no
	}
	s.flows = append(s.flows, f)
	return f.shown(s.opt.Account), nil
}

// apply changes a flow according to a form.
func (f *flow) apply(form url.Values, now time.Time) *refusal {
	status := form.Get("Status")
	if status != "draft" && status != "published" {
		return refuse(http.StatusBadRequest, 20001, "Status must be draft or published")
	}
	if text := form.Get("Definition"); text != "" {
		def, err := parseDefinition([]byte(text))
		if err != nil {
			return refuse(http.StatusBadRequest, 21003, "Flow definition is not valid: "+err.Error())
		}
		f.def, f.raw = def, json.RawMessage(text)
	}
	if name := form.Get("FriendlyName"); name != "" {
		f.name = name
	}
	if f.def == nil || f.name == "" {
		return refuse(http.StatusBadRequest, 20001, "FriendlyName and Definition are required")
	}
	f.status, f.updated = status, now
	f.revision++
	return nil
}

// updateFlow changes a flow, or only validates one.
func (s *Sim) updateFlow(r *http.Request, form url.Values) (any, *refusal) {
	if r.PathValue("flow") == "Validate" {
		if no := new(flow).apply(form, s.opt.Now()); no != nil {
			return nil, no
		}
		return obj{"valid": true}, nil
	}
	f, no := s.flowNamed(r)
	if no == nil {
		no = f.apply(form, s.opt.Now())
	}
	if no != nil {
		return nil, no
	}
	return f.shown(s.opt.Account), nil
}

func (s *Sim) flowNamed(r *http.Request) (*flow, *refusal) {
	for _, f := range s.flows {
		if f.sid == r.PathValue("flow") {
			return f, nil
		}
	}
	return nil, refuse(http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
}

func (s *Sim) fetchFlow(r *http.Request, _ url.Values) (any, *refusal) {
	f, no := s.flowNamed(r)
	if no != nil {
		return nil, no
	}
	return f.shown(s.opt.Account), nil
}

func (s *Sim) listFlows(r *http.Request, form url.Values) (any, *refusal) {
	all := []obj{}
	for _, f := range slices.Backward(s.flows) {
		shown := f.shown(s.opt.Account)
		shown["definition"], shown["valid"], shown["errors"], shown["warnings"] = nil, nil, nil, nil
		all = append(all, shown)
	}
	return listV2(r, form, "flows", all), nil
}

// An execution is one run of a flow for one phone.
type execution struct {
	sid, to, from string
	flow          *flow
	data          any
	status        string // active or ended
	created       time.Time
	updated       time.Time // its last step

	at        string // the current widget
	callAt    string // the widget that called
	call      *call
	steps     int
	variables map[string]string
	widgets   map[string]map[string]any
}

// widget returns the data of a widget that was left.
func (e *execution) widget(name string) map[string]any {
	if e.widgets[name] == nil {
		e.widgets[name] = map[string]any{}
	}
	return e.widgets[name]
}

func (e *execution) shown(account string) obj {
	address := "https://studio.twilio.com/v2/Flows/" + e.flow.sid + "/Executions/" + e.sid
	return obj{
		"sid": e.sid, "account_sid": account, "flow_sid": e.flow.sid, "flow_version": e.flow.revision, "context": obj{},
		"contact_channel_address": e.to, "contact_sid": "FC" + e.sid[2:], "status": e.status, "initiated_by": newSID("RQ"),
		"date_created": iso8601(e.created), "date_updated": iso8601(e.updated), "url": address,
		"links": obj{"steps": address + "/Steps", "execution_context": address + "/Context"},
	}
}

func (s *Sim) createExecution(r *http.Request, form url.Values) (any, *refusal) {
	f, no := s.flowNamed(r)
	to, from := form.Get("To"), form.Get("From")
	switch {
	case no != nil:
		return nil, no
	case f.status != "published":
		return nil, refuse(http.StatusBadRequest, 20001, "the flow is not published")
	case to == "" || from == "": // only the flow finds out whether they can be called
		return nil, refuse(http.StatusBadRequest, 20001, "To and From are required")
	case len(to)+len(from) > 300:
		return nil, refuse(http.StatusBadRequest, 81023, "To and From are too long")
	}
	for _, e := range s.executions {
		if e.status == "active" && e.to == to && e.from == from {
			return nil, refuse(http.StatusConflict, 20409, "Execution "+e.sid+" is already active for this contact")
		}
	}
	e := &execution{
		sid: newSID("FN"), to: to, from: from, flow: f, status: "active", created: s.opt.Now(), updated: s.opt.Now(),
		variables: map[string]string{}, widgets: map[string]map[string]any{},
	}
	if text := form.Get("Parameters"); text != "" {
		if err := json.Unmarshal([]byte(text), &e.data); err != nil {
			return nil, refuse(http.StatusBadRequest, 20001, fmt.Sprintf("Parameters is not JSON: %v", err))
		}
	}
	s.executions = append(s.executions, e)
	e.at = f.def.InitialState
	shown := e.shown(s.opt.Account)
	s.goOn(e, "incomingRequest")
	return shown, nil
}

func (s *Sim) executionNamed(r *http.Request) (*execution, *refusal) {
	for _, e := range s.executions {
		if e.sid == r.PathValue("sid") && e.flow.sid == r.PathValue("flow") {
			return e, nil
		}
	}
	return nil, refuse(http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
}

func (s *Sim) listExecutions(r *http.Request, form url.Values) (any, *refusal) {
	f, no := s.flowNamed(r)
	if no != nil {
		return nil, no
	}
	var from time.Time
	if text := form.Get("DateCreatedFrom"); text != "" {
		var err error
		if from, err = time.Parse(time.RFC3339, text); err != nil {
			return nil, refuse(http.StatusBadRequest, 20001, "DateCreatedFrom is not a time")
		}
	}
	all := []obj{}
	for _, e := range slices.Backward(s.executions) {
		if e.flow == f && !e.created.Before(from) && s.listed(e.created) && (form.Get("status") == "" || form.Get("status") == e.status) {
			all = append(all, e.shown(s.opt.Account))
		}
	}
	return listV2(r, form, "executions", all), nil
}

func (s *Sim) fetchExecution(r *http.Request, _ url.Values) (any, *refusal) {
	e, no := s.executionNamed(r)
	if no != nil {
		return nil, no
	}
	return e.shown(s.opt.Account), nil
}

// updateExecution ends an execution. Its call continues, because that is a separate resource.
func (s *Sim) updateExecution(r *http.Request, form url.Values) (any, *refusal) {
	e, no := s.executionNamed(r)
	switch {
	case no != nil:
		return nil, no
	case form.Get("Status") != "ended":
		return nil, refuse(http.StatusBadRequest, 20001, "Status may only become ended")
	}
	e.status = "ended"
	s.wake()
	return e.shown(s.opt.Account), nil
}

func (s *Sim) fetchContext(r *http.Request, _ url.Values) (any, *refusal) {
	e, no := s.executionNamed(r)
	if no != nil {
		return nil, no
	}
	return obj{
		"account_sid": s.opt.Account, "flow_sid": e.flow.sid, "execution_sid": e.sid, "context": e.context(),
		"url": "https://studio.twilio.com/v2/Flows/" + e.flow.sid + "/Executions/" + e.sid + "/Context",
	}, nil
}

// context returns what widgets can refer to, and what the API returns about an execution.
func (e *execution) context() obj {
	return obj{
		"contact": obj{"channel": obj{"address": e.to}},
		"flow": obj{
			"sid": e.sid, "flow_sid": e.flow.sid, "channel": obj{"address": e.from}, "data": e.data, "variables": e.variables,
		},
		"trigger": obj{"request": obj{"to": e.to, "from": e.from, "parameters": e.data}},
		"widgets": e.widgets,
	}
}
