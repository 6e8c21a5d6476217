package web

import (
	"strings"
	"time"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// An integrationRow is an integration in the list.
type integrationRow struct {
	store.IntegrationState
	Kind  string
	Used  *time.Time // when the latest signal came
	Muted bool
	Quiet bool // no signal has ever come
}

// An integrationPage is one integration, with the settings for its monitor.
type integrationPage struct {
	integrationRow
	Where   string
	Snippet string
	Old     []store.IntegrationKey // still valid
	Rules   bool
}

func (v *visit) integrationRow(in store.IntegrationState) integrationRow {
	out := integrationRow{IntegrationState: in, Kind: formatName(in.Format), Muted: in.Mute.Muted(v.now)}
	for _, k := range in.Keys {
		if k.UsedAt != nil && (out.Used == nil || k.UsedAt.After(*out.Used)) {
			out.Used = k.UsedAt
		}
	}
	out.Quiet = out.Used == nil
	return out
}

// formatName returns a format's display name.
func formatName(f oncall.Format) string {
	if f == intake.Auto {
		return "recognised by what it sends"
	}
	return intake.FormatNamed(f).Title
}

// integrations lists the integrations.
func (v *visit) integrations() (page, error) {
	all, err := v.Store.Integrations(v.ctx, v.by)
	if err != nil {
		return page{}, err
	}
	var rows []integrationRow
	for _, in := range all {
		rows = append(rows, v.integrationRow(in))
	}
	return page{name: "integrations", title: "Integrations", tab: "integrations", data: rows}, nil
}

// keyPlaceholder is the placeholder for a key, which is shown only when it is made.
const keyPlaceholder = "KEY"

// integration returns the page of one integration.
func (v *visit) integration() (page, error) {
	all, err := v.Store.Integrations(v.ctx, v.by)
	if err != nil {
		return page{}, err
	}
	for _, in := range all {
		if !strings.EqualFold(in.Name, v.r.PathValue("name")) {
			continue
		}
		snippet := intake.SnippetFor(in.Format, v.Address, keyPlaceholder)
		p := integrationPage{integrationRow: v.integrationRow(in), Where: snippet.Where, Snippet: snippet.Text}
		for _, k := range in.Keys[1:] {
			if k.EndsAt != nil && v.now.Before(*k.EndsAt) {
				p.Old = append(p.Old, k)
			}
		}
		return page{name: "integration", title: in.Name, tab: "integrations", data: p}, nil
	}
	return page{}, oncall.ErrNotFound
}
