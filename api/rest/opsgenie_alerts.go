package rest

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// An opsgenieAlertShown is an alert in Opsgenie's format.
type opsgenieAlertShown struct {
	ID           string                `json:"id"`
	TinyID       string                `json:"tinyId"`
	Alias        string                `json:"alias"`
	Message      string                `json:"message"`
	Description  string                `json:"description,omitempty"`
	Status       string                `json:"status"`
	Acknowledged bool                  `json:"acknowledged"`
	IsSeen       bool                  `json:"isSeen"`
	Seen         bool                  `json:"seen"`
	Snoozed      bool                  `json:"snoozed"`
	Count        int                   `json:"count"`
	Priority     string                `json:"priority"`
	Tags         []string              `json:"tags"`
	Source       string                `json:"source"`
	Owner        string                `json:"owner"`
	OwnerTeamID  string                `json:"ownerTeamId"`
	Responders   []opsgenieParticipant `json:"responders"`
	Integration  opsgenieIntegration   `json:"integration"`
	Details      map[string]string     `json:"details,omitempty"`
	CreatedAt    time.Time             `json:"createdAt"`
	UpdatedAt    time.Time             `json:"updatedAt"`
	LastAt       time.Time             `json:"lastOccurredAt"`
}

type opsgenieIntegration struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

var opsgeniePriorities = map[oncall.Severity]string{oncall.Critical: "P1", oncall.High: "P2", oncall.Medium: "P3", oncall.Low: "P5"}

func (dr *dialectRequest) opsgenieAlert(a store.ListedAlert) opsgenieAlertShown {
	out := opsgenieAlertShown{
		ID: store.OpsgenieID(a.IntegrationID, a.DedupKey), TinyID: pagerDutyNumber(a.ID), Alias: a.DedupKey, Message: a.Title, Description: a.Body, Status: "closed",
		Acknowledged: a.Status == oncall.Acknowledged, IsSeen: a.Status != oncall.Triggered, Seen: a.Status != oncall.Triggered,
		Snoozed: a.Status == oncall.Snoozed, Count: a.Count, Priority: cmp.Or(opsgeniePriorities[a.Severity], "P3"), Tags: []string{}, Responders: []opsgenieParticipant{},
		Source: dr.IntegrationName(a.IntegrationID), Integration: opsgenieIntegration{pagerDutyNumber(a.IntegrationID), dr.IntegrationName(a.IntegrationID), "API"},
		Details: a.Details, CreatedAt: a.FirstAt.UTC(), UpdatedAt: a.LastAt.UTC(), LastAt: a.LastAt.UTC(),
	}
	if a.Firing && a.Status != oncall.Resolved {
		out.Status = "open"
	}
	for name, value := range a.Labels {
		out.Tags = append(out.Tags, name+":"+value)
	}
	return out
}

// opsgenieTerm matches one condition of a query: status:open, tag:"service:checkout", or a word.
var opsgenieTerm = regexp.MustCompile(`(?:([A-Za-z]+)\s*[:=]\s*)?(?:"([^"]*)"|([^\s"()]+))`)

// opsgenieQuery parses a query. Unknown conditions are refused, as ignoring one would return too much.
func (dr *dialectRequest) opsgenieQuery() (filter store.AlertFilter, err error) {
	words := []string{}
	for _, m := range opsgenieTerm.FindAllStringSubmatch(dr.query.Get("query"), -1) {
		value := cmp.Or(m[2], m[3])
		switch field := strings.ToLower(m[1]); {
		case field == "" && strings.EqualFold(value, "AND"):
		case field == "" && (strings.EqualFold(value, "OR") || strings.EqualFold(value, "NOT")):
			return filter, invalid("OR and NOT are not understood in a query here; ask several times.")
		case field == "", field == "message":
			words = append(words, value)
		case field == "status" && value == "open":
			filter.Open = true
		case field == "status" && value == "closed":
			filter.Closed = true
		case field == "tag", field == "tags":
			filter.Labels = append(filter.Labels, value)
		case field == "alias":
			filter.Key = value
		case field == "team", field == "teams", field == "responders":
			t, _, err := filterValue(value, dr.team, "team")
			if err != nil {
				return filter, err
			}
			filter.Team = t.ID
		default:
			return filter, invalid("A query here knows status:open, status:closed, tag, teams, alias, message and words; not " + strconv.Quote(m[1]) + ".")
		}
	}
	filter.Text = strings.Join(words, " ")
	return filter, nil
}

func (s *server) opsgenieAlerts(f *dialectRequest) (opsgenieBody, error) {
	filter, err := f.opsgenieQuery()
	if err != nil {
		return opsgenieBody{}, err
	}
	limit, err := f.number("limit", 20, 100)
	if err != nil {
		return opsgenieBody{}, err
	}
	offset, err := f.number("offset", 0, 20_000)
	if err != nil {
		return opsgenieBody{}, err
	}
	found, more, err := s.alerts(f, filter, offset+limit)
	if err != nil {
		return opsgenieBody{}, err
	}
	found = found[min(offset, len(found)):]
	at := func(offset int) string {
		q := f.r.URL.Query()
		q.Set("offset", strconv.Itoa(offset))
		q.Set("limit", strconv.Itoa(limit))
		return (&url.URL{Scheme: "https", Host: f.r.Host, Path: f.r.URL.Path, RawQuery: q.Encode()}).String()
	}
	p := opsgeniePaging{First: at(0), Last: at(offset)}
	if more {
		p.Next = at(offset + limit)
	}
	return opsgenieBody{Data: mapSlice(found, f.opsgenieAlert), Paging: &p}, nil
}

// alerts lists up to a number of alerts, reading as many pages as that takes, and reports whether
// there are more.
func (s *server) alerts(f *dialectRequest, filter store.AlertFilter, limit int) (all []store.ListedAlert, more bool, err error) {
	filter.Limit = store.MostListed
	for len(all) <= limit {
		found, err := s.Store.AlertList(f.ctx(), f.caller.by, filter)
		if err != nil {
			return nil, false, err
		}
		all = append(all, found...)
		if len(found) < filter.Limit {
			break
		}
		filter.Before = found[len(found)-1].ID
	}
	return all[:min(len(all), limit)], len(all) > limit, nil
}

// opsgenieMaxSearched is how many alerts are searched for one of Opsgenie's ids, which are derived from
// other fields.
const opsgenieMaxSearched = 2000

// opsgenieFind finds the alert that a request identifies.
func (s *server) opsgenieFind(f *dialectRequest, id string) (store.ListedAlert, error) {
	filter, limit := store.AlertFilter{}, 1
	switch f.query.Get("identifierType") {
	case "alias":
		filter.Key = id
	case "tiny":
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil || n <= 0 {
			return store.ListedAlert{}, oncall.ErrNotFound
		}
		filter.ID = oncall.AlertID(n)
	default:
		limit = opsgenieMaxSearched
	}
	found, _, err := s.alerts(f, filter, limit)
	if err != nil {
		return store.ListedAlert{}, err
	}
	for _, a := range found {
		if limit == 1 || store.OpsgenieID(a.IntegrationID, a.DedupKey) == id {
			return a, nil
		}
	}
	return store.ListedAlert{}, oncall.ErrNotFound
}

func (s *server) opsgenieAlert(f *dialectRequest) (opsgenieBody, error) {
	a, err := s.opsgenieFind(f, f.r.PathValue("rest"))
	return opsgenieBody{Data: f.opsgenieAlert(a)}, err
}

// opsgenieAct acknowledges or closes an alert's incident, and adds the note if there is one.
func (s *server) opsgenieAct(f *dialectRequest) (dialectResponse, error) {
	kinds := map[string]oncall.ActKind{"acknowledge": oncall.ActAck, "unacknowledge": oncall.ActUnack, "close": oncall.ActResolve, "notes": oncall.ActNote}
	rest := f.r.PathValue("rest")
	at := strings.LastIndex(rest, "/")
	do, known := kinds[rest[at+1:]]
	if at <= 0 || !known {
		return dialectResponse{}, oncall.ErrNotFound
	}
	var body struct{ User, Source, Note string }
	if err := f.body(&body); err != nil {
		return dialectResponse{}, err
	}
	a, err := s.opsgenieFind(f, rest[:at])
	if err != nil {
		return dialectResponse{}, err
	}
	by := f.onBehalf(body.User)
	if note := strings.TrimSpace(body.Note); note != "" || do == oncall.ActNote {
		if _, err := s.Store.Act(f.ctx(), a.IncidentID, by, oncall.Act{Do: oncall.ActNote, Text: note}, f.caller.now); err != nil {
			return dialectResponse{}, err
		}
	}
	done := do == oncall.ActNote || do == oncall.ActAck && a.Status == oncall.Acknowledged || do == oncall.ActResolve && a.Status == oncall.Resolved
	if !done {
		if _, err := s.Store.Act(f.ctx(), a.IncidentID, by, oncall.Act{Do: do}, f.caller.now); err != nil {
			return dialectResponse{}, err
		}
	}
	return dialectResponse{http.StatusAccepted, map[string]any{"result": "Request will be processed", "took": opsgenieTook, "requestId": opsgenieHeaders(f.w)}}, nil
}
