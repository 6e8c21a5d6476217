package bot

import (
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// talkWords are the words, besides its number, of a question about who has an incident.
var talkWords = []string{
	"who", "who's", "whos", "is", "has", "have", "does", "do", "did", "got", "acked", "ack", "acknowledged", "took", "take", "taken", "takes", "owns", "on", "working",
	"looking", "handling", "at", "into", "fixed", "resolved", "closed", "done", "over", "somebody", "anybody", "someone", "anyone", "still", "open", "incident", "alert", "it",
	"already", "yet", "the", "this", "that",
}

// somebodyWords ask for anybody at all.
var somebodyWords = []string{"somebody", "anybody", "someone", "anyone"}

// rephraseTalk translates questions and remarks about incidents: "who has 4", "I'm on it 5", "false
// alarm 4".
func rephraseTalk(words []string) []string {
	n := len(words)
	switch {
	case oneOf(words, 0, "wake") && oneOf(words, 1, "up") && n > 2 && !isNumber(words[2]):
		return append([]string{"page", trimMark(words[2])}, words[3:]...)
	case oneOf(words, 0, "help") && n == 2 && isNumber(words[1]):
		return []string{"add", words[1]}
	case oneOf(words, 0, "false") && oneOf(words, 1, "alarm", "alert", "positive"):
		return noise(words[2:])
	case asksAfterPage(words):
		return []string{"who-has-it"}
	case callsOff(words):
		return []string{"call-off"}
	case oneOf(words, 0, "who", "whom") && oneOf(words, 1, "should", "do", "can", "could", "must", "shall", "to") && oneOf(words, n-1, "page", "call", "contact", "ask", "wake") && n < 7:
		return []string{"whom-to-page"}
	case oneOf(words, 0, "stop") && oneOf(words, 1, "paging", "calling", "waking", "pages"):
		return []string{"stop-paging"}
	case oneOf(words, 0, "who") && oneOf(words, 1, "is", "on") && oneOf(words, 2, "away", "off", "call") && n > 3:
		return append([]string{"who"}, words[3:]...)
	}
	if other := rephraseClaim(words); other != nil {
		return other
	}
	return rephraseWhoHas(words)
}

// trimMark drops the punctuation after a name or a number.
func trimMark(w string) string { return strings.TrimRight(w, "?!.,:") }

// noise returns the verdict on a false alarm: "4", "on 4: the probe was broken".
func noise(rest []string) []string {
	for len(rest) > 1 && oneOf(rest, 0, "on", "for", "is", "in", "incident", "at") {
		rest = rest[1:]
	}
	if len(rest) > 0 && isNumber(trimMark(rest[0])) {
		return append([]string{"verdict", trimMark(rest[0]), "noise"}, rest[1:]...)
	}
	return append([]string{"verdict", "noise"}, rest...)
}

// rephraseClaim translates "I'm on it 5" and "looking into 5".
func rephraseClaim(words []string) []string {
	n := len(words)
	if n < 2 || !isNumber(trimMark(words[n-1])) {
		return nil
	}
	said := lowerWords(words[:n-1])
	claim := func(text string) bool { return oncall.ReadClaim(text) == oncall.SpokenClaim }
	if text := strings.Join(said, " "); claim(text) || claim(text+" it") && text != "have" {
		return []string{"ack", trimMark(words[n-1])}
	}
	return nil
}

// rephraseWhoHas translates "who has 4" and "is anybody on it". Any other word makes it a different
// question, such as "is Bo on call at 18".
func rephraseWhoHas(words []string) []string {
	if len(words) < 3 || !oneOf(words, 0, "who", "who's", "whos", "is", "has", "have", "does", "do", "did") {
		return nil
	}
	number, somebody, asks := "", false, false
	for i := range words {
		switch w := word(words, i); {
		case i > 0 && number == "" && isNumber(trimMark(words[i])):
			number = trimMark(words[i])
		case !slices.Contains(talkWords, w):
			return nil
		case slices.Contains(somebodyWords, w):
			somebody, asks = true, true
		case i > 0 && !slices.Contains([]string{"on", "is", "at", "the", "this", "that"}, w):
			asks = true
		}
	}
	it := slices.ContainsFunc(words, func(w string) bool { return oneOf([]string{w}, 0, "it", "this", "that") })
	switch {
	case number != "" && asks:
		return []string{"incident", number}
	case number == "" && it && (somebody || oneOf(words, 0, "who", "who's", "whos") && asks):
		return []string{"who-has-it"}
	}
	return nil
}

// callsOff reports whether somebody takes back what they have paged for: "cancel the page", "sorry, my mistake".
func callsOff(words []string) bool {
	said := lowerWords(words)
	for len(said) > 1 && slices.Contains([]string{"sorry", "oh", "oops", "please", "ok"}, strings.Trim(said[0], ",.")) {
		said = said[1:]
	}
	return slices.Contains([]string{
		"cancel the page", "cancel page", "cancel my page", "cancel it", "call it off", "call off the page", "my mistake", "was my mistake", "it was my mistake", "my bad",
		"never mind", "nevermind", "take it back",
	}, strings.Join(said, " "))
}

// asksAfterPage reports whether somebody asks what became of the page that they sent: "any news?", "what about my page?".
func asksAfterPage(words []string) bool {
	said := strings.Join(lowerWords(words), " ")
	if slices.Contains([]string{"any news", "any update", "any updates", "any news yet", "news", "what's up with my page", "did anybody see my page", "has anybody seen my page"}, said) {
		return true
	}
	n := len(words)
	return n > 2 && n < 8 && oneOf(words, 0, "what", "what's", "whats", "how", "how's", "where", "where's", "is", "any", "anything", "status", "who", "has", "did") &&
		(oneOf(words, n-2, "my") && oneOf(words, n-1, "page", "pages") || oneOf(words, n-3, "my") && oneOf(words, n-2, "page", "pages"))
}
