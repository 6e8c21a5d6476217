package store_test

import (
	"go/ast"
	"go/constant"
	"go/types"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notSetUp are the tables that the audit log leaves out: they hold what has happened, not how things are set up.
var notSetUp = strings.Fields(`
	alerts drawings drawing_copies incidents incident_events inbox inbox_rejected pages page_attempts replies slack_seen
	river_job notices notice_messages probes codes reaches audit_log receipts cursors
	findings silences raised spools opsgenie_requests provider_state slack_channels checks schedule_edits outage_pages canary pings heartbeat_ticks payloads api_requests web_sessions web_links certificates numbering review_actions`)

// withoutEntry are the exported methods that change some set-up without writing an entry, and why.
var withoutEntry = map[string]string{
	"Token":                 "a signing key of the release before, made by itself",
	"ClaimFrugally":         "it folds, as Run does",
	"Run":                   "it counts the turns of round robin and takes hand-offs by what is done with incidents, which have their events",
	"Act":                   "it takes hand-offs by what is done with an incident, which has its events",
	"ActOnMessage":          "it takes hand-offs by what is done with an incident, which has its events",
	"Raise":                 "it takes hand-offs by what is done with an incident, which has its events; and it counts the turns of round robin",
	"RunIncidentTimer":      "it takes hand-offs by what is done with an incident, which has its events",
	"RecordSilences":        "it takes hand-offs by what is done with an incident, which has its events",
	"EndChannel":            "it takes hand-offs by what is done with an incident, which has its events",
	"AddReviewAction":       "it takes hand-offs by what is done with an incident, which has its events",
	"EndReviewAction":       "it takes hand-offs by what is done with an incident, which has its events",
	"EndStorm":              "it takes hand-offs by what is done with an incident, which has its events",
	"CloseFlap":             "it takes hand-offs by what is done with an incident, which has its events",
	"TakeBackFromLeavers":   "it takes hand-offs by what is done with an incident, which has its events",
	"Answer":                "it takes hand-offs by what is done with an incident, which has its events; and it notes that a contact method was used",
	"SaveKeyUses":           "it counts",
	"ResealSigning":         "the same secrets, sealed otherwise",
	"SaveAPIKeyUses":        "it counts",
	"BeginHook":             "it notes how far a webhook has been told",
	"EndHook":               "it notes how far a webhook has been told",
	"ResealHooks":           "the same secrets, sealed otherwise",
	"ResealOrganisations":   "the same settings, sealed otherwise",
	"BeginAwayCalendar":     "it notes how far a calendar has been read",
	"EndAwayCalendar":       "it notes how far a calendar has been read",
	"ResealAwayCalendars":   "the same secrets, sealed otherwise",
	"QueueHolidayCalendars": "it notes which calendars are to be read",
	"BeginHolidayCalendar":  "it notes how far a calendar has been read",
	"EndHolidayCalendar":    "it notes how far a calendar has been read; the entry of the schedule names the calendar",
	"EndMutes":              "the entry of the mute says until when",
	"CheckMaintenance":      "windows that begin and end by themselves; the entry of each says when",
	"CheckSchedule":         "hand-offs that come by themselves",
	"RunSwapTimer":          "what ends by itself",
	"RunCoverTimer":         "what ends by itself",
	"GroupSeen":             "what Slack says of user groups",
	"GroupTrouble":          "what Slack says of user groups",
	"SaveWorkspace":         "what Slack says of the workspace",
	"RemoveHistory":         "what ended years ago, by the term that the settings say",
}

// Whatever changes the set-up, schedules, access or how people are reached tells the audit log of it, in every
// method that reaches a statement that does so.
func TestSetupChangesAreAudited(t *testing.T) {
	t.Parallel()
	files, parsed := sources(t)
	w := walking{counting: newCounting(t, files, parsed)}
	audited := 0
	for f := range w.bodies {
		if !f.Exported() || !ofExportedType(f) {
			continue
		}
		tables, told := w.of(f)
		_, excepted := withoutEntry[f.Name()]
		switch {
		case len(tables) > 0 && !told && !excepted:
			t.Errorf("%s: %s changes %s and tells the audit log nothing: call record, or say here why not", files.Position(f.Pos()), f.Name(), strings.Join(tables, ", "))
		case excepted && (len(tables) == 0 || told):
			t.Errorf("%s needs no exception", f.Name())
		case told:
			audited++
		}
	}
	if audited < 25 {
		t.Errorf("found %d methods that tell the audit log only, want at least 25", audited)
	}
}

var writes = regexp.MustCompile(`\b(?:INSERT INTO|DELETE FROM|UPDATE)\s+([a-z_]+)`)

type walking struct{ *counting }

// of lists the tables that a function may change, itself or through others, and whether it calls record.
func (w walking) of(f *types.Func) (tables []string, told bool) {
	seen := map[*types.Func]bool{}
	var look func(f *types.Func)
	text := func(sql string) {
		for _, m := range writes.FindAllStringSubmatch(sql, -1) {
			if name := strings.ToLower(m[1]); name != "set" && name != "skip" && name != "of" && !slices.Contains(notSetUp, name) && !slices.Contains(tables, name) {
				tables = append(tables, name)
			}
		}
	}
	look = func(f *types.Func) {
		body, ours := w.bodies[f]
		if !ours || seen[f] {
			return
		}
		seen[f] = true
		if f.Name() == "record" && f.Signature().Recv() == nil {
			told = true
			return
		}
		ast.Inspect(body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				text(n.Value)
			case *ast.Ident:
				switch used := w.Uses[n].(type) {
				case *types.Func:
					look(used)
				case *types.Const:
					if used.Val().Kind() == constant.String {
						text(constant.StringVal(used.Val()))
					}
				}
			}
			return true
		})
	}
	look(f)
	slices.Sort(tables)
	return tables, told
}
