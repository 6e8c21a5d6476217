package setup

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// A Silence mirrors acknowledgements or snoozes as silences in an Alertmanager.
type Silence struct {
	URL string   `json:"url"`           // of that Alertmanager
	On  []string `json:"on,omitempty"`  // "acknowledge", "snooze"; both where it is left out
	For string   `json:"for,omitempty"` // what is acknowledged; "4h" where it is left out
}

// silencers are the kinds of integration whose alerts have the same labels in Alertmanager as here.
var silencers = []oncall.Format{"", oncall.AutoFormat, "alertmanager"}

// Silencing parses what is silenced; nil if nothing is.
func (in Integration) Silencing() (*oncall.Silencing, error) {
	if in.Silence == nil {
		return nil, nil //nolint:nilnil // it is optional
	}
	if !slices.Contains(silencers, in.Format) {
		return nil, fmt.Errorf("silence is for what an Alertmanager sends by its webhook: kind may be alertmanager, or left out")
	}
	s := &oncall.Silencing{URL: strings.TrimRight(in.Silence.URL, "/")}
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("silence's url is %q; it is the address of an Alertmanager, such as \"http://alertmanager:9093\"", in.Silence.URL)
	case u.User != nil:
		return nil, fmt.Errorf("silence's url has a user in it; set WATCHBILL_ALERTMANAGER_AUTH, which no file and no database has")
	}
	on := in.Silence.On
	if len(on) == 0 {
		for _, cause := range oncall.SilenceCauses {
			on = append(on, string(cause))
		}
	}
	for _, cause := range oncall.SilenceCauses { // in a fixed order, whatever the file's
		if slices.Contains(on, string(cause)) {
			s.On = append(s.On, cause)
		}
	}
	if len(s.On) != len(on) {
		return nil, fmt.Errorf("silence's on is %v; it may list acknowledge and snooze, each once", on)
	}
	if s.For, err = parseSpan("silence's for", in.Silence.For, oncall.SilenceUsually.Duration(), time.Minute); err != nil {
		return nil, err
	}
	return s, nil
}

// writeSilence writes what Silencing reads.
func writeSilence(s *oncall.Silencing) *Silence {
	if s == nil {
		return nil
	}
	out := &Silence{URL: s.URL}
	for _, cause := range s.On {
		out.On = append(out.On, string(cause))
	}
	if len(s.On) == len(oncall.SilenceCauses) {
		out.On = nil
	}
	if s.For != oncall.SilenceUsually {
		out.For = writeSpan(s.For)
	}
	return out
}
