package notify

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AlertmanagerConfig configures the calls to the Alertmanagers in which acknowledgements create
// silences.
type AlertmanagerConfig struct {
	Auth  string // comma-separated URLs with user and password, or with only a password, which is a bearer token
	Rules AddressRules
}

// Problems says what is wrong with the settings. It gives their names, but no secrets.
func (c AlertmanagerConfig) Problems() []string {
	for i, one := range splitList(c.Auth) {
		if u := parseServiceURL(one); u == nil || u.User == nil {
			return []string{fmt.Sprintf("WATCHBILL_ALERTMANAGER_AUTH: the address number %d is not such as https://user:password@alertmanager.example.com, or https://:TOKEN@alertmanager.example.com; what is no letter or digit is written as in %%2C", i+1)}
		}
	}
	return nil
}

func splitList(list string) (out []string) {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

// alertmanagerAnswer limits how many bytes of an answer are read.
const alertmanagerAnswer = 4 << 20

// Alertmanager creates and ends silences with version 2 of Alertmanager's API.
type Alertmanager struct {
	web  *httpClient
	auth map[string]string // value of the header Authorization, by scheme and host
}

// NewAlertmanager returns a client for Alertmanagers whose URLs managers choose. The settings must have no Problems.
func NewAlertmanager(c AlertmanagerConfig) *Alertmanager {
	a := &Alertmanager{web: newUntrustedClient("Alertmanager", c.Rules), auth: map[string]string{}}
	a.web.longest = alertmanagerAnswer
	for _, one := range splitList(c.Auth) {
		u := parseServiceURL(one)
		if u == nil || u.User == nil {
			continue
		}
		password, _ := u.User.Password()
		header := "Bearer " + password
		if name := u.User.Username(); name != "" {
			header = "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
		}
		a.auth[origin(u)] = header
	}
	return a
}

func origin(u *url.URL) string { return strings.ToLower(u.Scheme + "://" + u.Host) }

// A Silence is the desired state of a silence in an Alertmanager.
type Silence struct {
	ID       string            // Alertmanager's id; empty: not known to exist
	Doubt    bool              // it may exist although the id is unknown
	Labels   map[string]string // it matches alerts with all of these
	From     time.Time
	Until    time.Time
	By, Says string
	Token    string // part of Says, for finding the silence
}

type alertmanagerMatcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual bool   `json:"isEqual"`
}

type alertmanagerSilence struct {
	ID       string                `json:"id,omitempty"`
	Matchers []alertmanagerMatcher `json:"matchers"`
	From     time.Time             `json:"startsAt"`
	Until    time.Time             `json:"endsAt"`
	By       string                `json:"createdBy"`
	Comment  string                `json:"comment"`
}

// Silence creates a silence, or changes its end, and returns its id. If the silence is in Doubt, it is looked for first,
// so that it isn't created twice.
func (a *Alertmanager) Silence(ctx context.Context, base string, s Silence) (id string, err error) {
	if s.ID == "" && s.Doubt {
		if s.ID, err = a.find(ctx, base, s); err != nil {
			return "", err
		}
	}
	body := alertmanagerSilence{ID: s.ID, From: s.From.UTC(), Until: s.Until.UTC(), By: s.By, Comment: s.Says}
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		body.Matchers = append(body.Matchers, alertmanagerMatcher{Name: name, Value: s.Labels[name], IsEqual: true})
	}
	var created struct {
		ID string `json:"silenceID"`
	}
	status, err := a.call(ctx, http.MethodPost, base, "/api/v2/silences", body, &created)
	if status == http.StatusNotFound && s.ID != "" { // Alertmanager has deleted it
		body.ID = ""
		_, err = a.call(ctx, http.MethodPost, base, "/api/v2/silences", body, &created)
	}
	if err == nil && created.ID == "" {
		err = fmt.Errorf("%s has not said what the silence is called", a.web.service)
	}
	return created.ID, err
}

// find returns the id of the active silence with the token, or "" if there is none.
func (a *Alertmanager) find(ctx context.Context, base string, s Silence) (string, error) {
	var all []struct {
		ID      string `json:"id"`
		Comment string `json:"comment"`
		Status  struct {
			State string `json:"state"`
		} `json:"status"`
	}
	if _, err := a.call(ctx, http.MethodGet, base, "/api/v2/silences?"+filters(s.Labels), nil, &all); err != nil {
		return "", err
	}
	for _, one := range all {
		if s.Token != "" && strings.Contains(one.Comment, s.Token) && one.Status.State != "expired" {
			return one.ID, nil
		}
	}
	return "", nil
}

// EndSilence ends a silence. It returns no error if the silence has ended or does not exist.
func (a *Alertmanager) EndSilence(ctx context.Context, base string, s Silence) (err error) {
	if s.ID == "" && s.Doubt {
		if s.ID, err = a.find(ctx, base, s); err != nil {
			return err
		}
	}
	if s.ID == "" {
		return nil
	}
	status, err := a.call(ctx, http.MethodDelete, base, "/api/v2/silence/"+url.PathEscape(s.ID), nil, nil)
	if status == http.StatusNotFound {
		return nil
	}
	if status == http.StatusInternalServerError { // the response for an ended silence and, before 0.26, for an unknown one
		var now struct {
			Status struct {
				State string `json:"state"`
			} `json:"status"`
		}
		asked, failed := a.call(ctx, http.MethodGet, base, "/api/v2/silence/"+url.PathEscape(s.ID), nil, &now)
		if asked == http.StatusNotFound || failed == nil && now.Status.State == "expired" {
			return nil
		}
	}
	return err
}

// IsFiring reports whether an alert with exactly these labels fires in Alertmanager, silenced or not.
func (a *Alertmanager) IsFiring(ctx context.Context, base string, labels map[string]string) (bool, error) {
	var all []struct {
		Labels map[string]string `json:"labels"`
	}
	if _, err := a.call(ctx, http.MethodGet, base, "/api/v2/alerts?"+filters(labels), nil, &all); err != nil {
		return false, err
	}
	for _, one := range all {
		if maps.Equal(one.Labels, labels) {
			return true, nil
		}
	}
	return false, nil
}

// filters returns the query that selects exactly these labels.
func filters(labels map[string]string) string {
	q := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		q.Add("filter", name+"="+strconv.Quote(labels[name]))
	}
	return q.Encode()
}

// call makes a request and reads the answer. The status is 0 if there was no answer.
func (a *Alertmanager) call(ctx context.Context, method, base, path string, body, into any) (status int, err error) {
	var text []byte
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			return 0, fmt.Errorf("%s: %w", a.web.service, err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, base+path, bytes.NewReader(text))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", a.web.service, withoutAddress(err))
	}
	r.Header.Set("User-Agent", "Watchbill")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if header := a.auth[origin(r.URL)]; header != "" {
		r.Header.Set("Authorization", header)
	}
	answer, failed := a.web.exchange(r)
	if failed != nil {
		return 0, failed.Err
	}
	if answer.status < 200 || answer.status >= 300 {
		return answer.status, a.web.refusedReceipt(answer, "").Err
	}
	if into != nil && json.Unmarshal(answer.body, into) != nil {
		return answer.status, fmt.Errorf("%s has not answered as Alertmanagers do", a.web.service)
	}
	return answer.status, nil
}
