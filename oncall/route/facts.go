package route

import (
	"cmp"

	"github.com/watchbill/watchbill/oncall"
)

// Facts are what rules can test: our own fields, the same for every monitor. A missing one is "".
type Facts struct {
	Title, Body, Severity, Service string
	Kind                           string // the monitor's format
	Integration, Team              string // by name
	Key, Link                      string
	Labels, Details                map[string]string
}

// FactsOf returns the facts of a signal to an integration of a team.
func FactsOf(in oncall.Integration, team string, s oncall.Signal) Facts {
	return Facts{
		Title: s.Title, Body: s.Body, Severity: string(cmp.Or(s.Severity, oncall.High)),
		Service: oncall.Alert{Labels: s.Labels}.Service(in),
		Kind:    string(cmp.Or(s.Format, in.Format)), Integration: in.Name, Team: team,
		Key: s.DedupKey, Link: s.Link, Labels: s.Labels, Details: s.Details,
	}
}

// fields are the facts with a single value, by their names in rules.
var fields = map[string]func(*Facts) string{
	"title":       func(f *Facts) string { return f.Title },
	"body":        func(f *Facts) string { return f.Body },
	"severity":    func(f *Facts) string { return f.Severity },
	"service":     func(f *Facts) string { return f.Service },
	"kind":        func(f *Facts) string { return f.Kind },
	"integration": func(f *Facts) string { return f.Integration },
	"team":        func(f *Facts) string { return f.Team },
	"dedup_key":   func(f *Facts) string { return f.Key },
	"link":        func(f *Facts) string { return f.Link },
}

// named are the facts with a value for each name: "labels.env".
var named = map[string]func(*Facts) map[string]string{
	"labels":  func(f *Facts) map[string]string { return f.Labels },
	"details": func(f *Facts) map[string]string { return f.Details },
}
