package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
)

// aliases maps the command names of other tools to ours.
var aliases = map[string]string{
	"contacts": "contact", "admin": "contact", "notify": "contact", "notifications": "contact", "phone": "contact", "profile": "contact", "settings": "contact",
	"acknowledge": "ack", "acknowledged": "ack", "acked": "ack", "take": "ack", "mine!": "ack", "accept": "ack",
	"unacknowledge": "unack", "un-ack": "unack", "unacked": "unack",
	"close": "resolve", "closed": "resolve", "resolved": "resolve", "fixed": "resolve", "done": "resolve",
	"open": "incidents", "status": "incidents", "list": "incidents", "ls": "incidents", "alerts": "incidents", "alert": "incident", "show": "incident",
	"detail": "details", "labels": "details", "runbook": "details", "view": "incident", "get": "incident", "log": "timeline",
	"next-steps": "plan", "explain": "why", "reason": "why",
	"delay": "snooze", "wake": "unsnooze", "silence": "mute", "unsilence": "unmute", "maint": "maintenance", "downtime": "maintenance", "windows": "maintenance", "window": "maintenance",
	"heartbeat": "heartbeats", "beats": "heartbeats", "checks": "heartbeats", "cron": "heartbeats", "crons": "heartbeats", "pings": "heartbeats", "deadman": "heartbeats",
	"integration": "integrations", "keys": "key", "monitors": "integrations", "monitor": "integrations", "webhooks": "integrations", "sources": "integrations", "apikeys": "apikey", "api-key": "apikey", "api-keys": "apikey", "tokens": "apikey", "token": "apikey",
	"payload": "payloads", "raw": "payloads", "route": "routes", "rules": "routes", "rule": "routes", "routing": "routes", "mapping": "payloads",
	"assign": "reassign", "delegate": "reassign", "handover": "reassign", "hand-over": "reassign", "transfer": "reassign",
	"responder": "add", "responders": "add", "invite": "add", "add-responder": "add", "addresponder": "add",
	"comment": "note", "add-note": "note", "addnote": "note", "notes": "note",
	"priority": "severity", "urgency": "severity", "sev": "severity", "prio": "severity",
	"whois": "who", "who's": "who", "whos": "who", "who\u2019s": "who", "oncall": "who", "on-call": "who", "schedules": "who", "whosoncall": "who",
	"whoami": "me", "my": "me", "mine": "me", "shifts": "me", "myshifts": "me", "my-shifts": "me", "i": "me",
	"team": "teams", "people": "users", "user": "users", "members": "users",
	"upcoming": "next", "handoff": "next", "handoffs": "next", "hand-off": "next", "rota": "schedule", "roster": "schedule", "rosters": "schedule", "timetable": "schedule", "rotation": "schedule", "rotations": "schedule", "calendar-feed": "calendar", "cal": "calendar", "ics": "calendar", "ical": "calendar",
	"feed": "calendar", "replace": "override", "overrides": "override", "takeover": "override", "trade": "swap", "exchange": "swap", "cover-me": "cover", "coverme": "cover",
	"sub": "cover", "substitute": "cover", "vacation": "away", "pto": "away", "ooo": "away", "off": "away", "timeoff": "away",
	"time-off": "away", "leave": "away", "sick": "away", "ill": "away", "reminder": "remind", "reminders": "remind", "remindme": "remind",
	"leaves": "leaver", "left": "leaver", "offboard": "leaver", "offboarding": "leaver", "remove": "leaver", "quits": "leaver", "departure": "leaver",
	"audit": "history", "audit-log": "history", "auditlog": "history", "changes": "history", "changelog": "history",
	"reports": "report", "stats": "report", "statistics": "report", "metrics": "report", "mtta": "report", "mttr": "report", "load": "report", "fairness": "report", "roles": "users", "role": "users", "analytics": "report", "digest": "report", "insights": "report",
	"trigger": "page", "create": "page", "declare": "page", "call": "page", "raise": "page", "summon": "page", "alarm": "page", "pager": "page", "wake-up": "page",
	"page-link": "web", "website": "web", "browser": "web", "login": "web", "signin": "web", "sign-in": "web", "dashboard": "web", "ui": "web", "console": "web",
	"set-up": "setup", "configure": "setup", "config": "setup", "onboarding": "setup", "policies": "setup", "policy": "setup", "escalations": "setup", "escalation": "setup",
	"postmortem": "review", "post-mortem": "review", "retro": "review", "retrospective": "review", "rca": "review", "debrief": "review",
	"todo": "actions", "todos": "actions", "tasks": "actions", "my-actions": "actions", "follow-up": "action", "followup": "action", "task": "action", "updates": "update", "announce": "update", "status-update": "update", "stakeholders": "update", "channels": "channel", "war-room": "channel", "warroom": "channel", "room": "channel",
	"outcome": "verdict", "cause": "verdict", "judge": "verdict",
	"?": "help", "-h": "help", "--help": "help", "hilfe": "help", "usage": "help", "commands": "help",
}

// elsewhere maps words that aren't commands to a hint on what to do instead.
var elsewhere = map[string]string{
	"services": "Integrations are what sends alerts, and teams answer for them: `/oncall setup` shows both. `/oncall integrations` lists them, `/oncall teams` shows who is in the teams, `/oncall incidents` what is open.",
	"holidays": view.HolidaysHelp,
	"holiday":  view.HolidaysHelp,
	"thanks":   thanks, "thank": thanks, "thx": thanks, "danke": thanks,
	"hi": greeting, "hello": greeting, "hey": greeting,
	"doctor": onServer, "export": onServer, "apply": onServer, "import": onServer, "backup": onServer, "restore": onServer,
	"statuspage": statusPage, "status-page": statusPage,
	"stop": stopPaging, "stop-paging": stopPaging,
	"timezone": yourZone, "time-zone": yourZone, "tz": yourZone,
	"version": "`watchbill version` says which version runs. `/oncall help` lists what can be typed.",
	"undo":    "Each answer that can be undone has its own Undo. `/oncall override cancel` lists your overrides, `/oncall unack 12` and `/oncall reopen 12` take back what was done with an incident.",
}

const (
	yourZone   = "Times are in the time zone of your Slack profile: change it there, under Preferences > Language & region. Each rotation has its own zone, in `/oncall schedule edit`."
	greeting   = "Hello. `/oncall` says who is on call, `/oncall incidents` what is open, `/oncall page` pages somebody, `/oncall help` lists the rest."
	onServer   = "That is a command of the server, such as `watchbill doctor` or `watchbill export`: whoever runs it can do that. `/oncall setup` changes teams, schedules and monitors here."
	statusPage = "There is no status page. `/oncall update 12 we are on it` tells the channels that the team has chosen for updates."
	thanks     = "You're welcome. `/oncall incidents` shows what is open, `/oncall help` what can be typed."
	stopPaging = "What pages you stops once you take it: `/oncall ack 12`, or `/oncall snooze 12 2h` for a while. `/oncall contact` says how you are paged, " +
		"and with `/oncall cover` or `/oncall away` others are asked to take your shifts."
)

// findCommand returns the command named by the first word, and the remaining words.
func findCommand(words []string) (command, []string, error) {
	first := strings.TrimRight(strings.ToLower(words[0]), "?!:,")
	if first == "" {
		first = "help"
	}
	if (first == "holidays" || first == "holiday") && slices.ContainsFunc(words[1:], hasDigit) { // "holidays 24 dec to 27 dec" are somebody's own
		first = "away"
	}
	if fits := map[string]bool{"incident": true, "plan": true, "ack": true}; len(words) > 1 && fits[strings.ToLower(words[1])] && first == "get" {
		words, first = words[1:], strings.ToLower(words[1])
	}
	name := first
	if other, known := aliases[name]; known {
		name = other
	}
	switch rest := words[1:]; {
	case name == "incidents" && first != name && len(rest) > 0 && isNumber(rest[0]):
		name = "incident" // as in "status 12"
	case name == "history" && len(rest) > 0 && isNumber(rest[0]):
		name = "timeline"
	case (name == "me" && first == "my" || name == "who" && first == "schedules") && len(rest) > 0:
		if rest[0] == "shifts" || rest[0] == "schedule" || rest[0] == "schedules" {
			words = words[1:]
		}
	}
	for _, known := range slices.Concat(commands(), talkCommands) {
		if known.name == name {
			return known, words[1:], nil
		}
	}
	if name == "cancel" && len(words) == 2 && isNumber(words[1]) {
		return command{}, nil, ask([]choice{{label: "Resolve " + words[1], words: []string{"resolve", words[1]}}}, "Is %s over? Nothing was changed.", view.Name(words[1]))
	}
	if text, known := elsewhere[name]; known {
		return command{}, nil, oncall.Refuse("%s", text)
	}
	if id, known := readIncidentValue(strings.TrimPrefix(name, "#")); known && !isMonth(words, 1) { // "/oncall 12 ack", but "24 dec" is a date
		if len(words) > 1 {
			if known, _, err := findCommand(words[1:2]); err == nil && slices.ContainsFunc(incidentCommands, func(c command) bool { return c.name == known.name }) {
				return known, append([]string{id.String()}, words[2:]...), nil
			}
		}
		return findCommand([]string{"incident", name})
	}
	return command{}, nil, unknownCommand(first, words)
}

func isNumber(word string) bool {
	_, known := readIncidentValue(strings.TrimPrefix(word, "#"))
	return known
}

// isMonth reports whether the word at an index is a month's name.
func isMonth(words []string, i int) bool {
	w := word(words, i)
	return slices.ContainsFunc(months, func(m string) bool { return len(w) >= 3 && strings.HasPrefix(m, w) || w == m[:min(len(m), 4)] })
}

var months = []string{
	"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
	"januar", "februar", "m\u00e4rz", "mai", "juni", "juli", "oktober", "dezember",
}

func hasDigit(word string) bool { return strings.ContainsAny(word, "0123456789") }

// unknownCommand refuses an unknown command, with a guess and fitting examples.
func unknownCommand(name string, words []string) error {
	names := make([]string, 0, len(commands())+len(aliases))
	for _, known := range commands() {
		names = append(names, known.name)
	}
	near := func(names []string) string {
		guess := oncall.Nearest(name, names)
		if len(name) < 4 && guess != "" && guess[0] != name[0] {
			return "" // one edit turns a three-letter word into another word
		}
		return guess
	}
	guess := near(names)
	if guess == "" {
		for alias := range aliases {
			names = append(names, alias)
		}
		slices.Sort(names)
		if guess = near(names); aliases[guess] != "" {
			guess = aliases[guess]
		}
	}
	if len(words) > 2 && (slices.Contains([]string{"resolve", "merge", "verdict"}, guess) || !slices.ContainsFunc(words, isArgument)) {
		guess = "" // similar spelling says nothing about the meaning of a sentence
	}
	const text = "There is no `/oncall %s`.%s Try one of these:\n%s"
	args := []any{view.Name(unescape(name)), view.DidYouMean(guess, "`/oncall %s`"), view.ExamplesFor(guess, fittingCommands(words))}
	if guess == "" {
		return oncall.Refuse(text, args...)
	}
	meant := guess
	for _, w := range words[1:] {
		if meant += " " + w; !isNumber(w) {
			meant = guess + " …"
			break
		}
	}
	return ask([]choice{{label: "Yes, " + meant, words: append([]string{guess}, words[1:]...)}}, text, args...)
}

// isArgument reports whether a word is a typical argument of a command and unlikely in a sentence: a
// number, a time or a person.
func isArgument(word string) bool {
	_, mention := view.ReadMention(word)
	return mention || strings.HasPrefix(word, "@") || hasDigit(word)
}

// fittingCommands returns the commands that take the kinds of arguments that were typed: a number, a
// person or a time.
func fittingCommands(words []string) []string {
	for _, w := range words[1:] {
		if _, ok := view.ReadMention(w); ok || strings.HasPrefix(w, "@") {
			return []string{"override", "swap", "add"}
		}
		if isNumber(w) {
			return []string{"incident", "ack", "resolve"}
		}
	}
	if len(words) > 2 && slices.ContainsFunc(words, hasDigit) {
		return []string{"override", "cover", "away"}
	}
	return []string{"who", "incidents", "page"}
}

// maxAtStart limits the schedules that a bare `/oncall` shows.
const maxAtStart = 6

// startHere answers a bare `/oncall`: who is on call in the person's teams, and the commands used
// most.
func (b *Bot) startHere(_ context.Context, r request) (string, error) {
	shown := r.ownSchedules()
	shown = shown[:min(len(shown), maxAtStart)]
	onCall := ""
	if len(shown) > 0 {
		onCall = view.OnCall(shown, r.directory.Override, r.now, r.now, r.location)
	}
	return view.Start(onCall, len(r.directory.Schedules)-len(shown), r.abilities()), nil
}

// help answers `/oncall help [command]`.
func (b *Bot) help(_ context.Context, r request) (string, error) {
	if len(r.words) == 0 {
		return view.HelpTextFor(r.abilities()), nil
	}
	known, _, err := findCommand([]string{strings.TrimPrefix(r.words[0], "/")})
	if err != nil {
		return "", err
	}
	var also []string
	for alias, name := range aliases {
		if name == known.name {
			also = append(also, alias)
		}
	}
	slices.Sort(also)
	return view.HelpFor(known.name, also, r.abilities()), nil
}

// abilities returns the reader's rights, so that the help lists only what they may do. If others can
// read the answer too, the help lists everything.
func (r request) abilities() view.Ability {
	if r.asker.Via == oncall.ViaChannel {
		return view.EveryAbility
	}
	var has view.Ability
	model := r.directory.Access()
	for ability, do := range map[view.Ability]access.Permission{
		view.SeesTeams: access.See, view.PutsOnCall: access.Override, view.EditsSchedules: access.EditSchedule, view.ManagesIntegrations: access.Integrations,
	} {
		if model.May(r.by(), do, access.Object{}) == nil || mayInSome(r.directory, r.user.ID, do) {
			has |= ability
		}
	}
	if !model.Reads(r.by()).None() {
		has |= view.ReadsChanges
	}
	return has
}
