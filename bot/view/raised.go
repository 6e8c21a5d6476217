package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// Raised draws an incident for the person who raised it: whom it reached, by what, and whether somebody has it.
// It is a direct message, or a reply in a channel.
func Raised(p oncall.Picture, reply bool) Drawing {
	in := p.Incident
	status := statuses[in.Status]
	head := fmt.Sprintf("%s %s %s", bold(fmt.Sprintf("%s %s:", in.ID, severityName(in.Severity)), titleOf(in), in.Link), status.emoji, status.word)
	state := "You paged " + raisedFor(p) + ". " + standing(p)
	if in.Status == oncall.Triggered {
		state = "You paged " + raisedFor(p) + ", and *nobody has it yet*. " + standing(p)
	}
	blocks := []slack.Block{section(head), section(state)}
	if lines := reachedLines(p); len(lines) > 0 {
		blocks = append(blocks, section(fitLines(lines, maxSection)))
	}
	blocks = append(blocks, raisedButtons(in, reply)...)
	return Drawing{Text: fmt.Sprintf("%s %s: %s (%s). %s", in.ID, severityName(in.Severity), titleOf(in), in.Status, state), Blocks: blocks}
}

// RaisedVeiled draws it for a person who may not see its team's incidents: its number, and whether somebody has
// it.
func RaisedVeiled(in oncall.Incident, reply bool) Drawing {
	has := "nobody has it yet"
	switch in.Status {
	case oncall.Triggered:
	case oncall.Acknowledged:
		has = "somebody has it"
	case oncall.Snoozed:
		has = "somebody has it, for later"
	case oncall.Resolved:
		has = "it is over"
	}
	text := fmt.Sprintf("%s *%s*: you paged a private team, and %s.", statuses[in.Status].emoji, in.ID, has)
	return Drawing{Text: text, Blocks: append([]slack.Block{section(text)}, raisedButtons(in, reply)...)}
}

// raisedButtons draws the actions of the person who raised an incident.
func raisedButtons(in oncall.Incident, reply bool) []slack.Block {
	if !in.Open() {
		return nil
	}
	id := valueOf(in.ID)
	blocks := []slack.Block{slack.NewActionBlock("", button(ActionRaisedAdd, id, "Add detail…"), button(ActionResolve, id, "It is over"))}
	if reply {
		return blocks
	}
	return append(blocks, note("What you reply here in the thread is added as well."))
}

// raisedFor names what was paged by hand.
func raisedFor(p oncall.Picture) string {
	for _, e := range p.Events {
		if e.Kind == oncall.EventOpened && len(e.Detail.Users)+len(e.Detail.Names) > 0 {
			return pagedByHand(e.Detail)
		}
	}
	return "the team " + Name(p.Team.Name)
}

// pagedByHand names the target in the event of a manual page.
func pagedByHand(d oncall.Detail) string {
	switch {
	case len(d.Users) > 0:
		return named(d.Users)
	case len(d.Names) > 0:
		return "whoever is on call in " + Name(d.Names[0])
	}
	return "the team"
}

// reached is a paged person, and the state of their pages.
type reached struct {
	ways, failed []string
	receipts     []string
	has          bool
}

// reachedLines says how each paged person was reached, and whether they have it.
func reachedLines(picture oncall.Picture) []string {
	all := map[oncall.UserID]*reached{}
	var order []oncall.UserID
	of := func(u oncall.UserID) *reached {
		if all[u] == nil {
			all[u] = &reached{has: slices.Contains(picture.Incident.Holders(), u) || slices.Contains(picture.Incident.Acks, u)}
			order = append(order, u)
		}
		return all[u]
	}
	for _, u := range picture.Paged {
		of(u)
	}
	for _, e := range picture.Events {
		for _, u := range e.Detail.Users {
			way := e.Detail.Method.Name()
			switch e.Kind {
			case oncall.EventPageDelivered:
				of(u).ways = addOnce(of(u).ways, way)
			case oncall.EventPageFailed, oncall.EventPageBlocked:
				of(u).failed = addOnce(of(u).failed, way)
			case oncall.EventPageReceipt:
				of(u).receipts = addOnce(of(u).receipts, way+" "+receipts[e.Detail.Text])
			default:
			}
		}
	}
	lines := make([]string, 0, len(order))
	for _, u := range order {
		lines = append(lines, "• "+mention(u)+": "+all[u].words())
	}
	return lines
}

func (r *reached) words() string {
	state := "not reached yet"
	arrived := slices.DeleteFunc(slices.Clone(r.ways), func(way string) bool { return slices.Contains(r.failed, way) })
	if len(arrived) > 0 {
		state = "paged by " + List(arrived)
	}
	if len(r.failed) > 0 {
		state += "; not by " + List(r.failed)
	}
	if len(r.receipts) > 0 {
		state += "; " + List(r.receipts)
	}
	if r.has {
		return state + "; *has it*"
	}
	return state
}

func addOnce(all []string, s string) []string {
	if slices.Contains(all, s) {
		return all
	}
	return append(all, s)
}

// RaisedText confirms a raised incident.
func RaisedText(p oncall.Picture, again bool, address string) string {
	state := "Paged."
	if again {
		state = "That is open already, and you follow it now."
	}
	return CutPlain(state+" "+strings.TrimSpace(IncidentText(p, address))+"\nA direct message shows you whom it reached, and whether somebody has it.", MaxAnswer)
}

// RaisedVeiledText is RaisedText for a private team that the reader can't see.
func RaisedVeiledText(in oncall.Incident) string {
	return fmt.Sprintf("Paged a private team: %s. A direct message shows you whether somebody has it.", in.ID)
}

// RaiseAsk asks for a confirmation where no form can. value is the request.
func RaiseAsk(why, value string) Drawing {
	d := Text(":warning: " + why + " Nobody was paged. Is it another matter, and can't it wait?")
	d.Blocks = append(d.Blocks, slack.NewActionBlock("", button(ActionRaiseConfirm, value, "Page all the same").WithStyle(slack.StyleDanger)))
	return d
}

// AddedAfterwards answers what was added to an incident that is over.
func AddedAfterwards(in oncall.Incident, now time.Time, location *time.Location) string {
	if in.ResolvedAt == nil {
		return fmt.Sprintf("Added to %s, which is over: nobody is told of it.", in.ID)
	}
	return fmt.Sprintf("Added to %s, which is over since %s: nobody is told of it.", in.ID, clockOrDay(*in.ResolvedAt, now, location))
}
