package bot

import (
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// asked maps whole sentences to commands.
var asked = map[string]string{
	"past": "incidents closed", "past incidents": "incidents closed", "old incidents": "incidents closed", "previous incidents": "incidents closed",
	"incidents past": "incidents closed", "incidents history": "incidents closed", "incident history": "incidents closed", "similar": "incidents closed", "similar incidents": "incidents closed",
	"last night": "incidents last night", "any news": "who-has-it", "any update": "who-has-it", "any updates": "who-has-it", "what about my page": "who-has-it", "who has my page": "who-has-it",
	"when is my next shift": "me", "when's my next shift": "me", "what is my next shift": "me", "what's my next shift": "me", "when is my shift": "me",
	"is anybody on call": "who", "is anyone on call": "who", "is somebody on call": "who", "on call": "who",
}

// rephraseAsked translates what people ask in whole sentences, and "similar 1", "can bo take my shift on friday", "sev2"
// and "ping payments the checkout is down".
func rephraseAsked(words []string) []string {
	n := len(words)
	if other, known := asked[strings.Join(lowerWords(words), " ")]; known {
		return strings.Fields(other)
	}
	_, severity := oncall.ParseSeverity(word(words, 0))
	switch {
	case oneOf(words, 0, "similar") && n == 2 && isNumber(words[1]):
		return []string{"incident", words[1]}
	case oneOf(words, 0, "incident", "incidents", "alert", "alerts") && oneOf(words, 1, "list", "all", "ls"):
		return append([]string{"incidents"}, words[2:]...)
	case oneOf(words, 0, "how") && n < 9 && slices.ContainsFunc(words, func(w string) bool { return oneOf([]string{w}, 0, "phone", "number", "sms", "mobile") }):
		return []string{"help", "contact"}
	case n > 3 && oneOf(words, 1, "take", "cover", "do", "have") && oneOf(words, 2, "my") && oneOf(words, 3, "shift", "shifts"):
		return slices.Concat([]string{"cover"}, words[:1], words[4:])
	case n == 1 && severity && strings.HasPrefix(word(words, 0), "sev"):
		return []string{"severity", words[0]}
	case n > 2 && oneOf(words, 0, "ping") && !isNumber(words[1]):
		return append([]string{"page"}, words[1:]...)
	}
	return onFeast(words)
}

// onFeast writes the name of a feast as its date, in commands that take one.
func onFeast(words []string) []string {
	if !oneOf(words, 0, "who", "cover", "away", "swap", "override", "who's", "whos") {
		return nil
	}
	for i := range words {
		day, takes := "", 1
		switch {
		case oneOf(words, i, "christmas", "xmas") && oneOf(words, i+1, "eve"):
			day, takes = "24 dec", 2
		case oneOf(words, i, "christmas", "xmas"):
			day = "25 dec"
			if oneOf(words, i+1, "day") {
				takes = 2
			}
		default:
			continue
		}
		return slices.Concat(words[:i], strings.Fields(day), words[i+takes:])
	}
	return nil
}
