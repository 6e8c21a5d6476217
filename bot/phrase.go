package bot

import (
	"regexp"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// rephrase translates natural phrases, and other tools' commands, into ours. It leaves everything else alone.
func rephrase(words []string) []string {
	words = dropPoliteWords(words)
	if len(words) == 0 {
		return words
	}
	if oncall.ReadClaim(strings.Join(words, " ")) == oncall.SpokenClaim {
		return []string{"ack"}
	}
	for _, rule := range []func([]string) []string{rephraseAsked, rephraseHelp, rephrasePlan, rephraseIncident, rephraseTalk, rephraseAboutMe, rephraseLists, rephraseNow, numberToFront} {
		if other := rule(words); other != nil {
			return other
		}
	}
	return words
}

func lowerWords(words []string) []string {
	out := make([]string, len(words))
	for i := range words {
		out[i] = word(words, i)
	}
	return out
}

// word returns the word at an index in lower case, without trailing punctuation.
func word(words []string, i int) string {
	if i >= len(words) {
		return ""
	}
	return strings.ReplaceAll(strings.ToLower(strings.TrimRight(words[i], "?!.,:")), "\u2019", "'")
}

// oneOf reports whether the word at an index is one of the given words.
func oneOf(words []string, i int, some ...string) bool { return slices.Contains(some, word(words, i)) }

// dropPoliteWords drops polite words. Notes and reasons keep them.
func dropPoliteWords(words []string) []string {
	for len(words) > 1 && oneOf(words, 0, "please", "bitte", "can", "could", "you", "hey", "hi", "i", "want", "need", "to") && !oneOf(words, 1, "am", "'m") {
		words = words[1:]
	}
	if n := len(words); n > 1 && n < 8 && oneOf(words, n-1, "please", "thanks", "thx", "pls", "bitte", "danke") && !oneOf(words, 0, "note", "comment", "add") {
		words = words[:n-1]
	}
	return words
}

// rephraseHelp translates "swap --help", "help with swap" and "how do I swap".
func rephraseHelp(words []string) []string {
	n := len(words)
	switch {
	case n == 2 && slices.Contains([]string{"help", "--help", "-h", "?", "hilfe", "usage"}, strings.ToLower(words[1])) && !oneOf(words, 0, "help"):
		return []string{"help", words[0]}
	case n > 2 && oneOf(words, 0, "help") && oneOf(words, 1, "with", "on", "for", "about", "to", "me", "using"):
		return rephrase(slices.Concat(words[:1], words[2:]))
	case n > 1 && oneOf(words, 0, "man", "howto"):
		return append([]string{"help"}, words[1:]...)
	case oneOf(words, 0, "add", "change", "update", "register", "set", "verify") && n > 1 && oneOf(words, n-2, "my", "a") &&
		oneOf(words, n-1, "phone", "number", "mobile", "cell", "email", "mail", "contact", "contacts", "telephone"):
		return []string{"contact"}
	case n > 2 && oneOf(words, 0, "how"):
		for len(words) > 2 && oneOf(words, 1, "do", "can", "to", "i", "we", "should", "does", "one") {
			words = slices.Concat(words[:1], words[2:])
		}
		return append([]string{"help"}, words[1:]...)
	}
	return nil
}

// namesOwner reports whether a word names a person before something of theirs: "bo's", "@bo".
func namesOwner(w string) bool {
	_, mention := view.ReadMention(w)
	return mention || strings.HasPrefix(w, "@") || strings.HasSuffix(word([]string{w}, 0), "'s")
}

// rephraseAboutMe translates "am I on call", "my next shift" and "I am sick".
func rephraseAboutMe(words []string) []string {
	rest := func(from int) []string { return words[min(from, len(words)):] }
	switch {
	case oneOf(words, 0, "on") && oneOf(words, 1, "call"):
		return append([]string{"who"}, rest(2)...)
	case oneOf(words, 0, "am") && oneOf(words, 1, "i"), oneOf(words, 0, "when") && oneOf(words, 1, "am", "do") && oneOf(words, 2, "i"):
		return []string{"me"}
	case oneOf(words, 0, "is", "was", "when") && len(words) > 1:
		name := slices.DeleteFunc(slices.Clone(words[1:]), func(w string) bool {
			return oneOf([]string{w}, 0, "is", "on", "call", "oncall", "on-call", "next", "now", "duty", "anybody", "anyone", "somebody", "someone", "there", "my", "shift", "for")
		})
		if mine := slices.ContainsFunc(words, func(w string) bool { return oneOf([]string{w}, 0, "my") }); mine && len(name) == 0 {
			return []string{"me"}
		}
		if len(name) == 0 && slices.ContainsFunc(words, func(w string) bool { return oneOf([]string{w}, 0, somebodyWords...) }) {
			return []string{"who"}
		}
		if len(name) > 0 {
			return append([]string{"who"}, name...)
		}
	case oneOf(words, 0, "my", "show", "list") && oneOf(words, 1, "next", "my", "upcoming") && oneOf(words, 2, "shift", "shifts", "schedule", "rotation"):
		return []string{"me"}
	case oneOf(words, 0, "my") && oneOf(words, 1, "incidents", "alerts", "pages"):
		return []string{"incidents", "mine"}
	case oneOf(words, 0, "my") && oneOf(words, 1, "actions", "todos", "tasks"):
		return []string{"actions", "mine"}
	case len(words) == 2 && oneOf(words, 1, "actions", "todos", "tasks") && namesOwner(words[0]):
		return []string{"actions", words[0]}
	case oneOf(words, 0, "my") && oneOf(words, 1, "overrides", "override"):
		return []string{"override", "cancel"}
	case oneOf(words, 0, "my") && oneOf(words, 1, "vacation", "pto", "leave", "timeoff", "holidays"):
		return []string{"away", "list"}
	case oneOf(words, 0, "my") && oneOf(words, 1, "calendar", "contact", "contacts", "phone", "notifications"):
		return words[1:]
	case oneOf(words, 0, "i'm", "im") && oneOf(words, 1, "sick", "ill", "away", "off", "out"):
		return append([]string{"away"}, rest(2)...)
	case oneOf(words, 0, "i") && oneOf(words, 1, "am") && oneOf(words, 2, "sick", "ill", "away", "off", "out"):
		return append([]string{"away"}, rest(3)...)
	case oneOf(words, 0, "take", "cover", "replace") && oneOf(words, 1, "my") && oneOf(words, 2, "shift", "shifts"):
		return append([]string{"cover"}, rest(3)...)
	case oneOf(words, 0, "cover") && oneOf(words, 1, "for") && len(words) > 2:
		return append([]string{"cover"}, rest(2)...)
	}
	return nil
}

// listedNouns maps nouns to the command that lists them.
var listedNouns = map[string][]string{
	"schedule": {"who"}, "schedules": {"who"}, "rotation": {"who"}, "rotations": {"who"}, "oncall": {"who"}, "on-call": {"who"},
	"team": {"teams"}, "teams": {"teams"}, "user": {"users"}, "users": {"users"}, "people": {"users"}, "members": {"users"},
	"incident": {"incidents"}, "incidents": {"incidents"}, "alert": {"incidents"}, "alerts": {"incidents"},
	"shifts": {"me"}, "overrides": {"override", "cancel"}, "override": {"override", "cancel"}, "contacts": {"contact"}, "contact": {"contact"},
	"policies": {"policies"}, "services": {"services"}, "integrations": {"integrations"}, "integration": {"integrations"}, "keys": {"key"}, "key": {"key"}, "commands": {"help"}, "help": {"help"}, "calendar": {"calendar"},
}

// rephraseLists translates "list teams", "new schedule" and "incidents open".
func rephraseLists(words []string) []string {
	if oneOf(words, 0, "show", "list", "get", "all") && oneOf(words, 1, "open", "all", "the") && len(words) > 2 {
		words = slices.Concat(words[:1], words[2:])
	}
	if oneOf(words, 0, "create", "make", "add", "connect") && oneOf(words, 1, "a", "an", "new", "another") && oneOf(words, 2, "team", "integration", "monitor") {
		words = slices.Concat(words[:1], words[2:])
	}
	of, known := listedNouns[word(words, 1)]
	rest := words[min(2, len(words)):]
	switch {
	case oneOf(words, 0, "show", "list", "get", "view", "display", "open", "all", "give") && known:
		switch {
		case oneOf(words, 1, "incident", "alert") && len(rest) > 0 && isNumber(rest[0]):
			return append([]string{"incident"}, rest...)
		case oneOf(words, 1, "schedule", "rotation") && len(rest) > 0:
			return append([]string{"schedule"}, rest...)
		}
		return append(slices.Clone(of), rest...)
	case oneOf(words, 0, "show", "give", "tell") && oneOf(words, 1, "me") && len(words) > 2:
		return rephrase(slices.Concat(words[:1], words[2:]))
	case oneOf(words, 0, "new", "create", "make", "add") && oneOf(words, 1, "schedule", "rotation", "rota"):
		return append([]string{"schedule", "new"}, rest...)
	case oneOf(words, 0, "new", "create", "make", "add", "setup", "set-up") && oneOf(words, 1, "team"), oneOf(words, 0, "team", "teams") && oneOf(words, 1, "new", "create", "make", "add"):
		return append([]string{"setup", "new"}, skip(rest, "called", "named", "team")...)
	case oneOf(words, 0, "new", "create", "make", "add", "connect") && oneOf(words, 1, "integration", "monitor"), oneOf(words, 0, "integration", "integrations", "monitor", "monitors") && oneOf(words, 1, "new", "create", "make", "add"):
		return append([]string{"integrations", "add"}, skip(rest, "called", "named", "for", "to", "integration")...)
	case oneOf(words, 0, "new", "create", "make", "add") && oneOf(words, 1, "override", "overrides", "swap", "reminder", "contact"):
		return words[1:]
	case oneOf(words, 0, "new", "create", "make", "add") && oneOf(words, 1, "shift"):
		return append([]string{"shift", "add"}, rest...)
	case oneOf(words, 0, "new", "open") && oneOf(words, 1, "incident", "alert", "page"):
		return []string{"page"}
	case oneOf(words, 0, "edit", "change", "update", "modify") && oneOf(words, 1, "schedule", "rotation", "rota"):
		return append([]string{"schedule", "edit"}, rest...)
	case oneOf(words, 0, "rotate") && len(words) > 1, oneOf(words, 0, "new", "create", "make", "replace") && oneOf(words, 1, "key"):
		for len(words) > 2 && oneOf(words, 1, "the", "key", "of", "for") {
			words = words[1:]
		}
		return append([]string{"key", "rotate"}, words[1:]...)
	case oneOf(words, 0, "escalation") && oneOf(words, 1, "policies", "policy"):
		return []string{"policies"}
	case oneOf(words, 0, "override") && oneOf(words, 1, "list", "mine", "show", "delete", "remove", "undo") && len(words) == 2, oneOf(words, 0, "overrides") && len(words) == 1:
		return []string{"override", "cancel"}
	case oneOf(words, 0, "swaps", "trades", "covers") && len(words) == 1, oneOf(words, 0, "swap", "cover", "trade") && oneOf(words, 1, "list", "show", "mine", "pending", "status", "cancel", "undo") && len(words) == 2:
		return []string{"swap", "list"}
	case oneOf(words, 0, "away", "vacation", "pto") && (oneOf(words, 1, "cancel", "delete", "remove") || oneOf(words, 1, "show", "mine") && len(words) == 2):
		return append([]string{"away", "list"}, skip(rest, "on", "for", "from", "the", "my", "of", "in")...)
	case oneOf(words, 0, "test", "testpage") && len(words) < 3, oneOf(words, 0, "page") && oneOf(words, 1, "me", "myself", "test"):
		return []string{"contact", "test"}
	}
	return nil
}

// skip drops small words from the beginning.
func skip(words []string, small ...string) []string {
	for len(words) > 0 && oneOf(words, 0, small...) {
		words = words[1:]
	}
	return words
}

// rephraseNow translates "what is open", "what's next 12" and "who's up".
func rephraseNow(words []string) []string {
	if !oneOf(words, 0, "what", "what's", "whats", "anything", "wer", "who", "who's", "whos") {
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(words[1:]), func(w string) bool {
		return oneOf([]string{w}, 0, "is", "the", "are", "was", "were", "there", "right", "currently", "hat", "with", "about", "of", "happens", "happened", "to", "incident", "comes")
	})
	if oneOf(words, 0, "wer", "who", "who's", "whos") {
		if all := slices.DeleteFunc(slices.Clone(rest), func(w string) bool {
			return oneOf([]string{w}, 0, "up", "on", "duty", "now", "today", "dienst", "bereitschaft", "call", "jetzt", "here", "responsible")
		}); len(all) == 0 || oneOf(words, 0, "wer") {
			return append([]string{"who"}, all...)
		}
		return nil
	}
	number := slices.IndexFunc(rest, isNumber)
	if number < 0 && slices.ContainsFunc(words, func(w string) bool { return oneOf([]string{w}, 0, "happened", "passierte", "broke", "fired", "paged") }) {
		return append([]string{"incidents", "all"}, pastWords(rest)...)
	}
	switch {
	case number >= 0 && slices.ContainsFunc(rest, func(w string) bool { return oneOf([]string{w}, 0, "next") }):
		return []string{"plan", rest[number]}
	case number >= 0:
		return []string{"incident", rest[number]}
	case oneOf(rest, 0, "next"):
		return []string{"plan"}
	}
	return []string{"incidents"}
}

var numberPattern = regexp.MustCompile(`^#?[0-9]{1,9}$`)

// numberToFront moves an incident's number to where commands expect it, as in "add @bo to 12" and "reassign @bo 12".
func numberToFront(words []string) []string {
	n := len(words)
	name := strings.ToLower(words[0])
	if other, known := aliases[name]; known {
		name = other
	}
	switch {
	case oneOf(words, 0, "take") && oneOf(words, 1, "over"):
		return takeOver(words[2:])
	case oneOf(words, 0, "handover", "hand-over") && n == 1:
		return []string{"next"}
	case slices.Contains([]string{"ack", "resolve", "unack", "reopen", "escalate", "unsnooze"}, name):
		for i := 1; i+2 < len(words); i++ { // "2 to 4"
			if numberPattern.MatchString(words[i]) && oneOf(words, i+1, "to", "through", "bis", "-", "thru", "\u2013") && numberPattern.MatchString(words[i+2]) {
				return append(append(slices.Clone(words[:i]), words[i]+"-"+words[i+2]), words[i+3:]...)
			}
		}
		if oneOf(words, 1, "mine", "everything", "them", "these", "all", "it") && n < 5 && !slices.ContainsFunc(words[1:], isNumber) {
			if oneOf(words, 1, "it") {
				return words[:1]
			}
			for _, w := range words[1:] {
				if !oneOf([]string{w}, 0, "mine", "everything", "them", "these", "all", "of", "my", "open", "incidents", "alerts") {
					return nil
				}
			}
			return []string{words[0], "all"}
		}
	case name == "remind":
		return joinDurations(slices.DeleteFunc(slices.Clone(words), func(w string) bool {
			return oneOf([]string{w}, 0, "me", "before", "my", "shifts", "shift", "and", "ahead", "a", "each")
		}))
	case n > 3 && slices.Contains([]string{"add", "reassign", "severity", "note", "snooze"}, name) && oneOf(words, 1, "responder", "responders", "incident", "user", "users", "note") && isNumber(words[2]):
		return slices.Concat(words[:1], words[2:])
	case n > 2 && slices.Contains([]string{"add", "reassign", "severity", "snooze"}, name) && !isNumber(words[1]) &&
		(isNumber(words[n-1]) && name != "snooze" || strings.HasPrefix(words[n-1], "#") && isNumber(words[n-1])):
		end := n - 1
		for end > 2 && oneOf(words, end-1, "to", "on", "for", "incident", "in", "of") {
			end--
		}
		return slices.Concat(words[:1], words[n-1:], words[1:end])
	}
	return nil
}

// takeOver translates "take over 12", an incident, and "take over from @bo until 22:00", a shift.
func takeOver(rest []string) []string {
	of := rest
	for len(of) > 0 && oneOf(of, 0, "from", "for") {
		of = of[1:]
	}
	if len(of) == 0 {
		return []string{"take-over"}
	}
	if isNumber(of[0]) || oneOf(of, 0, "it", "all", "this", "everything") {
		return append([]string{"ack"}, rest...)
	}
	return append([]string{"override", "me", "for"}, of...)
}

// joinDurations joins "1 day" and "2 hours" into one word each.
func joinDurations(words []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		unit := map[string]string{"day": "d", "days": "d", "hour": "h", "hours": "h", "minute": "m", "minutes": "m", "min": "m"}[word(words, i+1)]
		if numberPattern.MatchString(words[i]) && unit != "" {
			out = append(out, words[i]+unit)
			i++
			continue
		}
		out = append(out, words[i])
	}
	return out
}
