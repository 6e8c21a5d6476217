package bot

import (
	"strings"
	"testing"
)

func TestPhrasesAboutIncidents(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"give incident 2 to bo":           "reassign 2 bo",
		"give 2 to @bo":                   "reassign 2 @bo",
		"give bo incident 2":              "reassign 2 bo",
		"can you hand over #2 to bo":      "reassign #2 bo",
		"assign 2 to bo please":           "reassign 2 bo",
		"give back 2":                     "unack 2",
		"drop 2":                          "unack 2",
		"loop in bo on 4":                 "add 4 bo",
		"note on 4: it was the cache":     "note 4 it was the cache",
		"add note to 4 restarted":         "add note to 4 restarted",
		"review of 4":                     "review 4",
		"write a postmortem for 4":        "review 4",
		"open a channel for 4":            "channel 4",
		"update on 4: back at noon":       "update 4 back at noon",
		"post an update on 4 back soon":   "update 4 back soon",
		"timeline of 4":                   "timeline 4",
		"make 4 critical":                 "severity 4 critical",
		"set severity of 4 to high":       "severity 4 high",
		"change the severity of 4 to low": "severity 4 low",
		"mark 4 as noise":                 "verdict 4 noise",
		"4 is noise":                      "verdict 4 noise",
		"4 was a false alarm":             "verdict 4 noise",
		"4 noise: the probe":              "verdict 4 noise the probe",
		"false alarm 4":                   "verdict 4 noise",
		"noise 4":                         "verdict 4 noise",
		"it was noise":                    "verdict noise",
		"4 is fixed":                      "resolve 4",
		"incident 4 is critical":          "severity 4 critical",
		"it's fixed":                      "resolve",
		"4 is a duplicate of 5":           "merge 4 into 5",
		"undo the merge of 4":             "unmerge 4",
		"undo merge 4":                    "unmerge 4",
		"mute 4 2h":                       "snooze 4 2h",
		"mute payments 2h":                "mute payments 2h",
		"what happened last night":        "incidents all last night",
		"what happened yesterday?":        "incidents all yesterday?",
		"what happened with 4":            "incident 4",
		"what broke over the weekend":     "incidents all weekend",
		"what happened":                   "incidents all",
		"bo's actions":                    "actions bo's",
		"my actions":                      "actions mine",
		"incident 4":                      "incident 4",
		"4 ack":                           "4 ack",
		"assign":                          "assign",
		"make it stop":                    "make it stop",
		"open incidents":                  "incidents",
		"give me incidents":               "incidents",
		"open channel":                    "open channel",
		"get help":                        "help get",
		"4":                               "4",
	} {
		if got := strings.Join(rephrase(strings.Fields(typed)), " "); got != want {
			t.Errorf("%q became %q, want %q", typed, got, want)
		}
	}
}
