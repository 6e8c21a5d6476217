package oncall

import (
	"slices"
	"time"
)

// What is kept of what monitors send.
const (
	PayloadsKept = 200                // of each integration, the newest
	PayloadLimit = 64 << 10           // bytes of a body
	PayloadLives = 7 * 24 * time.Hour // at most
)

// A Payload is what one request has brought to an integration, as it came but for the secrets in it. It is
// kept so that people can see what a monitor really sends, and rules can be tried on it.
type Payload struct {
	ID          PayloadID         `json:"-"`
	Integration IntegrationID     `json:"-"`
	At          time.Time         `json:"-"`
	Method      string            `json:"method"`
	Path        string            `json:"path"` // the key is not in it
	Query       string            `json:"query,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"` // harmless ones, by canonical name
	Body        []byte            `json:"body,omitempty"`    // plain, whatever it was packed with
	Size        int64             `json:"size,omitempty"`    // of the whole body, in bytes; 0: it isn't known
	Cut         bool              `json:"cut,omitempty"`     // the body was longer

	// What was made of it then.
	Reader   string   `json:"reader,omitempty"`    // what read it, where that isn't up to the integration's kind: "opsgenie/close"
	TakenFor Format   `json:"taken_for,omitempty"` // empty: it was not understood
	Trouble  string   `json:"trouble,omitempty"`   // why it was refused, or not understood
	Signals  int      `json:"signals,omitempty"`
	Keys     []string `json:"keys,omitempty"` // the dedup keys of the first ones
}

// payloadKeys is how many dedup keys of a payload are kept.
const payloadKeys = 20

// MadeOf notes the signals that were made of a payload.
func (p *Payload) MadeOf(signals []Signal) {
	p.Signals = len(signals)
	for _, s := range signals {
		if s.Unread && len(s.Hints) > 0 && p.Trouble == "" {
			p.Trouble = s.Hints[0].Text
		}
		if s.DedupKey != "" && len(p.Keys) < payloadKeys && !slices.Contains(p.Keys, s.DedupKey) {
			p.Keys = append(p.Keys, s.DedupKey)
		}
	}
}
