package bot

import (
	"regexp"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// rephraseIncident translates what people type to do something with an incident: "give 2 to bo", "note
// on 4: …", "4 is noise".
func rephraseIncident(words []string) []string {
	for _, rule := range []func([]string) []string{rephraseGive, rephraseEscalate, rephraseGrade, rephraseOn, rephraseIs, rephraseOver} {
		if other := rule(words); other != nil {
			return other
		}
	}
	return nil
}

// rephraseGive translates "give incident 2 to bo", "hand over 2 to bo", "give back 2" and "bring bo in on 4".
func rephraseGive(words []string) []string {
	if len(words) < 2 {
		return nil
	}
	rest := words[1:]
	switch {
	case oneOf(words, 0, "give", "hand", "pass") && oneOf(rest, 0, "back", "up"):
		return numbered("unack", rest[1:])
	case oneOf(words, 0, "undo", "cancel", "revert") && oneOf(rest, 0, "merge", "merging"), oneOf(words, 0, "undo", "cancel") && oneOf(rest, 0, "the") && oneOf(rest, 1, "merge"):
		return numbered("unmerge", skip(rest, "the", "merge", "merging"))
	case oneOf(words, 0, "drop", "release"):
		return numbered("unack", rest)
	case oneOf(words, 0, "pull", "bring", "loop") && oneOf(rest, 0, "in") && len(rest) > 1:
		return rephrase(append([]string{"add"}, rest[1:]...))
	case !oneOf(words, 0, "give", "hand", "pass", "assign", "reassign"):
		return nil
	}
	for len(rest) > 1 && oneOf(rest, 0, "over", "on", "incident", "the") {
		rest = rest[1:]
	}
	if len(rest) > 2 && isNumber(rest[0]) && oneOf(rest, 1, "to") {
		return slices.Concat([]string{"reassign", rest[0]}, rest[2:])
	}
	if last := len(rest) - 1; last > 0 && isNumber(trimMark(rest[last])) && !slices.ContainsFunc(rest[:last], isNumber) { // "give bo incident 2"
		who := rest[:last]
		for len(who) > 1 && oneOf(who, len(who)-1, "incident", "the") {
			who = who[:len(who)-1]
		}
		return slices.Concat([]string{"reassign", trimMark(rest[last])}, who)
	}
	return nil
}

// numbered returns a command about the incident whose number is in the words after nothing but small
// words; nil: there is no such number.
func numbered(name string, rest []string) []string {
	for len(rest) > 1 && oneOf(rest, 0, "incident", "the", "on", "of", "for", "to", "a", "is", "in") {
		rest = rest[1:]
	}
	if len(rest) == 0 || !isNumber(trimMark(rest[0])) {
		return nil
	}
	return slices.Concat([]string{name, trimMark(rest[0])}, rest[1:])
}

// rephraseOn translates "note on 4: …", "review of 4", "open a channel for 4" and "make 4 critical".
func rephraseOn(words []string) []string {
	if oneOf(words, 0, "draft", "write", "open", "start", "post", "send", "make", "set", "change", "mark", "raise", "lower", "get") && len(words) > 2 {
		rest := words[1:]
		if oneOf(words, 0, "mark") || oneOf(words, 0, "make", "set", "change", "raise", "lower") && isNumber(rest[0]) {
			return rephraseMark(rest)
		}
		for len(rest) > 1 && oneOf(rest, 0, "a", "an", "the") {
			rest = rest[1:]
		}
		if oneOf(rest, 0, "review", "postmortem", "channel", "room", "update", "severity", "priority", "note") {
			return rephraseOn(rest)
		}
		return nil
	}
	name := word(words, 0)
	if other, known := aliases[name]; known {
		name = other
	}
	if len(words) < 3 || !slices.Contains([]string{"note", "review", "channel", "update", "severity", "incident", "details", "plan", "verdict", "timeline"}, name) ||
		!oneOf(words, 1, "on", "of", "for", "to", "about", "in") {
		return nil
	}
	out := numbered(name, words[2:])
	if name == "severity" && len(out) > 3 && oneOf(out, 2, "to", "as") {
		out = slices.Delete(out, 2, 3)
	}
	return out
}

// rephraseMark translates "4 as noise" and "4 critical", after "mark" or "make".
func rephraseMark(rest []string) []string {
	if oneOf(rest, 0, "incident") {
		rest = rest[1:]
	}
	if len(rest) < 2 || !isNumber(rest[0]) {
		return nil
	}
	return rephraseIs(slices.Concat(rest[:1], []string{"is"}, rest[1:]))
}

// rephraseIs translates "4 is noise", "4 was fixed" and "4 is a duplicate of 5".
func rephraseIs(words []string) []string {
	if oneOf(words, 0, "incident") {
		words = words[1:]
	}
	if len(words) < 2 || !isNumber(words[0]) {
		return nil
	}
	state := words[1:]
	if oneOf(state, 0, "is", "was", "has", "are") {
		state = state[1:]
	}
	for len(state) > 1 && oneOf(state, 0, "a", "the", "as", "been", "just", "only", "to") {
		state = state[1:]
	}
	if len(state) == 0 {
		return nil
	}
	_, severity := oncall.ParseSeverity(word(state, 0))
	switch {
	case oneOf(state, 0, "false") && oneOf(state, 1, "alarm", "alert", "positive"):
		return slices.Concat([]string{"verdict", words[0], "noise"}, state[2:])
	case oneOf(state, 0, "noise", "real", "unsure"):
		return slices.Concat([]string{"verdict", words[0], trimMark(state[0])}, state[1:])
	case oneOf(state, 0, "fixed", "resolved", "done", "closed", "over", "solved") && len(state) == 1:
		return []string{"resolve", words[0]}
	case oneOf(state, 0, "duplicate", "same", "dup", "dupe"):
		if at := slices.IndexFunc(state, isNumber); at > 0 {
			return []string{"merge", words[0], "into", state[at]}
		}
	case severity && len(state) == 1:
		return []string{"severity", words[0], trimMark(state[0])}
	}
	return nil
}

// overSaid is what people say about an incident that is over, and noiseSaid about a false alarm.
var (
	overSaid  = []string{"it's fixed", "its fixed", "it is fixed", "fixed it", "it's over", "it is over", "it's done", "it's resolved", "it is resolved", "all fixed"}
	noiseSaid = []string{"it's noise", "it was noise", "it is noise", "that was noise", "just noise", "noise"}
)

// rephraseOver translates "it's fixed" and "it was noise", which mean an incident without giving its
// number, and "mute 4 for 2h".
func rephraseOver(words []string) []string {
	said := strings.Join(lowerWords(words[:min(len(words), 4)]), " ")
	switch {
	case len(words) < 4 && slices.Contains(overSaid, said):
		return []string{"resolve"}
	case len(words) < 4 && slices.Contains(noiseSaid, said):
		return []string{"verdict", "noise"}
	case oneOf(words, 0, "noise") && len(words) > 1 && isNumber(trimMark(words[1])):
		return noise(words[1:])
	case oneOf(words, 0, "mute", "silence", "sleep", "quiet") && len(words) > 1 && isNumber(words[1]):
		return append([]string{"snooze"}, words[1:]...)
	}
	return nil
}

// pastWords keeps the words of a question about the past that say when something happened, and to
// whom.
func pastWords(rest []string) []string {
	return slices.DeleteFunc(slices.Clone(rest), func(w string) bool {
		return oneOf([]string{w}, 0, "has", "have", "did", "been", "during", "over", "since", "we", "us", "me", "happened", "broke", "fired", "paged", "went", "wrong", "passierte")
	})
}

// gradePattern matches the severities that people type alone: "sev2", "p1".
var gradePattern = regexp.MustCompile(`^(sev-?|p)[0-9]$`)

// rephraseGrade translates "sev2" alone, which gives the incident a severity.
func rephraseGrade(words []string) []string {
	if len(words) > 2 || !gradePattern.MatchString(word(words, 0)) {
		return nil
	}
	if len(words) == 1 {
		return []string{"severity", trimMark(words[0])}
	}
	if isNumber(trimMark(words[1])) {
		return []string{"severity", trimMark(words[1]), trimMark(words[0])}
	}
	return nil
}

// rephraseEscalate translates "escalate to bo" and "escalate 12 to bo", which leave open whether the person is paged as well or instead.
func rephraseEscalate(words []string) []string {
	if !oneOf(words, 0, "escalate") {
		return nil
	}
	rest := words[1:]
	var number []string
	if len(rest) > 1 && isNumber(rest[0]) {
		number, rest = rest[:1], rest[1:]
	}
	if len(rest) < 2 || len(rest) > 3 || !oneOf(rest, 0, "to") || isNumber(trimMark(rest[1])) {
		return nil
	}
	return slices.Concat([]string{"escalate-to"}, number, rest[1:])
}
