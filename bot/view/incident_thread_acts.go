package view

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// actLine describes people's acts other than acknowledging and resolving.
func actLine(event oncall.Event) string {
	detail, by := event.Detail, actorName(event.Actor)
	text := Foreign(detail.Text, maxTitle)
	switch event.Kind {
	case oncall.EventAckCounted:
		return fmt.Sprintf("%s acknowledged it%s: %d of %d have.", by, viaMethod(event.Actor), detail.Count, detail.Of)
	case oncall.EventAckTakenBack:
		return takenBackLine(event)
	case oncall.EventUnacknowledged:
		return unacknowledgedLine(event)
	case oncall.EventStillOnAsked:
		return fmt.Sprintf("%s %s asked: still on it? Without an answer it pages again at %s.", named(detail.Users), isOrAre(len(detail.Users)), stamp(detail.Until, asTime, time.UTC))
	case oncall.EventStillOn:
		return fmt.Sprintf("%s is still on it.", by)
	case oncall.EventSnoozed:
		return fmt.Sprintf("%s snoozed it until %s.", by, stamp(detail.Until, asDay, time.UTC))
	case oncall.EventUnsnoozed:
		if event.Actor.User == "" {
			return fmt.Sprintf("The snooze is over%s: it pages again.", withPrefix(", ", text))
		}
		return fmt.Sprintf("%s ended the snooze: it pages again.", by)
	case oncall.EventEscalated:
		return fmt.Sprintf("%s wants the next step now%s.", by, withPrefix(",", viaMethod(event.Actor)))
	case oncall.EventReassigned:
		if len(detail.Users) > 0 {
			return fmt.Sprintf("%s reassigned it to %s.", by, named(detail.Users))
		}
		return fmt.Sprintf("%s reassigned it to the escalation policy %s.", by, text)
	case oncall.EventAsked:
		return fmt.Sprintf("%s asked %s to help%s.", by, named(detail.Users), withPrefix(": ", text))
	case oncall.EventAccepted:
		return fmt.Sprintf("%s helps.%s", by, askedBy(detail))
	case oncall.EventDeclined:
		return fmt.Sprintf("%s can't help.%s", by, askedBy(detail))
	case oncall.EventNote:
		return fmt.Sprintf("%s: %s", by, foreignLines(detail.Text, MaxTyped, maxNoteLines))
	case oncall.EventVerdict:
		return verdictLine(event)
	case oncall.EventChannelAsked, oncall.EventChannel, oncall.EventChannelArchived, oncall.EventChannelFailed:
		return channelLine(event)
	case oncall.EventReviewAction, oncall.EventReviewActionDone:
		return reviewActionLine(event)
	case oncall.EventUpdate:
		return updateLine(event)
	case oncall.EventLinked:
		return fmt.Sprintf("%s linked it with %s.", by, detail.Incident)
	case oncall.EventMerged:
		if len(detail.Users) > 0 {
			return fmt.Sprintf("%s merged %s into it, with its responders %s.", by, detail.Incident, named(detail.Users))
		}
		return fmt.Sprintf("%s merged %s into it.", by, detail.Incident)
	case oncall.EventMergedInto:
		return fmt.Sprintf("%s merged it into %s.", by, detail.Incident)
	case oncall.EventMergeUndone:
		return fmt.Sprintf("%s took back the merge with %s.", by, detail.Incident)
	default:
		return ""
	}
}

func takenBackLine(e oncall.Event) string {
	d := e.Detail
	if len(d.Left) > 0 {
		return fmt.Sprintf("%s so their acknowledgement counts no more: %s.", leftSlack(d.Left, ","), ackProgress(d))
	}
	return fmt.Sprintf("%s took back their acknowledgement%s: %s.", actorName(e.Actor), withPrefix(",", viaMethod(e.Actor)), ackProgress(d))
}

func unacknowledgedLine(e oncall.Event) string {
	d, by := e.Detail, actorName(e.Actor)
	switch {
	case len(d.Left) > 0 && len(d.Acked) > 0:
		return fmt.Sprintf("%s %s, so it pages again.", leftSlack(d.Left, ":"), ackProgress(d))
	case len(d.Left) > 0:
		return leftSlack(d.Left, ":") + " nobody has it any more, so it pages again."
	case e.Actor.User == "":
		return fmt.Sprintf("It pages again: %s.", cmp.Or(Foreign(d.Text, maxTitle), "the acknowledgement has ended"))
	case len(d.Users) > 0 && !slices.Contains(d.Users, e.Actor.User):
		return fmt.Sprintf("%s took it from %s: it pages again.", by, named(d.Users))
	case len(d.Acked) > 0:
		return fmt.Sprintf("%s took back their acknowledgement: %s, so it pages again.", by, ackProgress(d))
	}
	return fmt.Sprintf("%s gave it back: it pages again.", by)
}

// leftSlack says who has left, and ends with a mark.
func leftSlack(left []oncall.UserID, mark string) string {
	have := " has"
	if len(left) > 1 {
		have = " have"
	}
	return named(left) + have + " left Slack" + mark
}

// ackProgress says who has acknowledged, out of how many who must, and how many more are needed.
func ackProgress(d oncall.Detail) string {
	s := fmt.Sprintf("%d of %d have acknowledged", d.Count, d.Of)
	if len(d.Acked) > 0 {
		s += ": " + named(d.Acked)
	}
	if more := d.Of - d.Count; more > 0 {
		s += "; " + oncall.MoreNeeded(more)
	}
	return s
}

// tooFewAcks says that nobody has acknowledged, or too few.
func tooFewAcks(d oncall.Detail) string {
	switch {
	case len(d.Acked) == 0:
		return "Nobody has answered"
	case d.Of == 0:
		return fmt.Sprintf("Only %s acknowledged, more must", named(d.Acked))
	}
	return ackProgress(d)
}

// onCallPageReason says why a person who has come on call is paged.
func onCallPageReason(d oncall.Detail) string {
	if len(d.Acked) > 0 {
		return "more must acknowledge it"
	}
	return "nobody had it"
}

// maxNoteLines is the maximum number of lines of a note.
const maxNoteLines = 40

// askedBy mentions who had asked, so that Slack notifies them of the answer.
func askedBy(d oncall.Detail) string {
	if len(d.Users) == 0 {
		return ""
	}
	return fmt.Sprintf(" (Asked by %s.)", named(d.Users))
}

// withPrefix returns text with a prefix, or nothing if it is empty.
func withPrefix(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// receipts describes providers' reports about accepted pages.
var receipts = map[string]string{
	"delivered": "has arrived", "answered": "was picked up", "unanswered": "was not picked up",
}

// quietLine describes events that appear in the timeline, but not in the thread.
func quietLine(event oncall.Event) string {
	text := Foreign(event.Detail.Text, maxTitle)
	switch event.Kind {
	case oncall.EventOpened:
		if to := pagedByHand(event.Detail); event.Actor.User != "" {
			return fmt.Sprintf("%s paged %s: %s", actorName(event.Actor), to, text)
		}
		return fmt.Sprintf("%s opened it: %s", actorName(event.Actor), text)
	case oncall.EventAlertJoined:
		return fmt.Sprintf("%s added the alert %s", actorName(event.Actor), text)
	case oncall.EventRetitled:
		return fmt.Sprintf("%s says something new. Before: %s", actorName(event.Actor), text)
	case oncall.EventMisread:
		return fmt.Sprintf("Not understood of what %s sent: %s", actorName(event.Actor), text)
	case oncall.EventRecognised:
		return fmt.Sprintf("What %s sends is taken for %s. If that is wrong, set its kind.", actorName(event.Actor), text)
	case oncall.EventLate:
		if event.Detail.Over {
			return fmt.Sprintf("%s says that %s is over, of an earlier time than it fires since: taken for late, nothing was closed.", actorName(event.Actor), text)
		}
		return fmt.Sprintf("%s says again that %s fires, so soon after its end that it is taken for late: nobody was paged. "+
			"If it comes once more, it pages.", actorName(event.Actor), text)
	case oncall.EventAlertResolved:
		return fmt.Sprintf("%s cleared the alert %s", actorName(event.Actor), text)
	case oncall.EventPageReceipt:
		return fmt.Sprintf("The page to %s by %s %s.", named(event.Detail.Users), event.Detail.Method.Name(), cmp.Or(receipts[text], text))
	case oncall.EventPageDelivered:
		return fmt.Sprintf("%s was paged by %s.", named(event.Detail.Users), event.Detail.Method.Name())
	default:
		return ""
	}
}
