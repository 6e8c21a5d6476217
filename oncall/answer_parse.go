package oncall

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// IntentKind is the kind of an Intent.
type IntentKind string

// What an answer can ask for.
const (
	IntentAct   IntentKind = "act"   // an act on incidents
	IntentStop  IntentKind = "stop"  // no more pages to this address
	IntentStart IntentKind = "start" // pages to this address again
	IntentProof IntentKind = "code"  // verify this address
	IntentList  IntentKind = "list"  // what is open
	IntentTest  IntentKind = "test"  // nothing: it answers a test page
	IntentOther IntentKind = "other" // nothing that we understand, but it shows that somebody is there
)

// An Intent is what the person who sent an answer wants.
type Intent struct {
	Kind    IntentKind
	Act     ActKind        // with IntentAct; Incident.Meant translates it for somebody who was asked to help
	Code    int            // the code of the message whose button was pressed
	Numbers []AnswerNumber // the numbers that were typed; none: the newest message, unless the answer names another
	All     bool           // without Numbers: everything this address was told
	Proof   string         // with IntentProof
	Spoken  Spoken         // with IntentAct: how it was said, if by no command
}

// An AnswerNumber is a number in an answer. "5" and "#5" mean incident 5, and "b5" means a message.
// "5a" means the message that suggested it, or else incident 5.
type AnswerNumber struct {
	N        int
	Incident bool // "#5"
	Lettered bool // "b5", the code of a message
	Offered  bool // "5a", as messages suggest
}

// String returns the number as people type it.
func (n AnswerNumber) String() string {
	switch {
	case n.Incident:
		return IncidentID(n.N).String()
	case n.Lettered:
		return CodeText(-n.N)
	}
	return strconv.Itoa(n.N)
}

// codeLetter distinguishes a message's code from the number of an incident.
const codeLetter = "b"

// CodeText returns a message's code as it is printed and typed. The code of a message about one
// incident is that incident's number. A negative code gets a letter, so that it isn't taken for an
// incident's number.
func CodeText(code int) string {
	if code < 0 {
		return codeLetter + strconv.Itoa(-code)
	}
	return strconv.Itoa(code)
}

var (
	answerActs = map[string]ActKind{
		"a": ActAck, "ack": ActAck, "acked": ActAck, "acknowledge": ActAck, "acknowledged": ActAck,
		"r": ActResolve, "resolve": ActResolve, "resolved": ActResolve, "close": ActResolve, "closed": ActResolve,
		"e": ActEscalate, "escalate": ActEscalate, "escalated": ActEscalate,
		"accept": ActAck, "accepted": ActAck,
		"d": ActDecline, "decline": ActDecline, "declined": ActDecline, "no": ActDecline,
	}
	// answerDoubles mean everything that the newest message lists, like "0a".
	answerDoubles = map[string]ActKind{"aa": ActAck, "rr": ActResolve, "ee": ActEscalate, "dd": ActDecline}
	// answerWords must contain every word that makes Twilio stop messages to a number.
	answerWords = map[string]IntentKind{
		"stop": IntentStop, "stopall": IntentStop, "unsubscribe": IntentStop, "end": IntentStop, "quit": IntentStop,
		"cancel": IntentStop, "revoke": IntentStop, "optout": IntentStop,
		"start": IntentStart, "unstop": IntentStart,
		"test": IntentTest, "status": IntentList, "list": IntentList, "open": IntentList, "incidents": IntentList, "what is open": IntentList,
	}
	answerAll     = []string{"all", "both", "everything"}
	answerFillers = []string{
		"and", "the", "it", "this", "that", "them", "of", "please", "pls", "plz", "thanks", "thx", "thank", "you", "ok", "okay", "yes", "now",
		"message", "msg", "number", "nr", "alert", "alerts", "page", "id",
		",", ";", "&", "+", ".", ":", "!", "?", "/", "-", "(", ")", "[", "]", "*", "_",
	}
	answerIncident = []string{"incident", "incidents", "inc"}

	answerNoise  = strings.NewReplacer("'", "", "\"", "", "`", "", "\u2018", "", "\u2019", "", "\u201c", "", "\u201d", "", "\u201e", "", "«", "", "»", "", "№", "#")
	answerTokens = regexp.MustCompile(`#\s*[0-9]+|[0-9]+|\pL+|\S`)
	answerSpan   = regexp.MustCompile(`[0-9]\s*[-\x{2010}-\x{2015}/]\s*#?\s*[0-9]|[0-9][.:][0-9]|[0-9]\s*\.\.+\s*#?[0-9]|[0-9] to #?[0-9]`)
	answerCode   = regexp.MustCompile(`^(?:(?:my |the )?(?:watchbill )?code(?: is)?:? ?)?((?:[0-9][ .-]?){5}[0-9])$`)
	answerProof  = regexp.MustCompile(`^[a-z2-7]{16}$`)
)

const (
	maxNumberDigits   = 5 // digits; six are a code that proves an address
	maxIncidentDigits = 9 // digits after "#"
	maxNumbers        = 20
)

// ParseAnswer parses what people type when they have just been woken: "1a", "ack 12", "Ack #5.", "'2a'", "5a 6a", "b3r",
// "0a", "aa", "ack all", "resolve 3", "yes on my way", "stop", and a code that proves an address. If the text contains a word that it doesn't
// know, the result is IntentOther.
func ParseAnswer(text string) Intent {
	text = strings.ToLower(strings.Join(strings.Fields(answerNoise.Replace(strings.Map(plain, text))), " "))
	text, _, _ = strings.Cut(text, "sent from my ") // a phone's signature
	text = strings.Trim(text, " .,!?:;()[]<>*_-")
	if rest, found := strings.CutPrefix(text, "/start "); found { // how Telegram opens a conversation
		text = rest
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, "/"), "oncall ")
	if kind, known := answerWords[text]; known {
		return Intent{Kind: kind}
	}
	if proof := CleanCode(text); proof != "" {
		return Intent{Kind: IntentProof, Proof: proof}
	}
	if r, ok := parseAct(text); ok {
		return r
	}
	if spoken := ReadClaim(text); spoken != "" {
		return Intent{Kind: IntentAct, Act: ActAck, Spoken: spoken}
	}
	return Intent{Kind: IntentOther}
}

// plain converts the full-width digits and letters of East Asian keyboards to ASCII, and drops emojis and invisible
// characters.
func plain(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case unicode.In(r, unicode.So, unicode.Sk, unicode.Cf, unicode.Mn, unicode.Me) && r > unicode.MaxASCII && !strings.ContainsRune("№👎❌🚫⛔✖❎", r):
		return -1
	}
	return r
}

// CleanCode returns a code that proves an address without the blanks that people and phones add; empty: the text can't
// be such a code.
func CleanCode(text string) string {
	text = strings.ToLower(strings.Join(strings.Fields(answerNoise.Replace(strings.Map(plain, text))), " "))
	text = strings.Trim(text, " .,!?:;()[]<>*_-")
	if m := answerCode.FindStringSubmatch(text); m != nil {
		return strings.NewReplacer(" ", "", ".", "", "-", "").Replace(m[1])
	}
	if answerProof.MatchString(text) {
		return text
	}
	return ""
}

// parseAct parses a verb and the numbers that it is about, in any order. Two different verbs make no sense.
func parseAct(text string) (intent Intent, ok bool) {
	if answerSpan.MatchString(text) { // "5-7" may or may not include 6
		return intent, false
	}
	tokens := answerTokens.FindAllString(text, -1)
	zero, incident, lettered := false, false, false
	for i, t := range tokens {
		act, verb := answerActs[t]
		if t == "no" && i > 0 && answerActs[tokens[i-1]] != "" && numbered(tokens[i+1:]) { // ack no. 5
			continue
		}
		if double, known := answerDoubles[t]; known {
			act, verb, zero = double, true, true
		}
		switch {
		case verb && intent.Act != "" && intent.Act != act:
			return Intent{}, false
		case verb:
			intent.Kind, intent.Act = IntentAct, act
		case slices.Contains(answerAll, t):
			intent.All = true
		case slices.Contains(answerIncident, t):
			incident = true
		case t == codeLetter && i+1 < len(tokens) && strings.ContainsAny(tokens[i+1][:1], "0123456789"):
			lettered = true
		case t[0] == '#' && len(t) > 1 || t[0] >= '0' && t[0] <= '9':
			n, good := answerNumber(t)
			if !good || len(intent.Numbers) == maxNumbers {
				return Intent{}, false
			}
			if n.N == 0 {
				zero = true
				continue
			}
			n.Lettered, lettered = lettered, false
			n.Incident = !n.Lettered && (n.Incident || incident)
			n.Offered = !n.Incident && !n.Lettered && (offers(tokens, i-1) || offers(tokens, i+1))
			if !slices.Contains(intent.Numbers, n) {
				intent.Numbers = append(intent.Numbers, n)
			}
		case !slices.Contains(answerFillers, t):
			return Intent{}, false
		}
	}
	if zero && len(intent.Numbers) > 0 { // "aa 5" is ambiguous
		return Intent{}, false
	}
	intent.All = intent.All && len(intent.Numbers) == 0
	return intent, intent.Act != ""
}

// numbered reports whether the tokens begin with a number, perhaps after a full stop.
func numbered(tokens []string) bool {
	if len(tokens) > 0 && tokens[0] == "." {
		tokens = tokens[1:]
	}
	return len(tokens) > 0 && strings.ContainsAny(tokens[0][:1], "#0123456789")
}

// offers reports whether a token is one of the letters that messages suggest with their code.
func offers(tokens []string, i int) bool {
	return i >= 0 && i < len(tokens) && len(tokens[i]) == 1 && answerActs[tokens[i]] != ""
}

// answerNumber parses "5" and "#5".
func answerNumber(t string) (n AnswerNumber, ok bool) {
	digits := strings.TrimLeft(t, "# ")
	n.Incident = digits != t
	longest := maxNumberDigits
	if n.Incident {
		longest = maxIncidentDigits
	}
	var err error
	n.N, err = strconv.Atoi(digits)
	return n, err == nil && len(digits) <= longest
}
