package intake

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// Generic reads one JSON object with these fields; where a line gives several names, the first
// one present counts, and case, dashes and underscores don't:
//
//	event_action, status    trigger, acknowledge, resolve and the like; trigger if absent or unknown;
//	                        state and action too, where they say something known
//	title, summary, message needed for a trigger without a dedup_key; also subject, name, text, …
//	dedup_key               which alert it is; also dedup, alias, fingerprint, …; if absent, a hash of
//	                        the title, so that the same title means the same alert
//	group_key               alerts under one key share an incident
//	body, description       more text; an object is kept as its JSON
//	severity, priority      critical, high, medium, low, P1 to P5 and the like; also level, urgency
//	link, url               where to look
//	runbook_url, runbook    what to do; also as a label, or as a link called Runbook
//	links                   more addresses: a list of objects with href or url, and text
//	labels                  an object of names and values
//
// Everything else is kept as a detail of the alert. A body that is Alertmanager's or Grafana's is read as such.
func Generic(body []byte) ([]oncall.Signal, error) {
	body, err := prepare(body)
	if err != nil {
		return nil, err
	}
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return nil, notJSON(err)
	}
	if _, ok := o.webhook(); ok {
		if signals, err := parseWebhook(body); err == nil {
			return signals, nil
		}
	}
	return o.signals()
}

func (o object) signals() ([]oncall.Signal, error) {
	if signals, ok := inDialect(o); ok {
		return signals, nil
	}
	s, err := o.signal()
	if err != nil {
		return nil, err
	}
	return []oncall.Signal{s}, nil
}

func (o object) signal() (oncall.Signal, error) {
	var signal oncall.Signal
	action, hints, err := o.action()
	if err != nil {
		return signal, err
	}
	var title, key, group, body, level, link string
	fields := genericFields(o)
	for i, into := range []*string{nil, &title, &key, &group, &body, &level, &link} {
		if into == nil {
			continue
		}
		if *into, err = asText(o[fields[i]]); err != nil {
			return signal, notJSON(err)
		}
	}
	labels, odd, err := o.labels()
	if err != nil {
		return signal, err
	}
	shown, details := o.extras()
	if fields[actionField] == "" && okWords[normalize(level)] { // some monitors show it only in the severity
		action, level = oncall.Clear, ""
	}
	sev, unknown := readSeverity(cmp.Or(fields[levelField], "severity"), level)
	title, key = trim(title), cleanKey(key)
	about := title
	if kumaSays.MatchString(body) { // a notification's title may be the same for all alerts
		about = body
	}
	if m := kumaState(about); m != nil {
		title, body = m[1]+" is down", cmp.Or(trim(m[3]), body)
	}
	if lines := nonBlank(strings.Split(title, "\n")...); len(lines) > 1 {
		body = cmp.Or(body, title)
		title = clean(strings.Join(lines, " "), maxLines)
	}
	if stated, clear := actionInTitle(about); clear && fields[actionField] == "" {
		action = stated
	}
	if title == "" && action == oncall.Trigger { // a page titled by its key is better than none
		title = key
	}
	if action == oncall.Trigger && title == "" {
		return signal, problem("title", "title is missing; a trigger needs one, as title, summary or message.")
	}
	keyless := false
	if key == "" {
		if title == "" {
			return signal, problem("dedup_key", "dedup_key is missing; to %s an alert, give the dedup_key of its trigger, or the same title.", action)
		}
		key, keyless = hash(append([]string{stem(about)}, o.placeIn(fields[titleField])...)...), true
	}
	return oncall.Signal{
		Keyless: keyless, Action: action, DedupKey: key, GroupKey: cleanKey(group),
		Title: clean(title, maxTitle), Body: cutMarked(body, maxBody), Link: cleanLink(link),
		Links: shown, Details: details, Severity: sev, Labels: cleanLabels(labels), Hints: slices.Concat(hints, unknown, odd),
	}, nil
}

// placeFields are fields that locate a problem.
var placeFields = setOf("host hostname instance node nodename server servername device devicename computer machine monitorname")

// placeIn tells apart alerts of one name in several places. A field actually called title is
// the key by itself: that is documented, and hand-written resolves send nothing else.
func (o object) placeIn(title string) []string {
	if title == "title" || title == "summary" || title == "message" || len(o) > maxNames {
		return nil
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if name != title && placeFields[normalize(name)] && len(o[name]) > 0 && o[name][0] == '"' {
			text, _ := asText(o[name])
			out = append(out, normalize(name), trim(text))
		}
	}
	return out
}

// Accepted names of each field; the first one present counts. Those after a bar count only if they
// hold text.
const (
	actionField = iota
	titleField
	keyField
	groupField
	bodyField
	levelField
	linkField
)

var genericNames = [][]string{
	actionField: {
		"event_action", "status", "|", "state", "action", "alert_status", "alert_state", "event_status", "message_type", "event_type",
		"alert_type", "incident_status", "current_state", "current_status", "new_state", "new_status", "transition", "notification_type", "result", "x_s4_status",
		"monitor_status", "monitor_state", "check_status", "check_state", "sensor_status", "probe_status", "site_status", "job_status", "problem_status", "problem_state",
		"trigger", "type", "event",
	},
	titleField: {"title", "summary", "message", "|", "subject", "alert_name", "rule_name", "name", "entity_display_name", "headline", "text", "msg", "alert", "event", "markdown", "content"},
	keyField:   {"dedup_key", "|", "dedup", "deduplication_key", "incident_key", "alert_key", "event_key", "alert_uid", "alias", "fingerprint", "entity_id", "idempotency_key", "incident_id", "problem_id", "issue_id", "x_s4_external_id"},
	groupField: {"group_key"},
	bodyField:  {"body", "description", "|", "message", "details", "state_message", "text", "msg", "content"},
	levelField: {"severity", "priority", "|", "level", "urgency", "criticality", "alert_severity"},
	linkField:  {"link", "url", "|", "link_to_upstream_details", "html_url", "permalink", "alert_url", "incident_url", "monitor_url", "problem_url", "dashboard_url", "click", "web_url"},
}

// genericFields returns the name that the object uses for each of the fields above, empty if it has
// none.
func genericFields(o object) []string {
	found := make([]string, len(genericNames))
	for i, names := range genericNames {
		textOnly := false
		for _, name := range names {
			if name == "|" {
				textOnly = true
				continue
			}
			field := o.named(name)
			if field == "" || textOnly && o[field][0] != '"' || slices.Contains(found[:i], field) {
				continue
			}
			if s, err := asText(o[field]); err != nil || trim(s) == "" || textOnly && i == actionField && !isStatus(s) ||
				i == titleField && (name == "event" || name == "alert") && !strings.Contains(trim(s), " ") { // these may name a kind of event instead
				continue
			}
			found[i] = field
			break
		}
	}
	return found
}

// okWords are severity words that mean "no problem".
var okWords = setOf("ok okay clear cleared resolved recovered recovery closed")

// titleEnds are the endings of field names that may hold a title if none of the usual ones does,
// the likelier first. nobodys are fields with such an ending that name a person or something else.
var (
	titleEnds = strings.Fields("title subject summary headline alertname rulename monitorname checkname problemname triggername searchname jobname eventname " +
		"friendlyname displayname servicename summarymessage eventmessage alertmessage message reason description text name alert event")
	nobodys = regexp.MustCompile(`(?:user|host|file|account|project|team|owner|organi[sz]ation|company|first|last|class|path|logger|receiver|channel|author|sender)name$`)
)

// lastTitle returns the text of the field whose name most resembles that of a title.
func (o object) lastTitle() string {
	if len(o) > maxNames {
		return ""
	}
	best, at := "", len(titleEnds)
	for _, name := range slices.Sorted(maps.Keys(o)) {
		plain := normalize(name)
		if len(o[name]) == 0 || o[name][0] != '"' || nobodys.MatchString(plain) {
			continue
		}
		for i, end := range titleEnds[:at] {
			if text, _ := asText(o[name]); strings.HasSuffix(plain, end) && trim(text) != "" {
				best, at = text, i
				break
			}
		}
	}
	line, _, _ := strings.Cut(trim(best), "\n")
	return trim(line)
}

// maxNames is how many fields are searched for a differently written name.
const maxNames = 1_000

// named returns a field's name as the object spells it: exactly as given, or else ignoring case,
// dashes and underscores.
func (o object) named(name string) string {
	if len(o[name]) > 0 || len(o) > maxNames {
		if len(o[name]) == 0 {
			return ""
		}
		return name
	}
	plain, found := normalize(name), ""
	for other := range o {
		if len(other) >= len(plain) && normalize(other) == plain && len(o[other]) > 0 && (found == "" || other < found) {
			found = other
		}
	}
	return found
}

// extras returns the links of an object besides its own, and the texts of fields that nothing else
// shows.
func (o object) extras() ([]oncall.Link, map[string]string) {
	shown := map[string]bool{}
	fields := genericFields(o)
	for _, name := range fields {
		shown[name] = true
	}
	if address, _ := asText(o[fields[linkField]]); cleanLink(address) == "" {
		shown[fields[linkField]] = false // shown as text instead
	}
	labels, odd, _ := o.labels()
	shown["labels"] = len(o["labels"]) > 0 && len(odd) == 0
	var l links
	texts := map[string]string{}
	for name, raw := range o {
		if shown[name] || secretName(name) || name == "links" && l.read(raw) {
			continue
		}
		if text, err := asText(raw); err == nil {
			texts[name] = text
		}
	}
	details := cleanDetails(l.take(texts))
	l.runbooks(labels)
	return l, details
}

// action reads what happened. A status that isn't even a word counts as unknown.
func (o object) action() (oncall.Action, []oncall.Hint, error) {
	name := genericFields(o)[actionField]
	word, err := asText(o[name])
	if err != nil {
		return "", nil, notJSON(err)
	}
	if trim(word) == "" {
		return oncall.Trigger, nil, nil
	}
	a, hints := readStatus(name, word)
	return a, hints, nil
}

// isStatus reports whether a word is a known status.
func isStatus(word string) bool {
	_, hints := readStatus("", word)
	return len(hints) == 0
}

func (o object) labels() (map[string]string, []oncall.Hint, error) {
	raw := o["labels"]
	if len(raw) == 0 || string(raw) == "null" {
		return map[string]string{}, nil, nil
	}
	if raw[0] != '{' {
		return map[string]string{}, []oncall.Hint{{
			Field: "labels", Text: "labels is not an object, and is left out; it must be one, such as {\"service\": \"checkout\"}.",
		}}, nil
	}
	var values object
	if err := json.Unmarshal(raw, &values); err != nil {
		return nil, nil, notJSON(err)
	}
	labels := map[string]string{}
	for name, raw := range values {
		s, err := asText(raw)
		if err != nil {
			return nil, nil, notJSON(err)
		}
		if s != "" {
			labels[name] = s
		}
	}
	return labels, nil, nil
}
