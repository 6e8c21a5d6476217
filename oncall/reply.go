package oncall

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// An Answer is what somebody has sent back by a contact method.
type Answer struct {
	Method string // by which it came
	From   string // the address; empty where Key or a token tells
	Key    string // of the page that it answers, where that is known
	Text   string
	ID     string // the provider's: of several with one ID the first counts
	At     time.Time
}

// ReplyKind says what an answer asks for.
type ReplyKind string

// What people answer.
const (
	ReplyAct   ReplyKind = "act"   // do Act with what Code, Token or nothing names
	ReplyStop  ReplyKind = "stop"  // page me no more in this way
	ReplyStart ReplyKind = "start" // do so again
	ReplyCode  ReplyKind = "code"  // this proves that the address is mine
	ReplyOther ReplyKind = "other" // it only shows that somebody is there
)

// A ParsedReply is an answer, understood.
type ParsedReply struct {
	Kind  ReplyKind
	Act   ActKind // as who is on call means it; Incident.Meant tells what a responder means
	Code  int     // 0: the newest page
	All   bool    // everything that the newest message listed
	Token string  // names a page by itself
	Proof string  // with ReplyCode
}

var (
	replyActs = map[string]ActKind{
		"a": ActAck, "ack": ActAck, "acknowledge": ActAck, "acknowledged": ActAck,
		"r": ActResolve, "resolve": ActResolve, "resolved": ActResolve, "close": ActResolve,
		"e": ActEscalate, "escalate": ActEscalate,
		"accept": ActAck, "accepted": ActAck,
		"d": ActDecline, "decline": ActDecline, "declined": ActDecline, "no": ActDecline,
	}
	replyWords = map[string]ReplyKind{
		"stop": ReplyStop, "stopall": ReplyStop, "unsubscribe": ReplyStop, "end": ReplyStop, "quit": ReplyStop,
		"start": ReplyStart, "unstop": ReplyStart,
	}
	replyNoise   = strings.NewReplacer("'", "", "\"", "", "`", "", "\u2018", "", "\u2019", "", "\u201c", "", "\u201d", "", "«", "", "»", "", "#", "")
	replyCode    = regexp.MustCompile(`^([0-9]{1,4})\s*([a-z]+)$`)
	replyCodeEnd = regexp.MustCompile(`^([a-z]+)\s*([0-9]{1,4})$`)
	replyAll     = regexp.MustCompile(`^(?:([ared])([ared])|0\s*([a-z]+)|([a-z]+)\s*(?:0|all))$`)
	replyProof   = regexp.MustCompile(`^(?:[0-9]{6}|[a-z2-7]{16})$`)
	replyToken   = regexp.MustCompile(`^([A-Za-z]+)\s+([A-Za-z0-9_-]{43,140})$`)
)

// ParseReply understands what people type when they are woken: "1a", "ack 12", "Ack", "'2a'",
// "4a!", "0a", "aa", "resolve 3", "stop", a code that proves an address, and what buttons send.
func ParseReply(text string) ParsedReply {
	text = strings.TrimSpace(text)
	if m := replyToken.FindStringSubmatch(text); m != nil {
		if act, known := replyActs[strings.ToLower(m[1])]; known {
			return ParsedReply{Kind: ReplyAct, Act: act, Token: m[2]}
		}
	}
	text = strings.ToLower(strings.Join(strings.Fields(replyNoise.Replace(text)), " "))
	text = strings.Trim(text, " .,!?:;()[]<>*_-")
	if rest, found := strings.CutPrefix(text, "/start "); found { // how Telegram opens a conversation
		text = rest
	}
	text = strings.TrimPrefix(text, "/")
	if kind, known := replyWords[text]; known {
		return ParsedReply{Kind: kind}
	}
	if act, known := replyActs[text]; known {
		return ParsedReply{Kind: ReplyAct, Act: act}
	}
	if m := replyAll.FindStringSubmatch(text); m != nil && m[1] == m[2] {
		if act, known := replyActs[m[1]+m[3]+m[4]]; known {
			return ParsedReply{Kind: ReplyAct, Act: act, All: true}
		}
	}
	for _, form := range []struct {
		*regexp.Regexp
		code, word int
	}{{replyCode, 1, 2}, {replyCodeEnd, 2, 1}} {
		m := form.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		code, err := strconv.Atoi(m[form.code])
		if act, known := replyActs[m[form.word]]; known && err == nil && code > 0 {
			return ParsedReply{Kind: ReplyAct, Act: act, Code: code}
		}
	}
	if replyProof.MatchString(text) {
		return ParsedReply{Kind: ReplyCode, Proof: text}
	}
	return ParsedReply{Kind: ReplyOther}
}

// ProbeKey is the key of a message that is no page: a test, or a check before a shift.
func ProbeKey(kind string, user UserID, id int64) string {
	return kind + "/" + string(user) + "/" + strconv.FormatInt(id, 36)
}

// ProbeUser tells whom a message went to that is no page.
func ProbeUser(key string) (UserID, bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 3 || parts[0] != "test" && parts[0] != "check" || parts[1] == "" {
		return "", false
	}
	return UserID(parts[1]), true
}

// Meant is what a person's answer to one message asks to do with one of its incidents. Asked says
// that only a responder's page told of it, exact that the answer names that page by itself, and
// called that a step of the policy has paged the person as well: then it is theirs to acknowledge.
// False: the answer makes no sense there.
func (in Incident) Meant(do ActKind, asked, exact, called bool) (ActKind, bool) {
	switch {
	case do == ActDecline:
		return do, asked
	case do == ActAck && asked && (exact || !called || in.Status != Triggered):
		return ActAccept, true
	}
	return do, true
}

// SayDone says in a sentence what was done with the incidents of one message, and what was not.
func SayDone(do ActKind, done []IncidentID, refused []string) string {
	verb := map[ActKind]string{
		ActAck: "Acknowledged", ActResolve: "Resolved", ActEscalate: "Escalated",
		ActAccept: "Accepted", ActDecline: "Declined",
	}[do]
	switch {
	case len(done) == 0 && len(refused) == 0:
		return "There is nothing open that you were paged for here."
	case len(done) == 0 && len(refused) == 1:
		return refused[0]
	case len(done) == 0:
		return "None of these " + strconv.Itoa(len(refused)) + " incidents needs that any more."
	}
	var names []string
	for _, id := range done[:min(len(done), 10)] {
		names = append(names, id.String())
	}
	text := verb + " " + strings.Join(names, ", ")
	if more := len(done) - len(names); more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	if len(refused) > 0 {
		were := " were"
		if len(refused) == 1 {
			were = " was"
		}
		text += "; " + strconv.Itoa(len(refused)) + were + " settled before"
	}
	return text + "."
}
