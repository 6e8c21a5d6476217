package intake

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/watchbill/watchbill/oncall"
)

// Limits of a mail.
const (
	mailDepth = 8   // nested parts
	mailParts = 100 // in total
	mailText  = 1 << 20
)

// Mail reads a monitor's mail. The subject is the title and shows whether the alert is resolved.
// Mails are about the same alert if their subjects differ only in the state, or if they have the
// same header X-Dedup-Key. A mail that can't be read becomes a signal that explains so.
func Mail(raw []byte) oncall.Signal {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return UnreadableSignal(raw, "A mail came that could not be read.")
	}
	r := mailReader{left: mailParts}
	r.part(m.Header.Get, m.Body, 0)
	body := first(trim(r.plain), withoutTags(r.html))
	subject := mailHeader(m.Header.Get("Subject"))
	title := trim(replyPrefix.ReplaceAllString(subject, ""))
	if title == "" {
		title, _, _ = strings.Cut(body, "\n")
	}
	if trim(title) == "" {
		return UnreadableSignal(raw, "A mail came that has neither a subject nor a text.")
	}
	about, action, level := mailState(title)
	d := draft{
		title: title, body: body, action: action, level: first(mailHeader(m.Header.Get("X-Severity")), level),
		key: first(mailHeader(m.Header.Get("X-Dedup-Key")), hash("mail", strings.ToLower(about))),
	}
	if from, err := mail.ParseAddress(m.Header.Get("From")); err == nil {
		d.detail("from", from.Address)
	}
	signals, err := single(d)
	if err != nil || len(signals) == 0 {
		return UnreadableSignal(raw, "A mail came that could not be read.")
	}
	return signals[0]
}

// replyPrefix matches the prefixes that mail programs add when replying or forwarding.
var replyPrefix = regexp.MustCompile(`(?i)^(\s*(re|aw|sv|antw|fwd?|wg|tr)(\[\d+\])?\s*:)+`)

// States as they occur at the beginning or the end of a subject. Those in mailEnds can mean
// something else, as in "port 443 closed", so they count only where they are written like a state;
// those in mailSurely count anywhere. Neutral words mean nothing by themselves.
var (
	mailBegins = setOf(`problem firing triggered critical crit warning warn down error err failed failure failing unreachable unknown
		alarm alarming opened open breached unhealthy offline degraded p1 p2 p3 p4 p5 high severe emergency fatal`)
	mailSurely  = setOf(`recovery recovered resolved ok okay cleared succeeded`)
	mailEnds    = setOf(`up closed restored normal healthy online success successful passed fixed solved inactive`)
	mailAcks    = setOf(`acknowledgement acknowledgment acknowledged`)
	mailNeutral = setOf(`alert alerts alerting notification is are was has been now back again state status the info notice severity
		priority medium low`)
	mailIs  = setOf(`is are was been now back again`)
	mailNot = setOf(`not never no nicht partially partly almost isnt cannot`)
)

// stateCount matches the number of alerts in a state: "FIRING:2".
var stateCount = regexp.MustCompile(`:\d+$`)

// A mailSubject is a subject while its state is being read.
type mailSubject struct {
	words              []string
	begins, ends, acks bool
	level              string
}

// mailState strips the state words from the beginning and end of a subject; the rest is what it is
// about. Resolved words lose against any that contradict them: in doubt somebody is paged.
func mailState(subject string) (about string, action oncall.Action, level string) {
	if m := kumaState(subject); m != nil {
		return m[1], kumaStates[normalize(m[2])], ""
	}
	if mailUpdated.MatchString(subject) {
		return mailUpdated.ReplaceAllString(subject, ""), oncall.Update, ""
	}
	subject = mailResolvedIn.ReplaceAllString(subject, "$1: ")
	s := mailSubject{words: strings.FieldsFunc(latestState(subject), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("[](){}*|;,!", r) || unicode.Is(unicode.So, r)
	})}
	marked := strings.HasPrefix(strings.TrimSpace(subject), "[") || strings.HasPrefix(strings.TrimSpace(subject), "(")
	from, to := 0, len(s.words)
	for from < to {
		w := s.words[from]
		if !s.state(w, strings.HasSuffix(w, ":") || w == strings.ToUpper(w) || marked && from == 0) {
			break
		}
		from++
	}
	for to > from {
		before := ""
		if to > 1 {
			before = normalize(s.words[to-2])
		}
		if mailNot[before] {
			s.begins = true
			break
		}
		if !s.state(s.words[to-1], mailIs[before]) {
			break
		}
		to--
	}
	about = strings.Trim(strings.Join(s.words[from:to], " "), ":-–— ")
	if about == "" {
		about = subject
	}
	switch {
	case s.acks && !s.ends:
		return about, oncall.AckSignal, s.level
	case s.ends && !s.begins:
		return about, oncall.Clear, s.level
	}
	return about, oncall.Trigger, s.level
}

// Zabbix's default subjects.
var (
	mailResolvedIn = regexp.MustCompile(`(?i)^(resolved) in [\w ]+: `)
	mailUpdated    = regexp.MustCompile(`(?i)^updated problem in [\w ]+: `)
)

// latestState drops the state before an arrow: "CRITICAL -> OK" is OK.
func latestState(subject string) string {
	words := strings.Fields(strings.ReplaceAll(arrows.Replace(subject), "→", " → "))
	for i := 1; i+1 < len(words); i++ {
		if words[i] == "→" {
			words = slices.Delete(words, i-1, i+1)
			i--
		}
	}
	return strings.Join(words, " ")
}

// state records the state that a word stands for, and reports whether it is one. Words with other
// meanings count only if written like a state.
func (s *mailSubject) state(word string, written bool) bool {
	w := normalize(stateCount.ReplaceAllString(word, ""))
	_, severity := oncall.ParseSeverity(w)
	switch {
	case w == "":
	case mailSurely[w], mailEnds[w] && written:
		s.ends = true
	case mailAcks[w]:
		s.acks = true
	case mailBegins[w]:
		s.begins = true
	case !mailNeutral[w]:
		return false
	}
	if severity && s.level == "" && w != "" && (mailBegins[w] || mailNeutral[w]) {
		s.level = w
	}
	return true
}

// mailHeader decodes a header.
func mailHeader(text string) string {
	words := mime.WordDecoder{CharsetReader: func(charset string, in io.Reader) (io.Reader, error) { return inCharset(charset, in), nil }}
	if out, err := words.DecodeHeader(text); err == nil {
		text = out
	}
	return trim(strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " "))
}

// inCharset converts text to UTF-8. An unknown character set is read as UTF-8.
func inCharset(charset string, in io.Reader) io.Reader {
	if e, err := htmlindex.Get(charset); err == nil {
		return e.NewDecoder().Reader(in)
	}
	return in
}

// A mailReader searches a mail for its text.
type mailReader struct {
	left        int // parts
	plain, html string
}

// part reads a part and those nested in it. The first text counts.
func (r *mailReader) part(header func(string) string, in io.Reader, depth int) {
	if r.left--; r.left < 0 || depth > mailDepth || r.plain != "" {
		return
	}
	kind, params, err := mime.ParseMediaType(header("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	if how, _, err := mime.ParseMediaType(header("Content-Disposition")); err == nil && how == "attachment" {
		return
	}
	in = transferDecoded(header("Content-Transfer-Encoding"), in)
	switch {
	case strings.HasPrefix(kind, "multipart/") && params["boundary"] != "":
		parts := multipart.NewReader(in, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err != nil || r.left < 0 {
				return // keep what was read so far
			}
			r.part(p.Header.Get, p, depth+1)
		}
	case kind == "text/html" && r.html == "":
		r.html = textOf(params["charset"], in)
	case strings.HasPrefix(kind, "text/") && kind != "text/html":
		r.plain = textOf(params["charset"], in)
	}
}

// transferDecoded decodes a part's transfer encoding.
func transferDecoded(encoding string, in io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, in)
	case "quoted-printable":
		return quotedprintable.NewReader(in)
	}
	return in
}

func textOf(charset string, in io.Reader) string {
	data, _ := io.ReadAll(io.LimitReader(inCharset(charset, in), mailText)) // damaged text ends early
	return strings.ReplaceAll(strings.ToValidUTF8(string(data), ""), "\r\n", "\n")
}
