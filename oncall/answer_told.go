package oncall

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// AnswerScope is what a person may answer about: what they were told by the contact method that the
// answer came from, and what they were told by their other methods. The newest message is first.
type AnswerScope struct {
	Shown     []ShownPage
	Incidents map[IncidentID]Incident
}

// scopeOf limits a person's answer to the given messages.
func scopeOf(messages []AnsweredMessage) AnswerScope {
	t := AnswerScope{Incidents: map[IncidentID]Incident{}}
	for _, m := range messages {
		for _, in := range m.Incidents {
			t.Incidents[in.ID] = in
			t.Shown = append(t.Shown, ShownPage{Page: Page{Call: Call{IncidentID: in.ID, UserID: m.User}}, Lead: m.Lead, Here: true})
		}
	}
	return t
}

// A ShownPage is an incident in a message to a person.
type ShownPage struct {
	Page
	Lead PageID // the message's first page
	Code int    // the message's code
	Here bool   // the message went to the address that the answer comes from
	Lost bool   // the message never arrived
}

// An AnswerSubject is what an answer is about.
type AnswerSubject struct {
	Picks   []PickedIncidents // one for each message
	Several bool              // several people share the address, and any of them may have sent the answer
	Missed  Sentence          // which of its numbers are unknown or ambiguous
}

// PickedIncidents are the incidents of one message that an answer is about.
type PickedIncidents struct {
	Lead      PageID
	User      UserID
	Incidents []IncidentID
}

// FindSubject finds what an answer is about: the incidents that its numbers name, or else the newest
// message that the act fits.
func (scope AnswerScope) FindSubject(intent Intent) AnswerSubject {
	var c AnswerSubject
	var missed []string
	if intent.Kind != IntentAct {
		return c
	}
	switch {
	case intent.Code != 0:
		c.add(scope.byCode(intent.Code))
	case len(intent.Numbers) > 0:
		for _, n := range intent.Numbers {
			found, why := scope.number(n)
			c.add(found)
			if why != "" {
				missed = append(missed, why)
			}
		}
	case intent.All:
		c.add(scope.all(intent.Act))
	case intent.Spoken != "":
		c.add(scope.spoken(intent))
	default:
		c.add(scope.newest(intent.Act))
	}
	if missed != nil {
		c.Missed = Say("%s", strings.Join(missed, " "))
	}
	return c
}

// all returns everything that the act fits and that was told at this address, or else by the person's other methods.
func (scope AnswerScope) all(act ActKind) []ShownPage {
	var here, other []ShownPage
	for _, s := range scope.Shown {
		switch {
		case s.Lost || !scope.fits(s, act) || scope.withOthers(s, act):
		case s.Here:
			here = append(here, s)
		default:
			other = append(other, s)
		}
	}
	if here == nil {
		return other
	}
	return here
}

// add picks incidents. It sets Several if they were told to different people at the same address.
func (c *AnswerSubject) add(found []ShownPage) {
	for _, s := range found {
		if slices.ContainsFunc(c.Picks, func(k PickedIncidents) bool { return k.User != s.UserID }) {
			c.Several = true
		}
		if slices.ContainsFunc(c.Picks, func(k PickedIncidents) bool { return slices.Contains(k.Incidents, s.IncidentID) }) {
			continue
		}
		i := slices.IndexFunc(c.Picks, func(k PickedIncidents) bool { return k.Lead == s.Lead })
		if i < 0 {
			i = len(c.Picks)
			c.Picks = append(c.Picks, PickedIncidents{Lead: s.Lead, User: s.UserID})
		}
		c.Picks[i].Incidents = append(c.Picks[i].Incidents, s.IncidentID)
	}
}

// chosen reports whether an answer is about an incident.
func (c AnswerSubject) chosen(id IncidentID) bool {
	return slices.ContainsFunc(c.Picks, func(k PickedIncidents) bool { return slices.Contains(k.Incidents, id) })
}

// number finds what a typed number means, or says why it means nothing:
//   - 5, #5: incident 5
//   - b5: the message with that code, with everything it lists
//   - 5a: what a message of an earlier release offered as 5, or else incident 5
func (scope AnswerScope) number(n AnswerNumber) (found []ShownPage, missed string) {
	if n.Lettered {
		if found = scope.byCode(-n.N); found == nil {
			missed = "No message " + n.String() + "."
		}
		return found, missed
	}
	incident := scope.byIncident(IncidentID(n.N))
	if n.Offered {
		if message := scope.byCode(n.N); message != nil && scope.printed(message, incident) {
			return message, ""
		}
	}
	if incident == nil {
		return nil, "You were not paged for " + IncidentID(n.N).String() + "."
	}
	return incident, ""
}

// printed reports whether a number followed by a letter is the code of a message, as earlier releases
// printed on bundles, rather than the number of an incident. It isn't if only that incident is open.
func (scope AnswerScope) printed(message, incident []ShownPage) bool {
	return incident == nil || len(scope.open(message)) > 0 || !scope.Incidents[incident[0].IncidentID].Open() ||
		slices.ContainsFunc(message, func(s ShownPage) bool { return s.IncidentID == incident[0].IncidentID })
}

// byCode returns the newest message with this code at this address. If several people share the
// address, it returns the newest message of each person that is about something open, or else the
// newest of all.
func (scope AnswerScope) byCode(code int) []ShownPage {
	messages := map[UserID][]ShownPage{}
	var lead PageID
	for _, s := range scope.Shown {
		if m := messages[s.UserID]; s.Here && s.Code == code && (m == nil || m[0].Lead == s.Lead) {
			messages[s.UserID] = append(m, s)
			lead = max(lead, s.Lead)
		}
	}
	var open, newest []ShownPage
	for _, s := range scope.Shown { // keeps the order
		m := messages[s.UserID]
		if m == nil || m[0].Lead != s.Lead {
			continue
		}
		if len(scope.open(m)) > 0 {
			open = append(open, s)
		}
		if s.Lead == lead {
			newest = append(newest, s)
		}
	}
	if open != nil {
		return open
	}
	return newest
}

// byIncident returns the newest message about an incident to each person, preferring one to this address.
func (scope AnswerScope) byIncident(id IncidentID) []ShownPage {
	best := map[UserID]ShownPage{}
	var people []UserID
	for _, s := range scope.Shown {
		if s.IncidentID != id {
			continue
		}
		b, known := best[s.UserID]
		if !known {
			people = append(people, s.UserID)
		}
		if !known || s.Here && !b.Here {
			best[s.UserID] = s
		}
	}
	var out []ShownPage
	for _, u := range people {
		out = append(out, best[u])
	}
	if here := slices.DeleteFunc(slices.Clone(out), func(s ShownPage) bool { return !s.Here }); len(here) > 0 {
		return here
	}
	return out
}

// newest returns each person's newest message at this address that the act fits. Failing that, it
// returns the newest about anything open, so that the response can say why the act doesn't fit.
func (scope AnswerScope) newest(act ActKind) []ShownPage {
	for _, good := range []func(ShownPage) bool{
		func(s ShownPage) bool { return scope.fits(s, act) },
		func(s ShownPage) bool { return scope.Incidents[s.IncidentID].Open() },
	} {
		lead := map[UserID]PageID{}
		for _, s := range scope.Shown {
			if s.Here && !s.Lost && lead[s.UserID] == 0 && good(s) {
				lead[s.UserID] = s.Lead
			}
		}
		if len(lead) > 0 {
			return slices.DeleteFunc(slices.Clone(scope.Shown), func(s ShownPage) bool { return lead[s.UserID] != s.Lead })
		}
	}
	return nil
}

// fits reports whether an act would change something about an incident.
func (scope AnswerScope) fits(s ShownPage, act ActKind) bool {
	in := scope.Incidents[s.IncidentID]
	switch {
	case !in.Open():
		return false
	case act == ActAck:
		return in.Status == Triggered && !slices.Contains(in.Acks, s.UserID) || s.Due(in)
	case act == ActDecline:
		return s.Asks()
	}
	return true
}

// withOthers reports whether other people are handling the incident: "resolve all" leaves it alone.
func (scope AnswerScope) withOthers(s ShownPage, act ActKind) bool {
	in := scope.Incidents[s.IncidentID]
	return act != ActAck && in.Status != Triggered && !slices.Contains(in.Holders(), s.UserID) && in.SnoozedBy.User != s.UserID
}

// open returns the open incidents of a message.
func (scope AnswerScope) open(message []ShownPage) []ShownPage {
	return slices.DeleteFunc(slices.Clone(message), func(s ShownPage) bool { return !scope.Incidents[s.IncidentID].Open() })
}

// Remaining says what else the act would fit, and what to type for it: "Open for you: #2, #3; 2a takes
// both." It is empty if nothing else fits.
func (scope AnswerScope) Remaining(intent Intent, c AnswerSubject) Sentence {
	act := cmp.Or(intent.Act, ActAck)
	left := scope.left(act, c)
	if len(c.Picks) > 0 && len(scope.left(ActAck, c)) == 0 { // everything else is acknowledged
		return nil
	}
	if len(left) == 0 && len(c.Picks) == 0 { // nothing fits the act: say what is open at least
		left = scope.left(ActResolve, c)
	}
	if len(left) == 0 {
		return nil
	}
	letter := map[ActKind]string{ActAck: "a", ActResolve: "r", ActEscalate: "e", ActDecline: "d"}[act]
	if len(left) == 1 {
		takes := "takes them all"
		switch len(left[0].incidents) {
		case 1:
			takes = "takes it"
		case 2:
			takes = "takes both"
		}
		return Say("Open for you: %s; %s%s %s.", nameAll(left[0].incidents), left[0].answer, letter, takes)
	}
	const most = 5
	var parts []string
	for _, m := range left[:min(len(left), most)] {
		parts = append(parts, nameAll(m.incidents)+" ("+m.answer+letter+")")
	}
	if more := len(left) - most; more > 0 {
		parts = append(parts, strconv.Itoa(more)+" more")
	}
	return Say("Open for you: %s.", strings.Join(parts, "; "))
}

// A leftMessage has incidents that an answer may still be about.
type leftMessage struct {
	lead      PageID
	answer    string // the number to type for it
	incidents []IncidentID
}

// left lists messages that an act fits, newest first. Each incident is listed once.
func (scope AnswerScope) left(act ActKind, c AnswerSubject) (out []leftMessage) {
	listed := map[IncidentID]bool{}
	for _, here := range []bool{true, false} {
		for _, s := range scope.Shown {
			if s.Here != here || s.Lost || listed[s.IncidentID] || c.chosen(s.IncidentID) || !scope.fits(s, act) {
				continue
			}
			listed[s.IncidentID] = true
			answer, lead := strconv.FormatInt(int64(s.IncidentID), 10), PageID(0)
			if scope.byCode(int(s.IncidentID)) != nil { // a bare number followed by a letter would be the code of another message
				answer = "#" + answer
			}
			if here && s.Code != 0 {
				answer, lead = CodeText(s.Code), s.Lead
			}
			i := slices.IndexFunc(out, func(m leftMessage) bool { return m.lead == lead && lead != 0 })
			if i < 0 {
				i = len(out)
				out = append(out, leftMessage{lead: lead, answer: answer})
			}
			out[i].incidents = append(out[i].incidents, s.IncidentID)
		}
	}
	for _, m := range out {
		slices.Sort(m.incidents)
	}
	return out
}

// Help says what can be answered, with a number that works now.
func (scope AnswerScope) Help() Sentence {
	left := scope.left(ActAck, AnswerSubject{})
	if len(left) == 0 {
		left = scope.left(ActResolve, AnswerSubject{})
	}
	if len(left) == 0 {
		return Say("There is nothing open that you were paged for.")
	}
	n := left[0].answer
	help := Say("Answer %sa to acknowledge, %sr to resolve or %se to escalate, with the number from the message.", n, n, n)
	if len(left) > 1 {
		help = Say("%s %s", help, scope.Remaining(Intent{Act: ActAck}, AnswerSubject{}))
	}
	return help
}

// List says what is open, and what to type for each. Nothing open: it is empty.
func (scope AnswerScope) List() Sentence {
	all := Intent{Act: ActAck}
	if left := scope.Remaining(all, AnswerSubject{}); left != nil {
		return left
	}
	all.Act = ActResolve
	return scope.Remaining(all, AnswerSubject{})
}

// nameAll lists incidents, at most ten of them.
func nameAll(all []IncidentID) string {
	const limit = 10
	var out []string
	for _, id := range all[:min(len(all), limit)] {
		out = append(out, id.String())
	}
	text := strings.Join(out, ", ")
	if more := len(all) - limit; more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text
}
