package notify_test

import (
	"strings"
	"testing"

	"github.com/watchbill/watchbill/notify"
)

// What is refused because of who sends is an admin's matter, at whatever stage the server says so; what is
// refused because of who is to get it is that person's.
func TestMailRefusalBlamesSenderOrRecipient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stage, answer string
		outcome       notify.Outcome
		dead          bool
	}{
		{stage: ".", answer: "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: oncall@example.com", outcome: notify.Misconfigured},
		{stage: ".", answer: "554 Message rejected: Sending paused for this account.", outcome: notify.Misconfigured},
		{stage: ".", answer: "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message", outcome: notify.Misconfigured},
		{stage: ".", answer: "554 5.2.252 SendAsDenied; oncall@example.com not allowed to send as alerts@example.com", outcome: notify.Misconfigured},
		{stage: ".", answer: "550 5.7.60 SMTP; Client does not have permissions to send as this sender", outcome: notify.Misconfigured},
		{stage: ".", answer: "550 5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy", outcome: notify.Misconfigured},
		{stage: ".", answer: "550 5.4.5 Daily user sending limit exceeded", outcome: notify.Misconfigured},
		{stage: ".", answer: "454 Throttling failure: Daily message quota exceeded", outcome: notify.Misconfigured},
		{stage: ".", answer: "550 The from address does not match a verified Sender Identity", outcome: notify.Misconfigured},
		{stage: "RCPT", answer: "454 4.7.0 Throttling failure: Daily message quota exceeded", outcome: notify.Misconfigured},
		{stage: "greeting", answer: "451 Authentication failed: Maximum credits exceeded", outcome: notify.Misconfigured},
		{stage: "greeting", answer: "421 4.7.0 too many connections", outcome: notify.Throttled},
		{stage: "RCPT", answer: "450 4.2.1 The user has reached a daily limit of mails", outcome: notify.Throttled},
		{stage: ".", answer: "451 4.3.0 try again", outcome: notify.Throttled},
		{stage: ".", answer: "550 5.7.133 Sender not authenticated for group", outcome: notify.Rejected},
		{stage: ".", answer: "552 5.2.2 mailbox full", outcome: notify.Rejected},
		{stage: ".", answer: "550 no thanks", outcome: notify.Rejected},
		{stage: "DATA", answer: "554 5.7.1 not from you", outcome: notify.Misconfigured},
		{stage: "RCPT", answer: "553 5.7.1 <oncall@example.com>: Sender address rejected: not owned by user watchbill", outcome: notify.Misconfigured},
		{stage: "RCPT", answer: "554 5.7.1 <ann@example.com>: Relay access denied", outcome: notify.Misconfigured},
		{stage: "RCPT", answer: "550 5.7.1 Unable to relay", outcome: notify.Misconfigured},
		{stage: "RCPT", answer: "550 Sender verify failed", outcome: notify.Misconfigured},
		{stage: "RCPT", answer: "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using a list", outcome: notify.Misconfigured},
		{stage: "RCPT", answer: "550 5.1.8 Access denied, bad outbound sender", outcome: notify.Misconfigured},
		{stage: "RCPT", answer: "550 5.7.64 TenantAttribution; Relay Access Denied", outcome: notify.Misconfigured},
		{stage: "RCPT", answer: "530 5.7.0 Authentication required", outcome: notify.Misconfigured},
		{stage: "RCPT", answer: "550 5.7.1 Message rejected as per rule of the recipient", outcome: notify.Rejected},
		{stage: "RCPT", answer: "550 5.7.124 Sender not in allowed-senders list", outcome: notify.Rejected},
		{stage: "RCPT", answer: "550 5.1.1 <ann@example.com>: User unknown in relay recipient table", outcome: notify.Rejected, dead: true},
		{stage: "RCPT", answer: "550 5.2.1 The mailbox of a sender is disabled", outcome: notify.Rejected},
		{stage: "RCPT", answer: "450 4.7.1 Sender is greylisted", outcome: notify.Throttled},
		{stage: "MAIL", answer: "550 5.7.30 Basic authentication is not supported for Client Submission", outcome: notify.Misconfigured},
	} {
		r := notify.NewMail(scriptedMailServer(t, map[string]string{c.stage: c.answer})).Send(t.Context(), testPage("ann@example.com"))
		if r.Outcome != c.outcome || r.Dead != c.dead {
			t.Errorf("%s %q: %+v, want %s", c.stage, c.answer, r, c.outcome)
		}
	}
}

// Microsoft takes no passwords any more: the user and the password are right, and nobody has to ask who
// runs the server.
func TestMailRemedyForMicrosoftPasswords(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		"550 5.7.30 Basic authentication is not supported for Client Submission.",
		"535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [AM0PR01CA0001.eurprd01.prod.exchangelabs.com]",
	} {
		config := scriptedMailServer(t, map[string]string{"EHLO": "250-localhost\r\n250 AUTH PLAIN", "AUTH": answer})
		config.User, config.Password = "watchbill", "secret"
		mail := notify.NewMail(config)
		if r := mail.Send(t.Context(), testPage("ann@example.com")); r.Outcome != notify.Misconfigured || !strings.Contains(r.Err.Error(), "5.7.") {
			t.Errorf("%s: got %+v, want Outcome %v with \"5.7.\"", answer, r, notify.Misconfigured)
		}
		found := mail.Check(t.Context())
		if len(found) != 1 || found[0].OK || !strings.Contains(found[0].Remedy, "Microsoft takes no passwords") {
			t.Errorf("%s: got %+v, want one finding with the remedy", answer, found)
		}
	}
}
