package oncall

import (
	"regexp"
	"strconv"
	"strings"
)

// ReplyKind says what an answer asks for.
type ReplyKind string

// What people answer.
const (
	ReplyAct   ReplyKind = "act"   // do Act with the incidents of a message
	ReplyStop  ReplyKind = "stop"  // page me no more in this way
	ReplyStart ReplyKind = "start" // do so again
	ReplyCode  ReplyKind = "code"  // this proves that the address is mine
	ReplyOther ReplyKind = "other" // it only shows that somebody is there
)

// A Reply is what an answer asks for.
type Reply struct {
	Kind  ReplyKind
	Act   ActKind // as who is on call means it; Incident.Meant tells what a responder means
	Code  int     // of the message; 0: the newest, unless the answer names one
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
)

// ParseReply understands what people type when they are woken: "1a", "ack 12", "Ack", "'2a'",
// "4a!", "0a", "aa", "resolve 3", "stop", and a code that proves an address.
func ParseReply(text string) Reply {
	text = strings.ToLower(strings.Join(strings.Fields(replyNoise.Replace(text)), " "))
	text = strings.Trim(text, " .,!?:;()[]<>*_-")
	if rest, found := strings.CutPrefix(text, "/start "); found { // how Telegram opens a conversation
		text = rest
	}
	text = strings.TrimPrefix(text, "/")
	if kind, known := replyWords[text]; known {
		return Reply{Kind: kind}
	}
	if act, known := replyActs[text]; known {
		return Reply{Kind: ReplyAct, Act: act}
	}
	if m := replyAll.FindStringSubmatch(text); m != nil && m[1] == m[2] {
		if act, known := replyActs[m[1]+m[3]+m[4]]; known {
			return Reply{Kind: ReplyAct, Act: act}
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
			return Reply{Kind: ReplyAct, Act: act, Code: code}
		}
	}
	if replyProof.MatchString(text) {
		return Reply{Kind: ReplyCode, Proof: text}
	}
	return Reply{Kind: ReplyOther}
}
