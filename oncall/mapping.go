package oncall

// A Mapping says how signals are made of the bodies that come for an integration: texts with CEL inside ${}. It
// is stored as JSON: fields are only ever added.
type Mapping struct {
	Each     string            `json:"each,omitempty"` // CEL: the list of which each part is a signal
	Title    string            `json:"title"`
	Body     string            `json:"body,omitempty"`
	Severity string            `json:"severity,omitempty"`
	Status   string            `json:"status,omitempty"`
	DedupKey string            `json:"dedup_key,omitempty"`
	Link     string            `json:"link,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	Details  map[string]string `json:"details,omitempty"`
	Links    map[string]string `json:"links,omitempty"`
}
