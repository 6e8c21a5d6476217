package oncall

import (
	"slices"
	"time"
)

// Limits of stored payloads.
const (
	PayloadsKept = 200                // newest payloads of each integration
	PayloadLimit = 64 << 10           // bytes of a body
	PayloadLives = 7 * 24 * time.Hour // at most
)

// A Payload is a request as it was sent to an integration, without its secrets. Payloads are stored so that people can
// see what a monitor really sends, and try rules on it.
type Payload struct {
	ID          PayloadID         `json:"-"`
	Integration IntegrationID     `json:"-"`
	At          time.Time         `json:"-"`
	Method      string            `json:"method"`
	Path        string            `json:"path"` // without the key
	Query       string            `json:"query,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"` // those without secrets, by canonical name
	Body        []byte            `json:"body,omitempty"`    // decompressed
	Size        int64             `json:"size,omitempty"`    // of the whole body, in bytes; 0: unknown
	Cut         bool              `json:"cut,omitempty"`     // Body is only the beginning

	// How the request was parsed when it arrived.
	Reader       string   `json:"reader,omitempty"`    // the parser, if the path chose it: "opsgenie/close"
	RecognisedAs Format   `json:"taken_for,omitempty"` // the recognised format; empty: none
	Trouble      string   `json:"trouble,omitempty"`   // why it was refused, or could not be parsed
	Signals      int      `json:"signals,omitempty"`
	Keys         []string `json:"keys,omitempty"` // the first payloadKeys dedup keys
}

// payloadKeys is how many dedup keys of a payload are stored.
const payloadKeys = 20

// NoteSignals notes the signals that a payload was parsed into.
func (p *Payload) NoteSignals(signals []Signal) {
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
