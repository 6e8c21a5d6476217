package slacksim

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

//go:embed methods.json
var methodsJSON []byte

// method is Slack's documentation of one method of the Web API.
type method struct {
	Tier     string   `json:"tier"`
	Required []string `json:"required"`
	Scopes   []string `json:"scopes"`
	Errors   []string `json:"errors"`
	run      func(*Sim, args) (obj, error)
}

// methods maps the served methods: facts from methods.json, code from handlers.
var methods = func() map[string]*method {
	table := map[string]*method{}
	if err := json.Unmarshal(methodsJSON, &table); err != nil {
		panic(fmt.Sprintf("slacksim: embedded methods.json: %v", err))
	}
	for name, run := range handlers {
		table[name].run = run
	}
	return table
}()

// generalErrors are the errors that any method may return.
var generalErrors = []string{
	"not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type",
	"missing_scope", "invalid_arguments", "invalid_arg_name", "invalid_form_data", "invalid_json", "unknown_method",
	"ratelimited", "fatal_error", "internal_error", "service_unavailable", "request_timeout", "missing_charset",
}

// apiError is a refusal with Slack's error code.
type apiError struct {
	code  string
	extra obj
}

func (e *apiError) Error() string { return e.code }

func refuse(code string) error { return &apiError{code: code} }

// refuseArguments refuses the arguments with messages in the place where Slack puts them.
func refuseArguments(messages ...string) error {
	return &apiError{code: "invalid_arguments", extra: obj{"response_metadata": obj{"messages": messages}}}
}

// Call is one request to the Web API and its answer, without tokens.
type Call struct {
	Method string          `json:"method"`
	Args   map[string]any  `json:"args"`
	At     time.Time       `json:"at"`
	Took   time.Duration   `json:"took"`
	Status int             `json:"status"` // 0 if the connection was cut
	OK     bool            `json:"ok"`
	Error  string          `json:"error,omitempty"`
	Answer json.RawMessage `json:"answer,omitempty"`
	Fault  string          `json:"fault,omitempty"`
	// Undocumented marks an error code that Slack does not list for the method.
	Undocumented bool `json:"undocumented,omitempty"`
}

const keptRecords = 2000

func (s *Sim) serveAPI(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	started := time.Now() // the time a call takes is real, whatever clock is simulated
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	call := Call{Method: name, At: s.opt.Now()}
	a, argErr := readArgs(r)
	s.learnBase(r)

	fault := s.takeFault(name)
	if fault != nil {
		call.Fault = string(fault.Kind)
		if done := s.faultBefore(w, r, fault); done {
			call.Args = withoutToken(a)
			s.record(call, started, fault.status(), fault.answer())
			return
		}
	}
	var answer obj
	err := refuse("invalid_json")
	if argErr == nil {
		s.mu.Lock()
		answer, err = s.call(name, a, r.Header.Get("Authorization"))
		s.wake()
		s.mu.Unlock()
	}
	call.Args = withoutToken(a)
	if s.faultAfter(w, fault, call, started) {
		return
	}
	status, body := s.answer(w, name, answer, err)
	s.record(call, started, status, body)
	writeJSON(w, status, body)
}

// call checks token, limits, scopes and arguments, then runs the method. The lock is held.
func (s *Sim) call(name string, a args, authorization string) (obj, error) {
	if s.closed {
		return nil, refuse("service_unavailable")
	}
	m := methods[name]
	if m == nil || m.run == nil {
		return nil, refuse("unknown_method")
	}
	if err := s.checkToken(name, a, authorization); err != nil {
		return nil, err
	}
	if err := s.checkLimit(name, m, a); err != nil {
		return nil, err
	}
	if err := s.checkScope(name, m, a); err != nil {
		return nil, err
	}
	for _, key := range m.Required {
		if !a.has(key) && !emptyMeansSomething(name, key) {
			return nil, refuseArguments("[ERROR] missing required field: " + key)
		}
	}
	return m.run(s, a)
}

// emptyMeansSomething reports whether Slack has a specific error for an argument that is empty.
func emptyMeansSomething(name, key string) bool {
	return name == "usergroups.users.update" && key == "users" ||
		name == "conversations.create" && key == "name" ||
		strings.HasPrefix(name, "conversations.set") && key != "channel"
}

// checkToken accepts the token from the header, the form or the JSON body.
func (s *Sim) checkToken(name string, a args, authorization string) error {
	token, inHeader := strings.CutPrefix(authorization, "Bearer ")
	if !inHeader {
		token = a.str("token")
	}
	switch {
	case token == "":
		return refuse("not_authed")
	case name == "apps.connections.open":
		if token != s.opt.AppToken || !inHeader {
			return refuse("invalid_auth")
		}
		return nil
	case token == s.opt.BotToken, s.opt.UserToken != "" && token == s.opt.UserToken:
		return nil
	case token == s.opt.AppToken:
		return refuse("not_allowed_token_type")
	default:
		return refuse("invalid_auth")
	}
}

// checkScope requires one of the documented scopes; which one depends on the kind of conversation.
func (s *Sim) checkScope(name string, m *method, a args) error {
	wanted := m.Scopes
	if strings.HasPrefix(name, "conversations.") && name != "conversations.list" {
		wanted = scopesFor(s.findChannel(a.str("channel")), name, a, wanted)
	}
	if len(wanted) == 0 || slices.ContainsFunc(wanted, func(scope string) bool { return s.scopes[scope] }) {
		return nil
	}
	provided := make([]string, 0, len(s.scopes))
	for scope := range s.scopes {
		provided = append(provided, scope)
	}
	slices.Sort(provided)
	return &apiError{code: "missing_scope", extra: obj{
		"needed": strings.Join(wanted, ","), "provided": strings.Join(provided, ","),
	}}
}

// scopesFor selects the scopes for the conversation's kind.
func scopesFor(c *Channel, name string, a args, all []string) []string {
	family := "channels:"
	switch {
	case name == "conversations.open" && len(a.list("users")) > 1:
		family = "mpim:"
	case name == "conversations.open", c != nil && c.User != "":
		family = "im:"
	case c != nil && c.Private, name == "conversations.create" && a.yes("is_private"):
		family = "groups:"
	}
	var out []string
	for _, scope := range all {
		if strings.HasPrefix(scope, family) {
			out = append(out, scope)
		}
	}
	if out == nil {
		return all
	}
	return out
}

// answer turns a result into status and body, with the headers that Slack adds.
func (s *Sim) answer(w http.ResponseWriter, name string, answer obj, err error) (int, obj) {
	s.scopeHeaders(w, name)
	if err == nil {
		if answer == nil {
			answer = obj{}
		}
		answer["ok"] = true
		return http.StatusOK, answer
	}
	body := obj{"ok": false, "error": "internal_error"}
	status := http.StatusOK
	if refusal := (*apiError)(nil); errors.As(err, &refusal) {
		body["error"] = refusal.code
		maps.Copy(body, refusal.extra)
		if refusal.code == "ratelimited" {
			status = http.StatusTooManyRequests
			w.Header().Set("Retry-After", fmt.Sprint(body["retry_after"]))
			delete(body, "retry_after")
		}
	}
	return status, body
}

// scopeHeaders adds the token's scopes and those that the method accepts, as on every answer of Slack.
func (s *Sim) scopeHeaders(w http.ResponseWriter, name string) {
	m := methods[name]
	if m == nil || name == "apps.connections.open" {
		return
	}
	s.mu.Lock()
	scopes := slices.Sorted(maps.Keys(s.scopes))
	s.mu.Unlock()
	w.Header().Set("X-OAuth-Scopes", strings.Join(scopes, ","))
	w.Header().Set("X-Accepted-OAuth-Scopes", strings.Join(m.Scopes, ","))
}

func (s *Sim) record(call Call, started time.Time, status int, answer obj) {
	call.Took, call.Status = time.Since(started), status
	if answer != nil {
		call.Answer = toJSON(answer)
		call.OK, _ = answer["ok"].(bool)
		call.Error = textOf(answer["error"])
	}
	if m := methods[call.Method]; m != nil && call.Error != "" && call.Fault == "" {
		call.Undocumented = !assumedError(call) && !slices.Contains(m.Errors, call.Error) && !slices.Contains(generalErrors, call.Error)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
	if len(s.calls) > keptRecords {
		s.calls = slices.Delete(s.calls, 0, len(s.calls)-keptRecords)
	}
	s.wake()
}

// assumedError reports whether an undocumented error code is among the assumptions.
func assumedError(c Call) bool {
	return strings.HasPrefix(c.Method, "usergroups.") && c.Error == "no_such_subteam"
}

func withoutToken(a args) map[string]any {
	out := map[string]any{}
	for key, value := range a {
		if key != "token" {
			out[key] = value
		}
	}
	return out
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // the client may have gone; nothing depends on it
}

// learnBase records the address at which the simulator is reached, for the URLs that it hands out.
func (s *Sim) learnBase(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.base == "" {
		s.base = "http://" + r.Host
	}
}
