package bot

import (
	"strings"
	"testing"
)

// Natural phrases become commands; commands stay as they are.
func TestRephrase(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"when am I next on call?": "me",
		"my next shift":           "me",
		"who has 4":               "incident 4", "who acked 4?": "incident 4", "is 4 fixed": "incident 4", "does somebody have #4": "incident #4",
		"is anybody on it?": "incidents", "has anybody got it": "incidents", "who has it": "incidents",
		"who is on call 4 may": "who is on call 4 may", "is @bo on call at 18": "who @bo at 18", "who is on 4 may": "who is on 4 may",
		"wake up bo: db is down": "page bo db is down", "wake up 12": "wake up 12",
		"i need help with 4": "add 4", "help 4": "add 4", "i'm on it 5": "ack 5", "on it #5": "ack #5", "looking into 5": "ack 5",
		"false alarm 4": "verdict 4 noise", "false alarm on 4: the probe broke": "verdict 4 noise the probe broke", "stop paging me": "stop-paging",
		"who next week": "who next week", "who is away next week": "who next week", "who on call last monday": "who last monday",
		"is @bo on call tomorrow":               "who @bo tomorrow",
		"i'm sick tomorrow":                     "away tomorrow",
		"I'm on it!":                            "ack",
		"im looking into it":                    "ack",
		"got it thanks":                         "ack",
		"take over from bo until 22:00":         "override me for bo until 22:00",
		"take over it":                          "ack it",
		"was @bo on call yesterday":             "who @bo yesterday",
		"handover":                              "next",
		"handover 12 @bo":                       "handover 12 @bo",
		"i am away":                             "away",
		"take my shift fri":                     "cover fri",
		"list teams":                            "teams",
		"show me incidents":                     "incidents",
		"show incident 12":                      "incident 12",
		"show schedule payments in 2 weeks":     "schedule payments in 2 weeks",
		"new schedule":                          "schedule new",
		"edit schedule payments":                "schedule edit payments",
		"override list":                         "override cancel",
		"overrides":                             "override cancel",
		"away cancel":                           "away list",
		"what's next 12":                        "plan 12",
		"what happened with 12":                 "incident 12",
		"what is open?":                         "incidents",
		"help with swap":                        "help swap",
		"how can I swap":                        "help swap",
		"ack ?":                                 "help ack",
		"ack mine":                              "ack all",
		"resolve all open incidents":            "resolve all",
		"ack it":                                "ack",
		"take over 12":                          "ack 12",
		"ack 2 to 4":                            "ack 2-4",
		"can you please ack 12":                 "ack 12",
		"add @bo to 12":                         "add 12 @bo",
		"add responders 12 @bo for the db":      "add 12 @bo for the db",
		"reassign @bo 12":                       "reassign 12 @bo",
		"remind me 1 day and 2 hours before":    "remind 1d 2h",
		"wer hat Bereitschaft":                  "who",
		"test page":                             "contact test",
		"who is on call in payments tomorrow":   "who is on call in payments tomorrow",
		"note 12 please restart it thanks":      "note 12 please restart it thanks",
		"override @bo today 18:00 to 22:00":     "override @bo today 18:00 to 22:00",
		"add 12 @cy to look at 5 logs":          "add 12 @cy to look at 5 logs",
		"snooze 12 2h":                          "snooze 12 2h",
		"away 24 dec to 27 dec":                 "away 24 dec to 27 dec",
		"schedule new":                          "schedule new",
		"cover everyone fri":                    "cover everyone fri",
		"merge 12 into 9":                       "merge 12 into 9",
		"shift add @ann sat 10:00 to 16:00 ops": "shift add @ann sat 10:00 to 16:00 ops",
		"":                                      "",
		"please":                                "please",
	} {
		if got := strings.Join(rephrase(strings.Fields(typed)), " "); got != want {
			t.Errorf("%q became %q, want %q", typed, got, want)
		}
	}
}
