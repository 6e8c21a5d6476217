package notifytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Alertmanager is the part of an Alertmanager that we use: alerts, which it groups by name, silences, and a webhook that
// says nothing of what is silenced, not even that it is over.
type Alertmanager struct {
	*httptest.Server
	Hook  string // where its webhook goes
	clock func() time.Time

	mu       sync.Mutex
	alerts   []map[string]string
	silences []*AlertmanagerSilence
	auth     string // of the latest request
	fault    string // of the next requests, as Fail says
	posts    int
}

// AlertmanagerSilence is a silence in an Alertmanager.
type AlertmanagerSilence struct {
	ID       string `json:"id"`
	Matchers []struct {
		Name, Value      string
		IsRegex, IsEqual bool
	} `json:"matchers"`
	StartsAt  time.Time         `json:"startsAt"`
	EndsAt    time.Time         `json:"endsAt"`
	CreatedBy string            `json:"createdBy"`
	Comment   string            `json:"comment"`
	Status    map[string]string `json:"status"`
}

// NewAlertmanager starts one; Close stops it.
func NewAlertmanager(clock func() time.Time) *Alertmanager {
	am := &Alertmanager{clock: clock}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/silences", am.post)
	mux.HandleFunc("GET /api/v2/silences", am.list)
	mux.HandleFunc("GET /api/v2/silence/{id}", am.show)
	mux.HandleFunc("DELETE /api/v2/silence/{id}", am.end)
	mux.HandleFunc("GET /api/v2/alerts", am.firing)
	am.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		am.mu.Lock()
		fault := am.fault
		am.auth = r.Header.Get("Authorization")
		am.mu.Unlock()
		switch {
		case fault == "", fault == "cut" && r.Method != http.MethodPost:
			mux.ServeHTTP(w, r)
		case fault == "cut":
			mux.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			http.Error(w, fault, http.StatusServiceUnavailable)
		}
	}))
	return am
}

// Fail lets the next requests fail: "cut" those that silence, after doing so, "away" all; "" ends that.
func (am *Alertmanager) Fail(how string) {
	am.mu.Lock()
	defer am.mu.Unlock()
	am.fault = how
}

// Auth returns the header Authorization of the latest request.
func (am *Alertmanager) Auth() string {
	am.mu.Lock()
	defer am.mu.Unlock()
	return am.auth
}

// Silences returns the silences that it has ever had.
func (am *Alertmanager) Silences() []AlertmanagerSilence {
	am.mu.Lock()
	defer am.mu.Unlock()
	var out []AlertmanagerSilence
	for _, s := range am.silences {
		one := *s
		one.Status = map[string]string{"state": am.state(s)}
		out = append(out, one)
	}
	return out
}

func (am *Alertmanager) state(s *AlertmanagerSilence) string {
	if s.EndsAt.After(am.clock()) {
		return "active"
	}
	return "expired"
}

func (am *Alertmanager) silenced(labels map[string]string) bool {
	for _, s := range am.silences {
		meets := am.state(s) == "active"
		for _, m := range s.Matchers {
			meets = meets && !m.IsRegex && m.IsEqual && labels[m.Name] == m.Value
		}
		if meets {
			return true
		}
	}
	return false
}

// Alert begins or ends an alert, and tells the webhook of its group.
func (am *Alertmanager) Alert(labels map[string]string, fires bool) error {
	am.mu.Lock()
	am.alerts = slices.DeleteFunc(am.alerts, func(a map[string]string) bool { return maps.Equal(a, labels) })
	if fires {
		am.alerts = append(am.alerts, labels)
	}
	body := am.notification(labels, fires)
	am.mu.Unlock()
	if body == nil {
		return nil
	}
	res, err := http.Post(am.Hook, "application/json", bytes.NewReader(body)) //nolint:gosec,noctx // it ends with the test
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the webhook answers %d", res.StatusCode)
	}
	return nil
}

// notification returns the webhook's payload about the group of an alert, or nil if there is none.
func (am *Alertmanager) notification(labels map[string]string, fires bool) []byte {
	type alert struct {
		Status      string            `json:"status"`
		Labels      map[string]string `json:"labels"`
		Fingerprint string            `json:"fingerprint"`
	}
	name, status := labels["alertname"], "resolved"
	var group []alert
	for _, a := range am.alerts {
		if a["alertname"] == name && !am.silenced(a) {
			group, status = append(group, alert{"firing", a, Fingerprint(a)}), "firing"
		}
	}
	if !fires && !am.silenced(labels) {
		group = append(group, alert{"resolved", labels, Fingerprint(labels)})
	}
	if len(group) == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]any{
		"version": "4", "status": status, "groupKey": fmt.Sprintf("{}:{alertname=%q}", name), "truncatedAlerts": 0, "alerts": group,
		"groupLabels": map[string]string{"alertname": name}, "receiver": "watchbill",
	})
	if err != nil {
		return nil
	}
	return body
}

// Fingerprint is Alertmanager's: FNV-1a of 64 bits over the labels in order.
func Fingerprint(labels map[string]string) string {
	h := uint64(14695981039346656037)
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		for _, c := range []byte(name + "\xff" + labels[name] + "\xff") {
			h = (h ^ uint64(c)) * 1099511628211
		}
	}
	return fmt.Sprintf("%016x", h)
}

func (am *Alertmanager) post(w http.ResponseWriter, r *http.Request) {
	var s AlertmanagerSilence
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &s); err != nil || len(s.Matchers) == 0 || !s.EndsAt.After(am.clock()) || s.CreatedBy == "" || s.Comment == "" {
		http.Error(w, "bad silence", http.StatusBadRequest)
		return
	}
	am.mu.Lock()
	defer am.mu.Unlock()
	if s.ID != "" {
		i := slices.IndexFunc(am.silences, func(old *AlertmanagerSilence) bool { return old.ID == s.ID })
		if i < 0 {
			http.Error(w, "silence not found", http.StatusNotFound)
			return
		}
		am.silences[i] = &s
	} else {
		am.posts++
		s.ID = fmt.Sprintf("00000000-0000-4000-8000-%012d", am.posts)
		am.silences = append(am.silences, &s)
	}
	answer(w, map[string]string{"silenceID": s.ID})
}

func (am *Alertmanager) list(w http.ResponseWriter, _ *http.Request) { answer(w, am.Silences()) }

func (am *Alertmanager) show(w http.ResponseWriter, r *http.Request) {
	for _, s := range am.Silences() {
		if s.ID == r.PathValue("id") {
			answer(w, s)
			return
		}
	}
	http.NotFound(w, r)
}

func (am *Alertmanager) end(w http.ResponseWriter, r *http.Request) {
	am.mu.Lock()
	defer am.mu.Unlock()
	for _, s := range am.silences {
		if s.ID == r.PathValue("id") {
			if am.state(s) == "expired" {
				http.Error(w, "already expired", http.StatusInternalServerError)
				return
			}
			s.EndsAt = am.clock()
			return
		}
	}
	http.NotFound(w, r)
}

func (am *Alertmanager) firing(w http.ResponseWriter, r *http.Request) {
	am.mu.Lock()
	defer am.mu.Unlock()
	type alert struct {
		Labels map[string]string `json:"labels"`
	}
	out := []alert{}
	for _, a := range am.alerts {
		meets := true
		for _, f := range r.URL.Query()["filter"] {
			name, value, _ := strings.Cut(f, "=")
			meets = meets && fmt.Sprintf("%q", a[name]) == value
		}
		if meets {
			out = append(out, alert{a})
		}
	}
	answer(w, out)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}
