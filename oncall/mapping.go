package oncall

// A Mapping turns the JSON bodies of an integration into signals, by templates with CEL inside ${}. It is stored as
// JSON: fields are only ever added.
type Mapping struct {
	Each     string            `json:"each,omitempty"` // CEL: a list with one element for each signal
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
