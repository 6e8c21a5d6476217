package web

import (
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// An incidentPage is the page of one incident.
type incidentPage struct {
	row
	Policy      string
	Integration string
	Said        string // the result of the act just carried out
	MayNote     bool
	Next        []nextLine // what happens if nobody reacts
	Alerts      []alert
	AllAlerts   int
	Days        []eventDay
	Pages       []sentPage
	Slack       string // link to its message there
	Outside     *publication
}

type alert struct {
	oncall.Alert
	Labels []label
	Links  []oncall.Link
}

// A nextLine is something that will happen, or part of it.
type nextLine struct {
	Text template.HTML
	Also bool
}

type label struct{ Name, Value string }

type eventDay struct {
	Day    string
	Events []eventLine
}

type eventLine struct {
	At    time.Time
	Kind  string
	Text  template.HTML
	Major bool
}

type sentPage struct {
	Who     string
	Method  string
	Why     string
	State   string
	At      time.Time // when it is due, or when its outcome became known
	Receipt string
}

const alertsShown = 100

// incident returns the page of one incident.
func (v *visit) incident() (page, error) {
	id, err := v.incidentID()
	if err != nil {
		return page{}, err
	}
	return v.incidentPage(id, doneWords[v.r.URL.Query().Get("done")])
}

func (v *visit) incidentID() (oncall.IncidentID, error) {
	n, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil || n <= 0 {
		return 0, oncall.ErrNotFound
	}
	return oncall.IncidentID(n), nil
}

func (v *visit) incidentPage(id oncall.IncidentID, done string) (page, error) {
	in, err := v.Store.Incident(v.ctx, v.by, id)
	if err != nil {
		return page{}, err
	}
	rows, err := v.rows([]oncall.Incident{in})
	if err != nil {
		return page{}, err
	}
	p := incidentPage{row: rows[0], Said: done, Integration: v.dir.IntegrationName(in.IntegrationID)}
	p.MayNote = len(p.Acts) > 0
	if policy, known := v.dir.Policies[in.PolicyID]; known {
		p.Policy = policy.Name
	}
	if err := v.load(&p); err != nil {
		return page{}, err
	}
	if p.Outside, err = v.publication(in, p.MayNote); err != nil {
		return page{}, err
	}
	if p.Slack, err = v.slackLink(id); err != nil {
		return page{}, err
	}
	title := in.ID.String() + " " + in.Title
	return page{name: "incident", title: title, tab: "incidents", data: p, live: true}, nil
}

// slackLink returns a link to the incident's message in its team's channel, if there is one.
func (v *visit) slackLink(id oncall.IncidentID) (string, error) {
	roots, err := v.Store.Roots(v.ctx, []oncall.IncidentID{id})
	if err != nil {
		return "", err
	}
	here, err := v.Store.Workspace(v.ctx)
	at := roots[id]
	if err != nil || at.TS == "" || !safeLink(here.URL) {
		return "", err
	}
	return here.URL + "archives/" + at.Channel + "/p" + strings.ReplaceAll(at.TS, ".", ""), nil
}

// load loads the incident's alerts, events, pages and plan.
func (v *visit) load(p *incidentPage) error {
	alerts, all, err := v.Store.Alerts(v.ctx, v.by, p.ID, 0, alertsShown)
	if err != nil {
		return err
	}
	events, err := v.Store.Events(v.ctx, v.by, p.ID)
	if err != nil {
		return err
	}
	pages, err := v.Store.PageHistory(v.ctx, v.by, p.ID)
	if err != nil {
		return err
	}
	plan, err := v.Store.Plan(v.ctx, v.by, p.ID, v.now)
	if err != nil {
		return err
	}
	sheet := view.IncidentOverview{
		Picture: oncall.Picture{Incident: p.Incident}, Plan: plan, Reach: v.dir.ContactSettings, Policies: v.dir.Policies, Reader: v.user.ID, Zone: v.zone, Now: v.now,
	}
	for _, a := range pages {
		sheet.Pages = append(sheet.Pages, view.Attempt(a))
	}
	if sheet.Resting, err = v.Store.RestingPhones(v.ctx, v.by, p.ID, sheet.Contacts(), v.now); err != nil {
		return err
	}
	for _, line := range sheet.PlanLines() {
		part, also := strings.CutPrefix(line, "• ")
		p.Next = append(p.Next, nextLine{v.Markup(part), also})
	}
	p.AllAlerts = all
	for _, a := range alerts {
		one := alert{Alert: a, Links: v.safeLinks(a)}
		for _, texts := range []map[string]string{a.Labels, a.Details} {
			for _, name := range slices.Sorted(maps.Keys(texts)) {
				one.Labels = append(one.Labels, label{name, texts[name]})
			}
		}
		p.Alerts = append(p.Alerts, one)
	}
	receipts := v.timeline(p, events)
	for _, sent := range pages {
		p.Pages = append(p.Pages, v.sent(sent, receipts[sent.ID]))
	}
	return nil
}

// safeLinks returns an alert's links that a browser can open safely.
func (v *visit) safeLinks(a oncall.Alert) []oncall.Link {
	links := slices.Clone(a.Links)
	if a.Link != "" {
		links = append(links, oncall.Link{Text: "Source", URL: a.Link})
	}
	return slices.DeleteFunc(links, func(l oncall.Link) bool { return !safeLink(l.URL) })
}

// major are the events that people look for first.
var major = []oncall.EventKind{
	oncall.EventOpened, oncall.EventAcknowledged, oncall.EventResolved, oncall.EventReopened, oncall.EventEscalated, oncall.EventExhausted,
	oncall.EventUnassigned, oncall.EventNobodyNotified, oncall.EventUnacknowledged, oncall.EventNote,
}

// timeline adds the events, in the same words as Slack, and returns the providers' receipts of
// pages.
func (v *visit) timeline(p *incidentPage, events []oncall.Event) map[oncall.PageID]string {
	receipts := map[oncall.PageID]string{}
	for _, event := range events {
		if event.Kind == oncall.EventPageReceipt && event.Detail.Page != 0 {
			receipts[event.Detail.Page] = event.Detail.Text
		}
		day := v.Day(event.At)
		if n := len(p.Days); n == 0 || p.Days[n-1].Day != day {
			p.Days = append(p.Days, eventDay{Day: day})
		}
		last := &p.Days[len(p.Days)-1]
		last.Events = append(last.Events, eventLine{
			At: event.At, Kind: string(event.Kind), Text: v.Markup(view.EventLine(event)), Major: slices.Contains(major, event.Kind),
		})
	}
	return receipts
}

// sent describes a page and its outcome.
func (v *visit) sent(p store.PageOutcome, receipt string) sentPage {
	out := sentPage{Who: "a channel", Method: p.Method.Name(), State: string(p.State), At: p.At, Receipt: receipt}
	if p.UserID != "" {
		out.Who = v.Name(p.UserID)
		out.Why = strings.TrimSpace(p.Why.Shown(v.Name))
		if p.UserID != v.user.ID {
			out.Why = view.Theirs(out.Why)
		}
	}
	if p.Ended != nil {
		out.At = *p.Ended
	}
	return out
}

// acts are the acts that a form may request.
var acts = map[string]oncall.ActKind{
	"acknowledge": oncall.ActAck, "resolve": oncall.ActResolve, "reopen": oncall.ActReopen, "note": oncall.ActNote,
}

// doneWords confirm them.
var doneWords = map[string]string{
	"acknowledge": "You have it: the escalation has stopped.", "resolve": "Resolved.", "reopen": "It is open again, and pages.", "note": "Your note is in the timeline.",
	"published": "It stands on the status page.", "withdrawn": "The status page says nothing of it any more.",
	"page": "It is open, and pages.", "again": "This is open already: nobody was paged twice.",
}

const (
	maxForm = 16 << 10
	maxNote = 4000
)

// act carries out the act in a form.
func (v *visit) act() (page, error) {
	id, err := v.incidentID()
	if err != nil {
		return page{}, err
	}
	v.r.Body = maxBytes(v.w, v.r, maxForm)
	name := v.r.PostFormValue("do")
	do, known := acts[name]
	if !known {
		return page{}, oncall.Refuse("This form is not known, and nothing was changed.")
	}
	text := strings.TrimSpace(v.r.PostFormValue("text"))
	if len(text) > maxNote {
		return page{}, oncall.Refuse("A note has at most %d characters, and nothing was changed.", maxNote)
	}
	if _, err := v.Store.Incident(v.ctx, v.by, id); err != nil { // an incident that the reader may not see doesn't exist
		return page{}, err
	}
	_, err = v.Store.Act(v.ctx, id, v.by, oncall.Act{Do: do, Text: text}, v.now)
	if err != nil {
		return page{}, err
	}
	return page{to: "/incidents/" + strconv.FormatInt(int64(id), 10) + "?done=" + name}, nil
}
