package view

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// stormCounters returns a storm's counters, for its message in the channel.
func stormCounters(p oncall.Picture) string {
	t := p.Tally
	lines := []string{fmt.Sprintf("*%s of %s alerts firing*", thousands(t.Firing), thousands(t.Alerts))}
	for _, group := range []struct {
		name   string
		counts []oncall.TallyCount
	}{{"Severity", t.Severities}, {"Service", t.Services}, {"Labels", t.Labels}} {
		var parts []string
		for _, n := range group.counts {
			if group.name == "Labels" && n.Alerts == 1 && t.Alerts > 1 { // such as the pod, which differs in each
				continue
			}
			one := Foreign(n.Name, maxLabel) + " " + thousands(n.Alerts)
			if n.Firing != n.Alerts && t.Firing > 0 {
				one += fmt.Sprintf(" (%s firing)", thousands(n.Firing))
			}
			parts = append(parts, one)
		}
		if len(parts) > 0 {
			lines = append(lines, group.name+": "+strings.Join(parts, " · "))
		}
	}
	return strings.Join(lines, "\n")
}

// stormState says whether a storm still takes in alerts.
func stormState(in oncall.Incident) string {
	switch s := in.Storm; {
	case s.OverAt != nil:
		return stormLasted(s)
	case in.Storming() && in.Open():
		return "Whatever else this integration sends joins it, until 5 minutes have passed without a new alert."
	default:
		return ""
	}
}

// stormLasted says how long alerts came. Where that is less than a minute, both its ends would read the same.
func stormLasted(s *oncall.Storm) string {
	began := stamp(s.Began, asTime, time.UTC)
	switch d := s.LastAt.Sub(s.Began); {
	case d < time.Second:
		return fmt.Sprintf("The storm came all at once, at %s.", began)
	case d < time.Minute:
		return fmt.Sprintf("The storm lasted %s, at %s.", durationText(d), began)
	default:
		return fmt.Sprintf("The storm lasted %s, from %s to %s.", durationText(d), began, stamp(s.LastAt, asTime, time.UTC))
	}
}

// stormButtons draws the actions on a storm, in addition to those on any incident.
func stormButtons(in oncall.Incident) slack.Block {
	elements := []slack.BlockElement{button(ActionAlertsFile, valueOf(in.ID), "All alerts as a file")}
	if in.Open() {
		elements = append(elements, button(ActionSplit, valueOf(in.ID), "Split one off…"))
	}
	return slack.NewActionBlock("storm", elements...)
}

// thousands formats a number with separators.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// SplitForm asks which alert to split off a storm.
func (ov IncidentOverview) SplitForm() slack.ModalViewRequest {
	in := ov.Picture.Incident
	if in.Storm == nil || !in.Open() || len(ov.Alerts) == 0 {
		return readOnly("Split one off", section("None of its alerts fires."))
	}
	options := make([]option, len(ov.Alerts))
	for i, a := range ov.Alerts {
		options[i] = option{valueOf(a.ID), severityWord(a.Severity) + ": " + strings.Join(strings.Fields(a.Title), " ")}
	}
	hint := ""
	if ov.Picture.Firing > len(ov.Alerts) {
		hint = fmt.Sprintf("The worst %d of %s are here.", len(ov.Alerts), thousands(ov.Picture.Firing))
	}
	return ov.form(ModalSplit, "Split one off", "Split",
		optional(choiceField(BlockAlert, "Alert", hint, "", options)),
		optional(textField(BlockText, "Or its dedup key or title", "", "")),
		note("It gets an incident and a message of its own, and pages from the first step of the escalation policy."))
}

// MaxSplits is the maximum number of alerts in the form.
const MaxSplits = maxOptions

// stormLine describes an event of a storm.
func stormLine(e oncall.Event) string {
	detail, by := e.Detail, actorName(e.Actor)
	text := Foreign(detail.Text, maxTitle)
	switch e.Kind {
	case oncall.EventStorm:
		s := fmt.Sprintf("A storm: more than %s within a minute. What comes next joins this one.", Count(detail.Count, "incident"))
		if n := len(detail.Incidents); n > 0 {
			s += fmt.Sprintf(" It has taken in %s.", incidentList(detail.Incidents))
		}
		return s
	case oncall.EventTakenIn:
		return fmt.Sprintf("It became part of the storm %s.", detail.Incident)
	case oncall.EventServiceJoined:
		return fmt.Sprintf("It is about another service as well: %s.", text)
	case oncall.EventStormOwn:
		return fmt.Sprintf("A critical alert of another service, %s, has an incident of its own: %s.", text, detail.Incident)
	case oncall.EventSplitOff:
		return fmt.Sprintf("%s split off %s: it is %s now.", by, text, detail.Incident)
	case oncall.EventSplitFrom:
		return fmt.Sprintf("%s split it off the storm %s.", by, detail.Incident)
	case oncall.EventStormOver:
		s := "The storm is over: " + Count(detail.Count, "alert")
		if lasted := detail.Until.Sub(detail.Since); lasted >= time.Second {
			s += " within " + durationText(lasted)
		}
		if names := foreignNames(detail.Names); names != "" {
			s += ", of " + names
		}
		return s + ". " + stillFiring(detail)
	default:
		return ""
	}
}

// stillFiring says how many alerts of a storm fire when it is over. Those of a resolved one are no longer anybody's concern,
// but their monitor hasn't said that they are over.
func stillFiring(detail oncall.Detail) string {
	switch {
	case detail.Of == 0 && detail.Count == 1:
		return "It fires no more."
	case detail.Of == 0:
		return "None of them fires any more."
	case detail.Over && detail.Of == 1:
		return "Its monitor has not said yet that 1 of them is over."
	case detail.Over:
		return fmt.Sprintf("Its monitor has not said yet that %s of them are over.", thousands(detail.Of))
	case detail.Of == detail.Count && detail.Count == 1:
		return "It still fires."
	case detail.Of == detail.Count:
		return "All of them still fire."
	default:
		return fmt.Sprintf("Still firing: %s.", thousands(detail.Of))
	}
}

// foreignNames lists a few foreign names.
func foreignNames(names []string) string {
	var shown []string
	for _, n := range names[:min(len(names), MaxNamed)] {
		shown = append(shown, Foreign(n, maxLabel))
	}
	if more := len(names) - len(shown); more > 0 {
		shown = append(shown, fmt.Sprintf("%d more", more))
	}
	return List(shown)
}

// incidentList lists a few incidents.
func incidentList(ids []oncall.IncidentID) string {
	var shown []string
	for _, id := range ids[:min(len(ids), MaxNamed)] {
		shown = append(shown, id.String())
	}
	if more := len(ids) - len(shown); more > 0 {
		shown = append(shown, fmt.Sprintf("%d more", more))
	}
	return List(shown)
}

// AlertsFileComes says that the file is on its way.
func AlertsFileComes(p oncall.Picture) string {
	return fmt.Sprintf("%s of %s come as a file in our direct messages.", Count(p.AlertCount, "alert"), p.Incident.ID)
}

// An AlertsFile is a CSV file with all alerts of an incident.
type AlertsFile struct {
	bytes.Buffer
	to      *csv.Writer
	service string // default for alerts that name none
}

// NewAlertsFile begins a file. service is the default for alerts that name none.
func NewAlertsFile(service string) *AlertsFile {
	f := &AlertsFile{service: service}
	f.to = csv.NewWriter(f)
	_ = f.to.Write([]string{"dedup key", "title", "severity", "service", "state", "first (UTC)", "last (UTC)", "cleared (UTC)", "signals", "labels", "link"}) // into memory
	return f
}

// maxCell is the maximum length of a cell.
const maxCell = 1000

// Add adds an alert.
func (f *AlertsFile) Add(alert oncall.Alert) error {
	state, cleared := "firing", ""
	if !alert.Firing {
		state = "cleared"
		if alert.ClearedAt != nil {
			cleared = alert.ClearedAt.UTC().Format(time.DateTime)
		}
	}
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(alert.Labels)) {
		labels = append(labels, name+"="+alert.Labels[name])
	}
	row := []string{
		alert.DedupKey, alert.Title, string(alert.Severity), alert.Service(oncall.Integration{Name: f.service}), state,
		alert.FirstAt.UTC().Format(time.DateTime), alert.LastAt.UTC().Format(time.DateTime), cleared, fmt.Sprint(alert.Count), strings.Join(labels, " "), alert.Link,
	}
	for i, cell := range row {
		row[i] = plainCell(cell)
	}
	return f.to.Write(row)
}

// Done finishes the file.
func (f *AlertsFile) Done() error {
	f.to.Flush()
	return f.to.Error()
}

// plainCell keeps a spreadsheet from taking text for a formula.
func plainCell(s string) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, ""))
	if utf8.RuneCountInString(s) > maxCell {
		s = string([]rune(s)[:maxCell-1]) + "…"
	}
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
