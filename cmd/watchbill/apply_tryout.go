package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// maxDetours is how many rerouted signals are shown per list.
const maxDetours = 10

// A tryout is what a document would change for past signals, for one rule list or integration.
type tryout struct {
	what string // "integration \"demo\""
	of   string // " of its 3 integrations", with the leading space; empty for an integration
	oncall.Preview
}

// tryOut replays the past signals of the integrations whose routing a document may change.
func tryOut(ctx context.Context, db *store.System, before *store.Directory, report store.ApplyReport) (tryouts []tryout, err error) {
	if report.After == nil {
		return nil, nil
	}
	teams, integrations := touched(before, report)
	previews := map[oncall.IntegrationID]oncall.Preview{}
	for _, in := range report.After.Integrations {
		if _, known := before.Integration(in.ID); !known || !integrations[in.ID] && !teams[in.TeamID] {
			continue
		}
		payloads, err := db.KeptPayloads(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		previews[in.ID] = intake.Preview(ctx, before.OutcomeFacts(ctx, in.ID), report.After.OutcomeFacts(ctx, in.ID), payloads)
	}
	for _, t := range report.After.Teams {
		if !teams[t.ID] {
			continue
		}
		trial := tryout{what: fmt.Sprintf("Routes of team %q", t.Name)}
		count := 0
		for _, in := range report.After.Integrations {
			if in.TeamID == t.ID {
				trial.Preview, count = trial.With(previews[in.ID]), count+1
			}
		}
		if trial.of = fmt.Sprintf(" of its %d integrations", count); count == 1 {
			trial.of = " of its integration"
		}
		tryouts = append(tryouts, trial)
	}
	for _, in := range report.After.Integrations {
		if _, known := previews[in.ID]; known && integrations[in.ID] {
			tryouts = append(tryouts, tryout{what: fmt.Sprintf("Integration %q", in.Name), Preview: previews[in.ID]})
		}
	}
	return tryouts, nil
}

// touched returns the teams whose rule lists change, and the integrations whose own lists or
// routing change.
func touched(before *store.Directory, report store.ApplyReport) (teams map[oncall.TeamID]bool, own map[oncall.IntegrationID]bool) {
	teams, own = map[oncall.TeamID]bool{}, map[oncall.IntegrationID]bool{}
	for _, r := range report.Routes {
		if r.Owner.Team != 0 {
			teams[r.Owner.Team] = true
		} else {
			own[r.Owner.Integration] = true
		}
	}
	for _, in := range report.After.Integrations {
		was, known := before.Integration(in.ID)
		if known && (was.PolicyID != in.PolicyID || was.TeamID != in.TeamID || was.Format != in.Format ||
			!reflect.DeepEqual(was.Grouping, in.Grouping) || !reflect.DeepEqual(was.Mapping, in.Mapping)) {
			own[in.ID] = true
		}
	}
	return teams, own
}

func (t tryout) print(out io.Writer, dir *store.Directory) {
	line := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", onOneLine(args)...) }
	untried := ""
	if t.Untried > 0 {
		untried = fmt.Sprintf(" %s can't be tried: only their beginning is kept, or they were refused.", counted(t.Untried, "request"))
	}
	switch {
	case t.Tried == 0:
		line("%s: nothing is kept yet to try it on.%s", t.what, untried)
		return
	case t.Differ == 0:
		line("%s: of the last %s%s, none would go elsewhere.%s", t.what, counted(t.Tried, "signal"), t.of, untried)
	default:
		line("%s: of the last %s%s, since %s, %d would go elsewhere.%s", t.what, counted(t.Tried, "signal"), t.of, stamp(t.Since), t.Differ, untried)
	}
	if t.Silenced > 0 {
		line("  WARNING: %s would page NOBODY any more.", counted(t.Silenced, "CRITICAL signal"))
	}
	for _, why := range slices.Sorted(maps.Keys(t.Failed)) {
		line("  FAILED for %s: %s", counted(t.Failed[why], "signal"), why)
	}
	t.printDetours(line, dir)
}

func (t tryout) printDetours(line func(string, ...any), dir *store.Directory) {
	shown, signals := t.Worst(), 0
	if len(shown) > maxDetours {
		shown = shown[:maxDetours]
	}
	for _, d := range shown {
		signals += d.Times
		was, is := d.Words(func(id oncall.PolicyID) string { return dir.Policies[id].Name })
		text := fmt.Sprintf("  %s  %s: %s -> %s", stamp(d.At), d.Title(), was, is)
		if d.Times > 1 {
			text += fmt.Sprintf(" (%d times)", d.Times)
		}
		if d.SilencesCritical() {
			text = "!" + strings.TrimPrefix(text, " ") + " CRITICAL"
		}
		line("%s", text)
	}
	if rest := t.Differ - signals; rest > 0 {
		line("  and %d more", rest)
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
