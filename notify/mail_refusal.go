package notify

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// remedy says what to do if no session could be opened.
func (mailer *Mail) remedy(err error) string {
	reply, spoken := errors.AsType[*textproto.Error](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, notTLS := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case spoken && noPasswords(reply.Msg):
		return "Microsoft takes no passwords for mail here any more (basic authentication): send by a relay that does, such as Azure Communication Services, Amazon SES or Postmark, or by a connector of Exchange Online that lets this machine in without one."
	case certificate:
		return "Write the server's name in " + mailAddress + " as its certificate has it, or name who vouches for it in WATCHBILL_SMTP_CA_FILE."
	case notTLS:
		return "Use smtp:// in " + mailAddress + ", with the port for STARTTLS (587): no TLS is spoken on this one."
	case spoken && reply.Code < 500:
		return "Nothing is wrong with our settings: look at the server's log, and try again later."
	case spoken && (reply.Code == 530 || reply.Code == 534 || reply.Code == 535):
		return "Check user and password in " + mailAddress + " (%40 is @, %2F is /); some providers want a password made for programs."
	case spoken:
		return "Ask who runs the server to let this machine send by it."
	case strings.Contains(err.Error(), "not support STARTTLS"):
		return "Use smtps:// in " + mailAddress + ", with the port for TLS (465), or have the server offer STARTTLS: nothing is sent without encryption."
	case strings.Contains(err.Error(), "AUTH"):
		return "The server takes no password here, or in no way that we know: check the port in " + mailAddress + ", or leave user and password out."
	}
	return "Check host and port in " + mailAddress + " (smtps:// is 465, smtp:// is 587), and that this machine may reach them: some networks block mail."
}

// noPasswords reports whether Microsoft no longer accepts passwords at all: 5.7.30 and 5.7.139.
func noPasswords(text string) bool {
	return strings.Contains(text, "5.7.30 ") || strings.Contains(text, "5.7.139 ")
}

// notConnected returns the receipt for a mail whose session could not be opened, so that nothing was
// sent.
func (mailer *Mail) notConnected(err error) Receipt {
	receipt := Receipt{Outcome: Misconfigured, Err: fmt.Errorf("connect to %s: %w", mailer.server(), mailer.secrets().clean(err))}
	reply, spoken := errors.AsType[*textproto.Error](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, network := errors.AsType[net.Error](err)
	if spoken && reply.Code < 500 && !usedUp.MatchString(strings.ToLower(reply.Msg)) || !spoken && !certificate && (network || errors.Is(err, io.EOF)) {
		receipt.Outcome, receipt.RetryAfter = Throttled, mailPause
		if !spoken {
			receipt.RetryAfter = webPause
		}
	}
	return receipt
}

// unconfirmed returns the receipt for a mail that the server has not confirmed.
func (mailer *Mail) unconfirmed(err error) Receipt {
	receipt := Receipt{Outcome: Throttled, RetryAfter: mailPause, Err: fmt.Errorf("hand the mail to %s: %w", mailer.server(), mailer.secrets().clean(err))}
	failed, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		receipt.Outcome = Unknown
		return receipt
	}
	refusal := newMailRefusal(failed)
	switch code := failed.ErrorCode(); {
	case refusal.blamesSender(): // whoever the recipient is
		receipt.Outcome, receipt.RetryAfter = Misconfigured, 0
	case code >= 500:
		receipt.Outcome, receipt.RetryAfter = Rejected, 0
		receipt.Dead = failed.Reason == gomail.ErrSMTPRcptTo && noSuchMailbox(refusal.status)
	case code == 0 && failed.Reason == gomail.ErrSMTPDataClose: // the server had the whole mail
		receipt.Outcome, receipt.RetryAfter = Unknown, 0
	case code == 0:
		receipt.RetryAfter = webPause
	}
	return receipt
}

// noSuchMailbox reports whether a status (RFC 3463) means that the mailbox does not exist.
func noSuchMailbox(status string) bool {
	switch status {
	case "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10":
		return true
	}
	return false
}

// A mailRefusal is what a server says when it refuses a mail.
type mailRefusal struct {
	stage  gomail.SendErrReason
	code   int
	status string // RFC 3463, such as 5.7.1; empty: the server gives none
	text   string // in lower case
}

// mailStatus is the status behind a reply's code. The library only reads it if the server has announced it.
var mailStatus = regexp.MustCompile(`\b[45][0-9]{2}[ -]"?([45]\.[0-9]{1,3}\.[0-9]{1,3})\b`)

func newMailRefusal(failed *gomail.SendError) mailRefusal {
	text, _, _ := strings.Cut(failed.Error(), ", affected recipient(s): ")
	f := mailRefusal{stage: failed.Reason, code: failed.ErrorCode(), status: failed.EnhancedStatusCode(), text: strings.ToLower(text)}
	if m := mailStatus.FindStringSubmatch(text); m != nil {
		f.status = m[1]
	}
	return f
}

var (
	// aboutUs matches statuses about the sender (RFC 3463, RFC 7372, Exchange's own). They may come at any stage,
	// because a server may refuse the sender only after it knows the recipient or has the whole mail.
	aboutUs = regexp.MustCompile(`^5\.(1\.[78]|2\.252|4\.5|7\.(0|[89]|2[0-9]|3[0-2]|57|60|64|139|[567][0-9]{2}))$`)
	// aboutThem matches statuses about a recipient that accepts only some mail, such as a list for members only.
	aboutThem = regexp.MustCompile(`^5\.(1\.[0-69]|1\.1[0-9]|2\.[1-4]|7\.(1[0-9]|12[0-9]|13[0-68]))$`)
	// wordsOfUs matches texts about the sender.
	wordsOfUs = regexp.MustCompile(`\bsender\b|sendasdenied|from address|not (verified|authorized|authenticated|allowed to send|permitted to send)` +
		`|relay(ing)?( access)? (denied|not (permitted|allowed))|unable to relay|(permitted|allowed) to relay|sending paused|blocked using|block ?list|blacklist` +
		`|client host|reverse dns|\b(spf|dkim|dmarc|ptr)\b|credits exceeded|sending (limit|quota)`)
	// usedUp matches long-lasting limits of our account, even if the server reports them as temporary
	// (4xx).
	usedUp = regexp.MustCompile(`daily.{0,40}(quota|limit)|credits exceeded`)
	// theirs matches the limits and faults of a single mailbox.
	theirs = regexp.MustCompile(`^[45]\.2\.[1-4]$`)
)

// blamesSender reports whether a server refuses the mail because of its sender, so that nobody can be
// reached until an admin acts.
func (r mailRefusal) blamesSender() bool {
	data := r.stage == gomail.ErrSMTPData || r.stage == gomail.ErrSMTPDataClose
	switch {
	case r.code < 400 || noSuchMailbox(r.status) || theirs.MatchString(r.status):
		return false
	case usedUp.MatchString(r.text):
		return true
	case r.code < 500:
		return false
	case r.stage == gomail.ErrSMTPMailFrom || r.code == 530 || aboutUs.MatchString(r.status):
		return true
	case aboutThem.MatchString(r.status):
		return false
	}
	return data && strings.HasPrefix(r.status, "5.7.") || wordsOfUs.MatchString(r.text)
}
