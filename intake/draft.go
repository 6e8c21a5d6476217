package intake

import (
	"slices"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A draft is a signal whose texts have not been cleaned yet.
type draft struct {
	action oncall.Action
	hints  []oncall.Hint

	key, group, title, body, link string
	level                         string // the severity, in the monitor's words
	labels, details               map[string]string
	links                         links
	starts, ends                  string
	note                          string
	about                         string // what a text is about; used only by the code that reads it
}

// status sets the action from a monitor's word for it.
func (d *draft) status(field, word string) {
	d.action = oncall.Trigger
	if trim(word) != "" {
		d.action, d.hints = readStatus(field, word)
	}
}

// label adds a label, unless its value is blank.
func (d *draft) label(name, value string) {
	if trim(value) == "" {
		return
	}
	if d.labels == nil {
		d.labels = map[string]string{}
	}
	d.labels[name] = value
}

// detail adds a text that has no field of its own, or a link if it is one.
func (d *draft) detail(name, value string) {
	if trim(value) == "" || d.links.add(name, value) {
		return
	}
	if d.details == nil {
		d.details = map[string]string{}
	}
	d.details[name] = value
}

// signal cleans the draft. A trigger without a title is named after its key, and a missing key is made
// from the title.
func (d draft) signal() oncall.Signal {
	level, unknown := readSeverity("severity", d.level)
	details := cleanDetails(d.links.take(d.details))
	d.links.runbooks(d.labels)
	signal := oncall.Signal{
		Action: d.action, DedupKey: cleanKey(d.key), GroupKey: cleanKey(d.group),
		Title: clean(d.title, maxTitle), Body: cutMarked(d.body, maxBody), Link: cleanLink(d.link),
		Links: d.links, Details: details, Severity: level, Labels: cleanLabels(d.labels),
		StartsAt: parseTime(d.starts), EndsAt: parseTime(d.ends), Note: cutMarked(d.note, maxDetail), Hints: slices.Concat(d.hints, unknown),
	}
	if signal.Action == "" {
		signal.Action = oncall.Trigger
	}
	if signal.Action == oncall.Trigger && signal.Title == "" {
		signal.Title = first(clean(d.key, maxTitle), "Alert without a name")
	}
	if signal.DedupKey == "" {
		signal.DedupKey, signal.Keyless = hash(stem(signal.Title)), true
	}
	if len(signal.Links) == 0 {
		signal.Links = nil
	}
	return signal
}

// scopedKey returns the key for an id within a monitor. Without an id there is none, because all the
// monitor's alerts would share it.
func scopedKey(monitor, id string) string {
	if trim(id) == "" {
		return ""
	}
	return monitor + "/" + id
}

func single(d draft) ([]oncall.Signal, error) { return []oncall.Signal{d.signal()}, nil }

// parseTime reads a time as monitors write it: RFC 3339 or something close to it, or seconds or
// milliseconds since 1970. A time without a zone is ignored.
func parseTime(text string) time.Time {
	text = trim(text)
	if t := parseInstant(text); !t.IsZero() {
		return t
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return parseInstant(t.Format(time.RFC3339Nano))
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || n < 1e9 || n >= 1e14:
		return time.Time{}
	case n < 1e11:
		return time.UnixMicro(int64(n * 1e6)).UTC()
	}
	return time.UnixMilli(int64(n)).UTC()
}
