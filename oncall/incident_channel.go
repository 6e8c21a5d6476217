package oncall

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// An IncidentChannel is the Slack channel of one incident, for the people who work on it. It is stored as JSON: fields
// are only ever added.
type IncidentChannel struct {
	By      UserID `json:"by,omitempty"`    // who asked for it; empty: the team opens one for every incident this severe
	Round   int    `json:"round,omitempty"` // how many channels the incident had before
	Name    string `json:"name,omitempty"`
	Private bool   `json:"private,omitempty"`
	ID      string `json:"id,omitempty"` // Slack's id; empty: not created yet

	TriedAt   time.Time `json:"tried_at,omitzero"` // when we first tried to create it: an older channel isn't ours
	Greeted   bool      `json:"greeted,omitempty"`
	Topic     string    `json:"topic,omitempty"` // as we last set it
	Invited   []UserID  `json:"invited,omitempty"`
	Bookmarks []string  `json:"bookmarks,omitempty"` // addresses
	Ended     bool      `json:"ended,omitempty"`     // it has announced that the incident is resolved
	Said      int64     `json:"said,omitempty"`      // the last event that was posted in it, or that happened before it existed
	Saying    int64     `json:"saying,omitempty"`    // the last event being posted, so that a retry posts the same events
	Archived  bool      `json:"archived,omitempty"`

	Busy   bool       `json:"busy,omitempty"`    // a job is working on it, until LookAt
	LookAt *time.Time `json:"look_at,omitempty"` // when to look at it next; nil: when something happens
	Failed string     `json:"failed,omitempty"`  // why the last attempt failed
}

const (
	channelAfter        = 5 * time.Second // lets the incident's message appear first, and a storm take the incident in
	channelArchiveAfter = 24 * time.Hour
	channelBusy         = 3 * time.Minute // longer than a job may take
	channelRetry        = time.Minute
	channelRetryRefused = time.Hour // somebody has to fix it first
	maxChannelName      = 60        // Slack takes 80; this leaves room for a suffix
	maxChannelLinks     = 5
	maxChannelTopic     = 250
)

// openChannel asks for a channel for the incident.
func (c *Change) openChannel(Act) error {
	if in := c.Incident; in.Channel != nil && !in.Channel.Archived {
		return Refuse("Incident %s has a channel of its own already, or is getting one.", in.ID)
	}
	is := IncidentChannel{By: c.by.User}
	if was := c.Incident.Channel; was != nil {
		is.Round = was.Round + 1
	}
	c.Incident.Channel = &is
	c.record(EventChannelAsked, c.by, Detail{})
	return nil
}

// keepChannel opens a channel if the team wants one for this severity, and has an existing one
// updated.
func (c *Change) keepChannel() {
	in := &c.Incident
	from := c.facts.Roster.Teams[in.TeamID].IncidentChannel
	if in.Channel == nil && from != "" && in.Open() && !in.ID.Canary() && !from.Worse(in.Severity) {
		in.Channel = &IncidentChannel{}
	}
	if in.Channel != nil && slices.ContainsFunc(c.Events, Event.changesChannel) {
		t, is := Task{Args: KeepChannel{Incident: in.ID}}, *in.Channel
		if is.ID == "" && is.By == "" {
			t.At = c.now.Add(channelAfter)
		}
		c.Tasks = append(c.Tasks, t)
		if !is.Busy { // otherwise the running job looks again
			is.LookAt = new(c.now.Add(channelRetry)) // in case the job is lost
			in.Channel = &is
		}
	}
}

// changesChannel reports whether the event may change what the incident's channel shows.
func (e Event) changesChannel() bool {
	switch e.Kind {
	case EventAlertJoined, EventAlertResolved, EventPageDelivered, EventPageReceipt, EventChannel, EventChannelArchived, EventChannelFailed:
		return false
	default:
		return true
	}
}

// ChannelFacts is what an incident's channel depends on.
type ChannelFacts struct {
	Incident Incident
	Private  bool     // so is its team
	Paged    []UserID // who was paged
	Alerts   []Alert
	Users    map[UserID]User
	Events   []Event // the whole timeline, oldest first
	Now      time.Time
}

// A ChannelPlan is what to do about an incident's channel. Each step can be taken twice.
type ChannelPlan struct {
	Channel   IncidentChannel
	Version   int64 // of the incident
	Topic     string
	Invite    []UserID
	Bookmarks []Link
	Say       []Event // what people have done since the last post
	More      bool    // there is more to post, in another plan
	End       bool    // announce that the incident is resolved
	Archive   bool
}

// Plan decides what to do now. It reports false if there is nothing to do.
func (f ChannelFacts) Plan() (ChannelPlan, bool) {
	in := f.Incident
	if in.Channel == nil || in.Channel.Busy && in.Channel.LookAt != nil && in.Channel.LookAt.After(f.Now) {
		return ChannelPlan{}, false
	}
	is := *in.Channel
	if is.Archived && in.Open() {
		is = IncidentChannel{By: is.By, Round: is.Round + 1}
	}
	if is.Archived || is.ID == "" && !in.Open() { // nobody needs it any more
		return ChannelPlan{}, false
	}
	if is.Name == "" || is.ID == "" && is.Private != f.Private {
		is.Name, is.Private, is.TriedAt = channelName(in, is.Round), f.Private, f.Now
	}
	plan := ChannelPlan{Version: in.Version, Topic: f.topic(), Archive: !in.Open() && !f.archiveAt().After(f.Now)}
	plan.Say, plan.More = f.say(&is)
	if in.Open() {
		is.Ended = false
		plan.Invite, plan.Bookmarks = f.invite(is), f.bookmarks(is)
	}
	if f.Private && !is.Private { // its team has become private, but anybody can read the channel
		plan.Topic, plan.Bookmarks, is.Greeted, plan.Say = in.ID.String(), nil, true, nil
	}
	plan.End = !in.Open() && !is.Ended
	plan.Channel = is
	due := is.ID == "" || !is.Greeted || plan.Topic != is.Topic || len(plan.Invite)+len(plan.Bookmarks)+len(plan.Say) > 0 || plan.End || plan.Archive
	return plan, due
}

// say returns the events to post next, and records them in the channel's state. Events from before the
// channel existed are left out, because the greeting sums them up. A retry posts the same events
// again.
func (f ChannelFacts) say(is *IncidentChannel) (out []Event, more bool) {
	n := len(f.Events)
	if n == 0 {
		return nil, false
	}
	last := f.Events[n-1].ID
	switch {
	case is.ID == "":
		is.Said, is.Saying = last, last
		return nil, false
	case is.Said == 0: // an earlier release didn't record it
		is.Said = last - 1
	}
	until := last
	if is.Saying > is.Said {
		until = is.Saying
	}
	for _, e := range f.Events {
		if e.ID <= is.Said || !e.inOwnChannel() {
			continue
		}
		if e.ID > until {
			more = true
			continue
		}
		out = append(out, e)
	}
	is.Saying = until
	return out, more
}

// inOwnChannel reports whether the event is posted in the incident's own channel, so that people there
// see what others do elsewhere. The end of the incident and updates have messages of their own.
func (e Event) inOwnChannel() bool {
	switch e.Kind {
	case EventResolved, EventUpdate, EventChannelAsked, EventChannel, EventChannelFailed, EventPaging:
		return false
	case EventSeverity, EventReopened, EventUnacknowledged, EventUnsnoozed: // no matter who did it
		return e.InThread()
	default:
		return e.Actor.User != "" && e.InThread()
	}
}

// archiveAt returns when the channel of a resolved incident is archived.
func (f ChannelFacts) archiveAt() time.Time {
	if f.Incident.ResolvedAt == nil {
		return f.Now.Add(channelArchiveAfter)
	}
	return f.Incident.ResolvedAt.Add(channelArchiveAfter)
}

// Begin returns the channel's state while a job takes the plan's steps.
func (p ChannelPlan) Begin(now time.Time) IncidentChannel {
	is := p.Channel
	is.Busy, is.LookAt = true, new(now.Add(channelBusy))
	return is
}

// Kept returns the channel's state after a job has taken steps, and sets when to look at it next.
func (f ChannelFacts) Kept(became IncidentChannel, why string, refused bool) IncidentChannel {
	became.Busy, became.LookAt, became.Failed = false, nil, why
	switch {
	case became.Archived || became.ID == "" && !f.Incident.Open():
	case why != "" && refused:
		became.LookAt = new(f.Now.Add(channelRetryRefused))
	case why != "":
		became.LookAt = new(f.Now.Add(channelRetry))
	case !f.Incident.Open():
		became.LookAt = new(f.archiveAt())
	}
	return became
}

// Idle returns the channel's state, with the time of the next look, when there is nothing to do now.
// It reports false if the state doesn't change.
func (f ChannelFacts) Idle() (IncidentChannel, bool) {
	is := f.Incident.Channel
	if is == nil || is.LookAt == nil || is.LookAt.After(f.Now) && is.Busy {
		return IncidentChannel{}, false
	}
	became := f.Kept(*is, "", false)
	became.Failed = is.Failed
	return became, became.Busy != is.Busy || became.LookAt == nil || !became.LookAt.Equal(*is.LookAt)
}

// RecordChannel notes in the timeline that the channel was made or archived, or why it can't be. It reports false if there is nothing
// to note.
func (in Incident) RecordChannel(became IncidentChannel, refused bool, now time.Time) (Change, bool) {
	change := in.begin(ByTimer(), Facts{}, now)
	before := in.Channel
	change.Incident.Channel = &became
	switch {
	case became.ID != "" && (before == nil || before.ID != became.ID):
		change.record(EventChannel, change.by, Detail{To: []string{became.ID}})
	case became.Archived && before != nil && !before.Archived: // so that its message no longer links to the channel
		change.record(EventChannelArchived, change.by, Detail{To: []string{became.ID}, Quiet: true})
	case refused && became.Failed != "" && (before == nil || before.Failed != became.Failed):
		change.record(EventChannelFailed, change.by, Detail{Text: became.Failed})
	}
	return change.done(), len(change.Events) > 0
}

// topic describes the incident and its state.
func (f ChannelFacts) topic() string {
	in := f.Incident
	state := string(in.Status)
	switch in.Status {
	case Triggered:
		state = "nobody has it yet"
	case Acknowledged:
		state = "with " + f.name(in.AckedBy)
	case Snoozed:
		state = "snoozed by " + f.name(in.SnoozedBy)
	case Resolved:
	}
	head := fmt.Sprintf("%s %s, %s: ", in.ID, cmp.Or(in.Severity, High), state)
	topic := strings.Join(strings.Fields(strings.Map(inTopic, strings.ToValidUTF8(head+in.Title, ""))), " ")
	if letters := []rune(topic); len(letters) > maxChannelTopic {
		topic = string(letters[:maxChannelTopic-1]) + "…"
	}
	return topic
}

func (f ChannelFacts) name(a Actor) string {
	return cmp.Or(f.Users[a.User].Name, a.String())
}

// invite returns the people who belong in the channel but aren't in it yet: whoever asked for it, the
// responders, the helpers, and everybody who was paged.
func (f ChannelFacts) invite(is IncidentChannel) (out []UserID) {
	in := f.Incident
	people := append([]UserID{is.By, in.AckedBy.User, in.SnoozedBy.User}, in.Acks...)
	for _, r := range in.Responders {
		if r.State != ResponderDeclined {
			people = append(people, r.User)
		}
	}
	for _, u := range append(people, f.Paged...) {
		known := f.Users[u]
		if u != "" && known.Unpageable() == "" && !slices.Contains(is.Invited, u) && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out
}

// bookmarks returns the links that the channel lacks: runbooks first, then links to the monitor.
func (f ChannelFacts) bookmarks(is IncidentChannel) (out []Link) {
	var runbooks, others []Link
	if f.Incident.Link != "" {
		others = append(others, Link{Text: "Graph", URL: f.Incident.Link})
	}
	for _, a := range f.Alerts {
		for _, l := range a.Links {
			if l.Text == "Runbook" {
				runbooks = append(runbooks, l)
			} else if l.Text != "Silence" {
				others = append(others, l)
			}
		}
	}
	room := maxChannelLinks - len(is.Bookmarks)
	for _, l := range append(runbooks, others...) {
		has := slices.Contains(is.Bookmarks, l.URL) || slices.ContainsFunc(out, func(o Link) bool { return o.URL == l.URL })
		if strings.HasPrefix(l.URL, "http") && !has && len(out) < room {
			out = append(out, l)
		}
	}
	return out
}

// channelName makes a name that Slack accepts: lowercase letters, digits and hyphens.
func channelName(in Incident, round int) string {
	name := []rune(fmt.Sprintf("inc-%d", int64(in.ID)))
	if round > 0 {
		name = append(name, []rune(fmt.Sprintf("-%d", round+1))...)
	}
	for word := range strings.FieldsFuncSeq(strings.ToLower(in.Title), func(r rune) bool {
		return !unicode.In(r, unicode.Ll, unicode.Lo, unicode.Nd)
	}) {
		letters := []rune(word)
		if len(name)+1+len(letters) > maxChannelName {
			break
		}
		name = append(append(name, '-'), letters...)
	}
	return string(name)
}
