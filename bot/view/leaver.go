package view

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// Bounds of a list: how many shifts, places, incidents and actions are listed of a team, and how many teams.
const (
	maxLeaverItems = 8
	maxLeftTeams   = 14 // a team has three blocks, and a message 50
)

// A LeaverHow is a way to replace somebody who has left.
type LeaverHow string

// The ways to replace somebody who has left.
const (
	LeaverForGood LeaverHow = "for_good" // somebody else replaces the leaver everywhere in the set-up
	LeaverCovers  LeaverHow = "covers"   // somebody else has the leaver's shifts until a day
	LeaverOut     LeaverHow = "out"      // nobody replaces the leaver
)

// A LeaverMeta is what the forms about a leaver carry.
type LeaverMeta struct {
	User oncall.UserID `json:"user"`
	Team oncall.TeamID `json:"team"`
	How  LeaverHow     `json:"how,omitempty"`
	To   oncall.UserID `json:"to,omitempty"`
	Last schedule.Date `json:"last,omitzero"` // LeaverCovers: the last day
}

// String writes it as a form carries it.
func (m LeaverMeta) String() string {
	text, err := json.Marshal(m)
	if err != nil { // it can always be written
		return ""
	}
	return string(text)
}

// LeaverValue returns the value of a button about a leaver.
func LeaverValue(user oncall.UserID, team oncall.TeamID) string {
	return string(user) + "/" + valueOf(team)
}

// ReadLeaverValue reads what LeaverValue has written.
func ReadLeaverValue(value string) (m LeaverMeta, ok bool) {
	user, text, found := strings.Cut(value, "/")
	team, err := strconv.ParseInt(text, 10, 64)
	return LeaverMeta{User: oncall.UserID(user), Team: oncall.TeamID(team)}, found && err == nil
}

// Leaver draws the notice about somebody who has left, with links to incidents that have a message.
func Leaver(n oncall.Notice, links map[oncall.IncidentID]string) Drawing {
	facts := n.Detail
	look := leaverLook{zone: facts.TimeZone, links: links, left: true}
	if len(facts.Users) != 1 {
		return drawLines(n)
	}
	user := mention(facts.Users[0])
	switch facts.State {
	case oncall.LeaverReplaced:
		return Text(user + " has left Slack. No team of yours counts on them any more.")
	case oncall.LeaverBack:
		if !slices.ContainsFunc(facts.Departures, planned) {
			return Text(user + " is back in Slack. Nothing names them any more: `/oncall setup` and `/oncall schedule edit` put them back.")
		}
		return Join(Text(user+" is back in Slack, and on call again where they still have turns:"), leaverTeams(facts.Departures, look))
	}
	head := user + " has left Slack and is paged no more."
	look.mends = true
	return Join(Text(head), leaverTeams(facts.Departures, look))
}

// LeftIncidents returns the incidents that a drawing of departures lists.
func LeftIncidents(all []oncall.Departure) []oncall.IncidentID {
	var ids []oncall.IncidentID
	for _, of := range all {
		for _, in := range of.Incidents[:min(len(of.Incidents), maxLeaverItems)] {
			ids = append(ids, in.ID)
		}
	}
	return ids
}

// planned reports whether the set-up or a schedule names the person.
func planned(of oncall.Departure) bool { return len(of.Shifts)+len(of.Places) > 0 }

// A leaverLook says how departures are shown.
type leaverLook struct {
	zone  string
	links map[oncall.IncidentID]string
	mends bool // with what is to be done
	left  bool // the person has left already
}

// Departures answers who asks where teams count on a person.
func Departures(user oncall.UserID, left bool, of []oncall.Departure, zone string, links map[oncall.IncidentID]string) Drawing {
	head := mention(user) + " is active in Slack. This is where your teams count on them:"
	if left {
		head = mention(user) + " has left Slack. This is where your teams count on them:"
	}
	return Join(Text(head), leaverTeams(of, leaverLook{zone: zone, links: links, mends: true, left: left}))
}

// leaverTeams lists what each team still needs from a leaver, with buttons to fix it.
func leaverTeams(all []oncall.Departure, look leaverLook) Drawing {
	var d Drawing
	for i, departure := range all {
		if !look.mends && !planned(departure) {
			continue
		}
		if i == maxLeftTeams {
			more := "and " + Count(len(all)-i, "more team")
			d.Text += "\n" + more
			d.Blocks = append(d.Blocks, section(more))
			break
		}
		text := leaverWords(departure, look.zone, look.mends)
		d.Text = strings.TrimPrefix(d.Text+"\n"+text, "\n")
		d.Blocks = append(d.Blocks, section(text))
		if work := workWords(departure, look); look.mends && work != "" {
			d.Text += "\n" + work
			d.Blocks = append(d.Blocks, section(work))
		}
		if buttons := leaverButtons(departure); look.mends && len(buttons) > 0 {
			d.Blocks = append(d.Blocks, slack.NewActionBlock("", buttons...))
		}
	}
	d.Text = fitLines(strings.Split(d.Text, "\n"), MaxText-maxSection/4)
	return d
}

func leaverWords(departure oncall.Departure, zone string, mends bool) string {
	lines := []string{"*" + Name(departure.Name) + "*"}
	vacant := departure.Vacant()
	if mends && len(vacant) > 0 {
		lines = append(lines, "*Nobody is on call* in "+Count(len(vacant), "shift")+" of theirs:")
		lines = append(lines, shiftLines(vacant, zone)...)
	}
	var others, back []oncall.LeftShift
	for _, s := range departure.Shifts {
		switch {
		case mends && s.Nobody:
		case mends && len(s.Back) > 0:
			back = append(back, s)
		default:
			others = append(others, s)
		}
	}
	if len(back) > 0 {
		lines = append(lines, Count(len(back), "shift")+" that they had taken over:")
		lines = append(lines, shiftLines(back, zone)...)
	}
	if len(others) > 0 {
		head := "Others are on call in their other shifts:"
		if !mends || len(vacant) == 0 {
			head = "Their shifts:"
		}
		lines = append(lines, head)
		lines = append(lines, shiftLines(others, zone)...)
	}
	if len(departure.Kept) > 0 {
		lines = append(lines, "Others keep what they had taken over from them:")
		lines = append(lines, keptLines(departure.Kept, zone)...)
	}
	if len(departure.Places) > 0 {
		lines = append(lines, "Named in "+List(placeWords(departure.Places))+".")
	}
	if departure.ByFile && mends && len(departure.Places) > 0 {
		var where []string
		for _, p := range departure.Places[:min(len(departure.Places), maxLeaverItems)] {
			where = append(where, Foreign(setup.FileLine(departure.Name, p), maxNote))
		}
		lines = append(lines, "The set-up file has the last word about this team. Change it there: "+List(where)+". Until then somebody can have the shifts.")
	}
	return strings.Join(lines, "\n")
}

// workWords lists what the person has in hand, or had when they left.
func workWords(departure oncall.Departure, look leaverLook) string {
	var lines []string
	if len(departure.Incidents) > 0 {
		head := "*Open incidents* that they have:"
		if look.left {
			head = "*Open incidents* that they had. What nobody else has pages again; what is snoozed wakes by itself:"
		}
		lines = append(lines, head)
		for _, in := range departure.Incidents[:min(len(departure.Incidents), maxLeaverItems)] {
			line := "• " + link(look.links[in.ID], in.ID.String()) + " " + Foreign(in.Title, maxAlertTitle)
			if in.Snoozed {
				line += ", snoozed"
			}
			lines = append(lines, line)
		}
		if more := len(departure.Incidents) - maxLeaverItems; more > 0 {
			lines = append(lines, fmt.Sprintf("and %d more", more))
		}
	}
	if len(departure.Actions) == 0 {
		return fitLines(lines, maxSection)
	}
	lines = append(lines, "*Open actions* of theirs. Without them, whoever wanted it done is asked, or else a manager; `/oncall action` gives it to somebody else:")
	for _, a := range departure.Actions[:min(len(departure.Actions), maxLeaverItems)] {
		line := fmt.Sprintf("• %s, until %s: %s", a.Incident, lastDay(a.DueAt, location(look.zone)), Foreign(a.Text, maxAlertTitle))
		if a.By != "" && a.By != departure.User {
			line += " (from " + mention(a.By) + ")"
		}
		lines = append(lines, line)
	}
	if more := len(departure.Actions) - maxLeaverItems; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return fitLines(lines, maxSection)
}

func shiftLines(all []oncall.LeftShift, zone string) []string {
	var lines []string
	for _, s := range all[:min(len(all), maxLeaverItems)] {
		line := "• " + StintWords(s.Stint, zone)
		if s.Had != "" {
			line += ", which " + mention(s.Had) + " had"
		}
		if len(s.Back) > 0 {
			line += ": " + named(s.Back) + " has it"
		}
		lines = append(lines, line)
	}
	if more := len(all) - maxLeaverItems; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}

func keptLines(all []oncall.KeptShift, zone string) []string {
	var lines []string
	for _, s := range all[:min(len(all), maxLeaverItems)] {
		lines = append(lines, "• "+StintWords(s.Stint, zone)+": "+mention(s.User)+" has it")
	}
	if more := len(all) - maxLeaverItems; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}

func placeWords(places []oncall.Place) []string {
	var words []string
	for i, p := range places {
		if i == maxLeaverItems {
			return append(words, Count(len(places)-maxLeaverItems, "other place"))
		}
		switch p.Kind {
		case oncall.PlaceRotation:
			words = append(words, fmt.Sprintf("the rotation %s of %s", Name(p.Rotation), Name(p.Name)))
		case oncall.PlacePolicy:
			words = append(words, fmt.Sprintf("step %d of the policy %s", p.Step, Name(p.Name)))
		case oncall.PlaceFallback:
			words = append(words, "the fallback people")
		case oncall.PlaceManager:
			words = append(words, "the managers")
		case oncall.PlaceMember:
			words = append(words, "the members")
		}
	}
	return words
}

func leaverButtons(departure oncall.Departure) []slack.BlockElement {
	value := LeaverValue(departure.User, departure.Team)
	var buttons []slack.BlockElement
	if !planned(departure) {
		return nil
	}
	if len(departure.Shifts) > 0 || !departure.ByFile {
		buttons = append(buttons, button(ActionLeaverHand, value, "Who takes over…").WithStyle(slack.StylePrimary))
	}
	if !departure.ByFile {
		buttons = append(buttons, button(ActionLeaverOut, value, "Take them out…"))
	}
	if len(departure.Vacant()) > 0 {
		buttons = append(buttons, button(ActionLeaverAsk, value, "Ask the team for cover"))
	}
	return buttons
}

// LeaverForm asks who takes over, and for how long.
func LeaverForm(m LeaverMeta, departure oncall.Departure) slack.ModalViewRequest {
	ways := []option{{string(LeaverForGood), "For good: at their place, wherever the team names them"}, {string(LeaverCovers), "Only their shifts, up to a day"}}
	if departure.ByFile {
		ways = ways[1:]
	}
	last := slack.NewDatePickerBlockElement(string(BlockLeaverLast))
	return dialog(ModalLeaver, "Who takes over", "Preview", m.String(),
		section(fmt.Sprintf("Who takes the place of %s in %s?", mention(departure.User), Name(departure.Name))),
		userField(BlockLeaverWho, "Who", "", ""),
		choiceField(BlockLeaverHow, "For how long", "", ways[0].Value, ways),
		optional(field(BlockLeaverLast, "The last day of it", "Only if it is for a while. At most four weeks ahead.", last)))
}

// LeaverPreview shows what a repair would change before it is saved.
// Warnings speak against it.
func LeaverPreview(m LeaverMeta, departure oncall.Departure, lines, warnings []string) slack.ModalViewRequest {
	head := fmt.Sprintf("%s is taken out of %s.", mention(departure.User), Name(departure.Name))
	switch m.How {
	case LeaverForGood:
		head = fmt.Sprintf("%s takes the place of %s in %s.", mention(m.To), mention(departure.User), Name(departure.Name))
	case LeaverCovers:
		head = fmt.Sprintf("%s has the shifts of %s in %s up to %s.", mention(m.To), mention(departure.User), Name(departure.Name), m.Last)
	case LeaverOut:
	}
	blocks := []slack.Block{section(head), section(fitLines(append([]string{"*What changes*"}, lines...), maxPreview))}
	if len(warnings) > 0 {
		blocks = append(blocks, section(fitLines(warnings, maxPreview)))
	}
	return dialog(ModalLeaverSave, "What changes", "Save", m.String(), blocks...)
}

// LeaverMoves tells the changes that an edit of the set-up makes.
func LeaverMoves(changes []string, details map[string][]string) []string {
	var lines []string
	for _, c := range changes {
		lines = append(lines, "• "+Name(c))
		for _, d := range details[c] {
			lines = append(lines, "    "+Foreign(d, maxSection/4))
		}
	}
	if len(lines) == 0 {
		return []string{"Nothing."}
	}
	return lines
}

// LeaverStintLines tells the shifts that somebody gets.
func LeaverStintLines(all []schedule.Stint, zone string) []string {
	lines := make([]string, len(all))
	for i, s := range all {
		lines[i] = "• " + StintWords(s, zone)
	}
	return lines
}

// LeaverWarnings tells what speaks against somebody's taking shifts over: where they are on call at the same time, and the
// shifts during which they have time off.
func LeaverWarnings(user oncall.UserID, clashes, away []schedule.Stint, zone string) []string {
	var lines []string
	for _, s := range clashes[:min(len(clashes), maxClashes)] {
		lines = append(lines, twiceOnCall(user, withRole(Name(s.Name), s.Role)+", "+stintTimes(s, zone)))
	}
	if more := len(clashes) - maxClashes; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	for _, s := range away[:min(len(away), maxClashes)] {
		lines = append(lines, ":warning: "+mention(user)+" has time off during "+StintWords(s, zone)+".")
	}
	if more := len(away) - maxClashes; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}

// LeaverDoubled warns that somebody gets several turns of a rotation, and says what else there is.
func LeaverDoubled(doubled []string, others []oncall.UserID) []string {
	if len(doubled) == 0 {
		return nil
	}
	var lines []string
	for _, d := range doubled[:min(len(doubled), maxClashes)] {
		lines = append(lines, ":warning: "+Foreign(d, maxNote))
	}
	other := "*Take them out…* gives everybody one turn."
	if len(others) > 0 {
		other += " Without a turn there: " + named(others) + "."
	}
	return append(lines, other)
}
