package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// standing says who has the incident and what happens next.
func standing(p oncall.Picture) string {
	in := p.Incident
	var sentences []string
	switch in.Status {
	case oncall.Triggered:
		sentences = triggeredWords(p)
	case oncall.Acknowledged:
		sentences = append(sentences, fmt.Sprintf("Acknowledged by %s%s.", acknowledgers(in), at(in.AckedAt)))
		switch {
		case in.NextAt == nil:
		case in.AckAgain:
			sentences = append(sentences, fmt.Sprintf("*It got worse since.* Unless it is acknowledged again, it escalates at %s.", stamp(*in.NextAt, asTime, time.UTC)))
		case in.AckAsked:
			sentences = append(sentences, fmt.Sprintf("*Still on it?* Without an answer it pages again at %s.", stamp(*in.NextAt, asTime, time.UTC)))
		case len(in.Holders()) > 1:
			sentences = append(sentences, fmt.Sprintf("They are asked at %s whether they are still on it.", stamp(*in.NextAt, asTime, time.UTC)))
		default:
			sentences = append(sentences, fmt.Sprintf("The owner is asked at %s whether they are still on it.", stamp(*in.NextAt, asTime, time.UTC)))
		}
	case oncall.Snoozed:
		s := "Snoozed"
		if in.SnoozedUntil != nil {
			s += " until " + stamp(*in.SnoozedUntil, asDay, time.UTC)
		}
		sentences = append(sentences, s+" by "+actorName(in.SnoozedBy)+".")
	case oncall.Resolved:
		sentences = append(sentences, resolvedWords(in))
	}
	return strings.Join(slices.Concat(sentences, flapWords(in), helpersAndLinks(in)), " ")
}

// acknowledgers names everybody who has acknowledged; a policy may require several.
func acknowledgers(in oncall.Incident) string {
	if all := in.Holders(); len(all) > 1 {
		return named(all)
	}
	return actorName(in.AckedBy)
}

func resolvedWords(in oncall.Incident) string {
	s := "Resolved by "
	if in.AbsorbedByStorm() {
		return fmt.Sprintf("It became part of the storm %s%s.", in.MergedInto, at(in.ResolvedAt))
	}
	if in.MergedInto != 0 {
		s = fmt.Sprintf("Merged into %s by ", in.MergedInto)
	}
	s += actorName(in.ResolvedBy) + at(in.ResolvedAt)
	if in.ResolvedAt != nil {
		s += " after " + durationText(in.ResolvedAt.Sub(in.OpenedAt))
	}
	if verdict := verdictText(in.Verdict, in.Helped); verdict != "" {
		s += ": " + verdict
	}
	s += "."
	if in.SnoozedUntil != nil && in.ResolvedAt != nil && in.SnoozedUntil.After(*in.ResolvedAt) {
		s += fmt.Sprintf(" Should it come back before %s, it stays quiet: %s snoozed it.", stamp(*in.SnoozedUntil, asDay, time.UTC), actorName(in.SnoozedBy))
	}
	return s
}

// triggeredWords says who was paged and who comes next.
func triggeredWords(picture oncall.Picture) []string {
	in := picture.Incident
	var sentences []string
	answered := "Nobody has answered"
	if len(in.Acks) > 0 {
		answered = "Too few have acknowledged"
	}
	switch {
	case in.Exhausted && picture.NobodyNotified:
		sentences = append(sentences, "*"+answered+", and nobody could be told.*")
	case in.Exhausted:
		sentences = append(sentences, "*"+answered+". The whole team was told.*")
	default:
		sentences = pagedWords(picture)
	}
	if len(in.Acks) > 0 {
		sentences = append(sentences, ackProgress(oncall.Detail{Acked: in.Acks, Count: len(in.Acks), Of: acksNeeded(picture)})+".")
	}
	switch n := picture.Next; {
	case n == nil, lastPaging(picture.Events).Kind == oncall.EventWaits:
	case n.Exhausts:
		sentences = append(sentences, fmt.Sprintf("The whole team is told at %s.", stamp(n.At, asTime, time.UTC)))
	case n.Private:
		sentences = append(sentences, fmt.Sprintf("Escalates at %s to people of a private team.", stamp(n.At, asTime, time.UTC)))
	case len(sentences) == 0:
		sentences = append(sentences, fmt.Sprintf("Pages %s at %s.", named(n.Users), stamp(n.At, asTime, time.UTC)))
		if held := heldWords(lastReopened(picture.Events)); held != "" {
			sentences = append(sentences, held)
		}
	case n.Then != nil:
		sentences = append(sentences, raiserNext(in, *n))
	default:
		sentences = append(sentences, fmt.Sprintf("Escalates at %s to %s.", escalatesAt(in, n.At), named(n.Users)))
	}
	if len(sentences) == 0 {
		return []string{"Nobody has been paged, and nobody is going to be."}
	}
	return sentences
}

// heldWords says why an incident that fires again pages nobody yet, and what pages at once.
func heldWords(d oncall.Detail) string {
	if d.Since.IsZero() || len(d.Users) == 0 {
		return ""
	}
	return fmt.Sprintf("It is quiet because %s resolved it at %s while its monitor still saw it: _Escalate now_ pages at once.", named(d.Users), stamp(d.Since, asTime, time.UTC))
}

// lastReopened returns what is said of the latest reopening, if nothing has paged anybody since.
func lastReopened(events []oncall.Event) oncall.Detail {
	for _, e := range slices.Backward(events) {
		switch e.Kind {
		case oncall.EventReopened:
			return e.Detail
		case oncall.EventPaging, oncall.EventUnassigned, oncall.EventEscalated, oncall.EventReassigned:
			return oncall.Detail{}
		default:
		}
	}
	return oncall.Detail{}
}

// escalatesAt formats when an incident escalates: with the day, if that is not soon.
func escalatesAt(in oncall.Incident, at time.Time) string {
	if at.Sub(in.OpenedAt) > 12*time.Hour {
		return stamp(at, asDay, time.UTC)
	}
	return stamp(at, asTime, time.UTC)
}

// raiserNext says who comes next if the policy first pages whoever opened the incident by hand.
func raiserNext(in oncall.Incident, n oncall.NextStep) string {
	who := named(n.Then.Users)
	if n.Then.Exhausts {
		who = "the whole team"
	}
	return fmt.Sprintf("Escalates at %s to %s, who paged, and at %s to %s.", escalatesAt(in, n.At), named(n.Users), escalatesAt(in, n.Then.At), who)
}

// acksNeeded returns how many people must acknowledge, according to the timeline.
func acksNeeded(p oncall.Picture) int {
	for _, e := range slices.Backward(p.Events) {
		if e.Detail.Of > 0 {
			return e.Detail.Of
		}
	}
	return len(p.Incident.Acks) + 1
}

// helpersAndLinks names who was asked to help, and linked incidents.
func helpersAndLinks(in oncall.Incident) []string {
	var sentences, helpers []string
	for i, r := range in.Responders {
		if i == MaxNamed {
			helpers = append(helpers, fmt.Sprintf("%d more", len(in.Responders)-i))
			break
		}
		helpers = append(helpers, fmt.Sprintf("%s (%s)", mention(r.User), answers[r.State]))
	}
	if len(helpers) > 0 {
		sentences = append(sentences, "Responders: "+List(helpers)+".")
	}
	var linked []string
	for _, id := range in.Links[:min(len(in.Links), MaxNamed)] {
		linked = append(linked, id.String())
	}
	if more := len(in.Links) - MaxNamed; more > 0 {
		linked = append(linked, fmt.Sprintf("%d more", more))
	}
	if len(linked) > 0 {
		sentences = append(sentences, "Linked with "+List(linked)+".")
	}
	return sentences
}

// answers are the responses of responders.
var answers = map[oncall.ResponderState]string{
	oncall.ResponderAsked: "asked", oncall.ResponderAccepted: "accepted", oncall.ResponderDeclined: "declined",
}

func at(t *time.Time) string {
	if t == nil {
		return ""
	}
	return atTime(*t)
}
