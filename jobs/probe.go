package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/riverqueue/river"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// probeLimit limits one attempt to send a message that is not a page.
const probeLimit = sendLimit + recordLimit

// sendProof makes the code that proves a contact method and sends it. If that fails, a Slack
// message explains why, because the person is waiting for it.
func (j *Jobs) sendProof(ctx context.Context, job *river.Job[oncall.SendProof]) error {
	var random [16]byte
	rand.Read(random[:])
	proof, err := j.store.BeginProof(ctx, job.Args.Contact, random, j.clock())
	if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
		return river.JobCancel(refusal)
	}
	if err != nil {
		return unlessMissing(err)
	}
	key := fmt.Sprintf("code/%d/%d", proof.Contact.ID, job.ID)
	if proof.Contact.Address == "" {
		return j.store.Notify(ctx, j.clock(), oncall.Notice{
			Key: key, To: string(proof.User.ID), Kind: oncall.NoticeProof, Until: &proof.Expires,
			Detail: oncall.NoticeDetail{Method: proof.Contact.Method, Note: proof.Sealed},
		})
	}
	return j.probe(ctx, proof.Contact, notify.Message{
		Purpose: notify.ForVerify, Key: key, Verify: proof.Code, Expires: proof.Expires, Attempt: job.Attempt,
	})
}

// sendTest shows a person what a page looks like.
func (j *Jobs) sendTest(ctx context.Context, job *river.Job[oncall.TestPage]) error {
	key := probeKey(oncall.ProbeTest, job.Args.User, job.ID)
	if job.Args.Contact == 0 {
		return j.store.Notify(ctx, j.clock(), oncall.Notice{
			Key: key, To: string(job.Args.User), Kind: oncall.NoticeTest,
		})
	}
	probe, err := j.store.ProbeRecipient(ctx, job.Args.Contact)
	if err != nil {
		return unlessMissing(err)
	}
	m := notify.Message{Purpose: notify.ForTest, Key: key, Attempt: job.Attempt, Severity: string(oncall.High)}
	m.Token, m.Link = j.token(ctx, 0, job.Args.User)
	return j.probe(ctx, probe.Contact, m)
}

func probeKey(kind oncall.ProbeKind, user oncall.UserID, job int64) string {
	return oncall.MessageKey{Probe: oncall.Probe{Kind: kind, User: user, Job: job}}.String()
}

// sendCheck asks whether a person can still be reached.
func (j *Jobs) sendCheck(ctx context.Context, job *river.Job[oncall.CheckReach]) error {
	probe, err := j.store.ProbeRecipient(ctx, job.Args.Contact)
	if err != nil {
		return unlessMissing(err)
	}
	m := notify.Message{
		Purpose: notify.ForCheck, Key: probeKey(oncall.ProbeCheck, probe.User.ID, job.ID), Attempt: job.Attempt,
		Title: "Your on-call shift comes up. Can Watchbill still reach you here? Please answer ok.",
	}
	m.Token, m.Link = j.token(ctx, 0, probe.User.ID)
	return j.probe(ctx, probe.Contact, m)
}

// probe sends a message that is not a page. If it can't be sent, the person gets a Slack message
// about it.
func (j *Jobs) probe(ctx context.Context, contact oncall.Contact, message notify.Message) error {
	message.To, message.OneWay = contact.Address, contact.OneWay()
	if message.Expires.IsZero() {
		message.Expires = j.clock().Add(usefulFor)
	}
	message.Until = schedule.ZonedStamp(message.Expires, zoneIn(j.directory(ctx), contact.UserID))
	receipt := notify.Receipt{Outcome: notify.Misconfigured, Err: fmt.Errorf("this installation has no %s", contact.Method)}
	if sender := j.senders[contact.Method]; sender.Sender != nil {
		receipt = send(ctx, sender, message)
	}
	j.metrics.pages.WithLabelValues(string(contact.Method), string(receipt.Outcome)).Inc()
	switch receipt.Outcome {
	case notify.Accepted:
		return nil
	case notify.Throttled:
		return river.JobSnooze(min(max(receipt.RetryAfter, minThrottle), maxThrottle))
	case notify.Rejected, notify.Misconfigured:
		n := oncall.ContactNotice(oncall.NoticeUnsent, contact, receipt.Err.Error(), string(contact.UserID), j.clock())
		return errors.Join(j.store.Notify(ctx, j.clock(), n), river.JobCancel(receipt.Err))
	default:
		return fmt.Errorf("send a %s by %s: %w", message.Purpose, contact.Method, receipt.Err)
	}
}
