package oncall

import (
	"strconv"
	"strings"
)

// A MessageKey names a message to a person: a page's, or a probe. Providers get it as text, and some return it with
// the person's answer.
type MessageKey struct {
	Page  string // see Page.MessageKey
	Probe Probe
}

// A Probe is a message that isn't a page: a test, or a check before a shift.
type Probe struct {
	Kind ProbeKind
	User UserID // who is asked
	Job  int64  // the job that sends it
}

// ProbeKind says what a probe is for.
type ProbeKind string

// The kinds of probes.
const (
	ProbeTest  ProbeKind = "test"
	ProbeCheck ProbeKind = "check"
)

// String returns the key as providers get it.
func (k MessageKey) String() string {
	if k.Probe.Kind != "" {
		return string(k.Probe.Kind) + "/" + string(k.Probe.User) + "/" + strconv.FormatInt(k.Probe.Job, 36)
	}
	return k.Page
}

// ParseMessageKey parses a key that a provider returned. Any text that isn't the key of a probe is taken for a page's,
// whether that page exists or not.
func ParseMessageKey(text string) MessageKey {
	if parts := strings.Split(text, "/"); len(parts) == 3 && parts[1] != "" {
		job, err := strconv.ParseInt(parts[2], 36, 64)
		kind := ProbeKind(parts[0])
		if err == nil && (kind == ProbeTest || kind == ProbeCheck) {
			return MessageKey{Probe: Probe{Kind: kind, User: UserID(parts[1]), Job: job}}
		}
	}
	return MessageKey{Page: text}
}
