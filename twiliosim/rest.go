package twiliosim

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type obj = map[string]any

// A refusal is an error in Twilio's words.
type refusal struct {
	status, code int
	message      string
}

func refuse(status, code int, message string) *refusal { return &refusal{status, code, message} }

func (r *refusal) write(w http.ResponseWriter) {
	writeJSON(w, r.status, obj{
		"status": r.status, "code": r.code, "message": r.message,
		"more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(r.code),
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Twilio-Request-Id", newSID("RQ"))
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the peer is gone
}

// An endpoint handles one kind of request. The lock is held.
type endpoint struct {
	created bool     // answers 201
	takes   []string // the parameters it knows
	do      func(s *Sim, r *http.Request, form url.Values) (any, *refusal)
}

var paging = []string{"PageSize", "Page", "PageToken"}

// routes handles all addresses of the simulator.
func (s *Sim) routes() http.Handler {
	const account = "/2010-04-01/Accounts/{account}"
	mux := http.NewServeMux()
	for pattern, e := range map[string]endpoint{
		"GET " + account: {do: (*Sim).fetchAccount},
		"GET " + account + "/IncomingPhoneNumbers.json": {takes: append(paging, "PhoneNumber"), do: (*Sim).listNumbers},

		"POST " + account + "/Messages.json":            {created: true, takes: messageTakes, do: (*Sim).createMessage},
		"GET " + account + "/Messages.json":             {takes: append(paging, "To", "From"), do: (*Sim).listMessages},
		"GET " + account + "/Messages/{sid}":            {do: (*Sim).fetchMessage},
		"POST " + account + "/Calls.json":               {created: true, takes: callTakes, do: (*Sim).createCall},
		"GET " + account + "/Calls.json":                {takes: append(paging, "To", "From", "Status"), do: (*Sim).listCalls},
		"GET " + account + "/Calls/{sid}":               {do: (*Sim).fetchCall},
		"POST " + account + "/Calls/{sid}":              {takes: []string{"Status"}, do: (*Sim).updateCall},
		"POST /v2/Flows":                                {created: true, takes: flowTakes, do: (*Sim).createFlow},
		"GET /v2/Flows":                                 {takes: paging, do: (*Sim).listFlows},
		"GET /v2/Flows/{flow}":                          {do: (*Sim).fetchFlow},
		"POST /v2/Flows/{flow}":                         {takes: flowTakes, do: (*Sim).updateFlow}, // and Validate
		"POST /v2/Flows/{flow}/Executions":              {created: true, takes: []string{"To", "From", "Parameters"}, do: (*Sim).createExecution},
		"GET /v2/Flows/{flow}/Executions":               {takes: append(paging, "DateCreatedFrom", "DateCreatedTo", "status"), do: (*Sim).listExecutions},
		"GET /v2/Flows/{flow}/Executions/{sid}":         {do: (*Sim).fetchExecution},
		"POST /v2/Flows/{flow}/Executions/{sid}":        {takes: []string{"Status"}, do: (*Sim).updateExecution},
		"GET /v2/Flows/{flow}/Executions/{sid}/Context": {do: (*Sim).fetchContext},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, e) })
	}
	for _, more := range []map[string]endpoint{serviceRoutes, geoRoutes, registrationRoutes} {
		for pattern, e := range more {
			mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, e) })
		}
	}
	mux.HandleFunc("/2010-04-01/", s.nowhere)
	mux.HandleFunc("/v1/", s.nowhere)
	mux.HandleFunc("/v2/", s.nowhere)
	s.pageRoutes(mux)
	return onlyLocal(mux)
}

func (s *Sim) nowhere(w http.ResponseWriter, r *http.Request) {
	refuse(http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found").write(w)
}

// serve handles one API request.
func (s *Sim) serve(w http.ResponseWriter, r *http.Request, e endpoint) {
	if no := s.authenticate(r); no != nil {
		no.write(w)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		refuse(http.StatusBadRequest, 20001, "the body can't be read").write(w)
		return
	}
	form := r.Form
	fault := s.takeFault(r)
	entry := Request{Method: r.Method, Path: r.URL.Path, Form: form}
	if fault != nil && fault.before(w) {
		s.record(entry)
		return
	}
	s.mu.Lock()
	s.tick()
	status := http.StatusOK
	if e.created {
		status = http.StatusCreated
	}
	var answer any
	no := checkNames(form, e.takes)
	if no == nil {
		answer, no = e.do(s, r, form)
	}
	if no != nil {
		status = no.status
	}
	body, err := json.Marshal(answer)
	s.mu.Unlock()
	if err != nil {
		no = refuse(http.StatusInternalServerError, 20500, err.Error())
	}
	if no == nil && fault != nil {
		s.record(entry)
		s.after(w, r, fault, body, status)
		return
	}
	entry.Status = status
	s.record(entry)
	if no != nil {
		no.write(w)
		return
	}
	writeJSON(w, status, json.RawMessage(body))
}

func (s *Sim) record(entry Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, entry)
	s.requests = s.requests[max(0, len(s.requests)-10_000):]
	s.wake()
}

// authenticate checks the credentials and, if the address names an account, that it is theirs.
func (s *Sim) authenticate(r *http.Request) *refusal {
	user, password, _ := r.BasicAuth()
	known := user == s.opt.Account && password == s.opt.Token || user == s.opt.Key && password == s.opt.Secret
	if !known {
		return refuse(http.StatusUnauthorized, 20003, "Authenticate")
	}
	if named := strings.TrimSuffix(r.PathValue("account"), ".json"); named != "" && named != s.opt.Account {
		return refuse(http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
	}
	return nil
}

// checkNames refuses unknown parameters. Twilio ignores them, which hides mistakes.
func checkNames(form url.Values, takes []string) *refusal {
	for name := range form {
		if !slices.Contains(takes, name) {
			return refuse(http.StatusBadRequest, 20001, "the parameter "+name+" is unknown")
		}
	}
	return nil
}

// paged returns the requested page of a list.
func paged[T any](all []T, form url.Values) (rows []T, page, size int, more bool) {
	size, page = 50, 0
	if n, err := strconv.Atoi(form.Get("PageSize")); err == nil && n > 0 {
		size = min(n, 1000)
	}
	if n, err := strconv.Atoi(form.Get("Page")); err == nil && n > 0 {
		page = n
	}
	from := min(page*size, len(all))
	to := min(from+size, len(all))
	return all[from:to], page, size, to < len(all)
}

// list returns a page in the format of the main API.
func list[T any](r *http.Request, form url.Values, name string, all []T) obj {
	rows, page, size, more := paged(all, form)
	at := func(n int) string {
		q := maps.Clone(form)
		q.Set("PageSize", strconv.Itoa(size))
		q.Set("Page", strconv.Itoa(n))
		q.Del("PageToken")
		if n > 0 {
			q.Set("PageToken", "PA"+strconv.Itoa(n))
		}
		return r.URL.Path + "?" + q.Encode()
	}
	out := obj{
		name: rows, "page": page, "page_size": size, "start": page * size, "end": page*size + max(len(rows)-1, 0),
		"uri": at(page), "first_page_uri": at(0), "next_page_uri": nil, "previous_page_uri": nil,
	}
	if more {
		out["next_page_uri"] = at(page + 1)
	}
	if page > 0 {
		out["previous_page_uri"] = at(page - 1)
	}
	return out
}

// listV2 returns a page in the format of the newer APIs.
func listV2[T any](r *http.Request, form url.Values, name string, all []T) obj {
	old := list(r, form, name, all)
	absolute := func(key string) any {
		if path, ok := old[key].(string); ok {
			return "https://studio.twilio.com" + path
		}
		return nil
	}
	return obj{name: old[name], "meta": obj{
		"key": name, "page": old["page"], "page_size": old["page_size"], "url": absolute("uri"),
		"first_page_url": absolute("first_page_uri"), "next_page_url": absolute("next_page_uri"), "previous_page_url": absolute("previous_page_uri"),
	}}
}

func rfc2822(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format(time.RFC1123Z)
}

func iso8601(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }

// null is nil for an empty string.
func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// fetchAccount returns the account, but not to an API key: a Standard key may use everything except
// accounts and keys.
func (s *Sim) fetchAccount(r *http.Request, _ url.Values) (any, *refusal) {
	if user, _, _ := r.BasicAuth(); user == s.opt.Key {
		return nil, refuse(http.StatusUnauthorized, 20003, "Authenticate")
	}
	return obj{
		"sid": s.opt.Account, "owner_account_sid": s.opt.Account, "friendly_name": "Simulated account", "status": "active", "type": "Full",
		"auth_token": s.opt.Token, "uri": "/2010-04-01/Accounts/" + s.opt.Account + ".json",
	}, nil
}

func (s *Sim) listNumbers(r *http.Request, form url.Values) (any, *refusal) {
	numbers := []obj{}
	if wanted := form.Get("PhoneNumber"); wanted == "" || wanted == s.opt.Number {
		numbers = append(numbers, obj{
			"sid": "PN" + s.opt.Account[2:], "account_sid": s.opt.Account, "phone_number": s.opt.Number, "friendly_name": s.opt.Number,
			"capabilities": obj{"voice": true, "sms": true, "mms": false, "fax": false}, "sms_url": s.opt.SMSURL, "voice_url": "",
		})
	}
	return list(r, form, "incoming_phone_numbers", numbers), nil
}
