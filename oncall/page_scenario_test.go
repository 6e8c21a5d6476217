package oncall

import (
	"fmt"
	"strings"
	"time"
)

// look has a job look at a page; "beside another", while another is sending it.
func (s *pageScenario) look(number int, how string) {
	f := s.load(number)
	if how == "beside another" {
		f.Lead.SenderJob, f.Lead.Sending = new(int64(99)), true
	}
	if f.Needs(s.now).Waiting {
		f.Waiting = s.others(f.Lead)
	}
	d := f.Begin(s.now)
	o := d.Order
	switch {
	case o.Unsendable != "":
		fmt.Fprintf(&s.out, "  can't be sent: %s\n", o.Unsendable)
	case o.Send && o.Doubt != nil:
		fmt.Fprintf(&s.out, "  looks for a message about %s since %s before it is sent again\n", names(o.Incidents), clock(*o.Doubt))
	case o.Send:
		fmt.Fprintf(&s.out, "  sends a message about %s, attempt %d", names(o.Incidents), o.Attempt)
		if o.Code != 0 {
			fmt.Fprintf(&s.out, ", code %d", o.Code)
		}
		if o.Page.RedialKey != "" {
			fmt.Fprintf(&s.out, ", by the name %s", o.Page.MessageKey())
		}
		if o.AskedBy != (Actor{}) {
			fmt.Fprintf(&s.out, ", for %s, who asks", o.AskedBy)
		}
		if len(o.Others) > 0 {
			fmt.Fprintf(&s.out, "; %s could follow", strings.ReplaceAll(strings.Trim(fmt.Sprint(o.Others), "[]"), " ", ", "))
		}
		s.out.WriteString("\n")
	case !o.CheckAt.IsZero():
		fmt.Fprintf(&s.out, "  waits until %s\n", clock(o.CheckAt))
	default:
		s.out.WriteString("  is not sent\n")
	}
	s.save(f.Lead, d.PageUpdate, o.Send)
}

// end has something become of a message.
func (s *pageScenario) end(number int, decide func(PageFacts) PageChange) {
	f := s.load(number)
	c := decide(f)
	for _, change := range c.Changes {
		for _, e := range change.Events {
			fmt.Fprintf(&s.out, "  | %s of %s", e.Kind, e.IncidentID)
			if len(e.Detail.Users) > 0 {
				fmt.Fprintf(&s.out, " to %s", e.Detail.Users[0])
			}
			if e.Detail.Method != "" {
				fmt.Fprintf(&s.out, " by %s", e.Detail.Method)
			}
			if e.Detail.Text != "" {
				fmt.Fprintf(&s.out, ": %s", e.Detail.Text)
			}
			if e.Kind == EventPageBlocked {
				s.pages[e.Detail.Page-1].Blocked = true
			}
			s.out.WriteString("\n")
		}
		for _, n := range change.Notices {
			fmt.Fprintf(&s.out, "  %s hears: %s\n", n.To, n.Kind)
		}
		s.incidents[change.Incident.ID] = change.Incident
		c.Tasks = append(c.Tasks, change.Tasks...)
	}
	s.save(f.Lead, c.PageUpdate, false)
	for _, id := range c.Forward {
		s.pages[id-1].At = s.now
		fmt.Fprintf(&s.out, "  page %d doesn't wait for its time any more\n", id)
	}
	if c.Disable != "" {
		fmt.Fprintf(&s.out, "  the contact method is switched off: %s\n", c.Disable)
	}
	if c.Bundle != nil {
		fmt.Fprintf(&s.out, "  the message is kept up to date with incidents %v\n", c.Bundle.Detail.Incidents)
	} else if c.Copy != nil {
		fmt.Fprintf(&s.out, "  the message is kept up to date, from version %d\n", c.Copy.Version)
	}
}

// save remembers what was decided, and tells it.
func (s *pageScenario) save(lead PageStatus, u PageUpdate, sends bool) {
	for _, p := range u.Pages {
		was := s.pages[p.ID-1]
		blocked := was.Blocked
		s.pages[p.ID-1] = p
		s.pages[p.ID-1].Blocked, s.pages[p.ID-1].Sending = blocked, false
		if text := s.changed(was, p, sends && p.ID == lead.ID); text != "" {
			fmt.Fprintf(&s.out, "  page %d %s\n", p.ID, text)
		}
	}
	if u.Last != nil {
		s.last[lead.recipient()] = *u.Last
		if u.Last.At.IsZero() {
			fmt.Fprintf(&s.out, "  %s was told nothing by %s\n", lead.UserID, lead.Method)
		}
	}
	for i, p := range s.pages {
		if u.Release && p.recipient() == lead.recipient() && p.Deferred(s.now) {
			s.pages[i].DeferredUntil = nil
			fmt.Fprintf(&s.out, "  page %d is not deferred any more\n", p.ID)
		}
	}
	for _, task := range u.Tasks {
		at := "now"
		if !task.At.IsZero() {
			at = "at " + clock(task.At)
		}
		switch do := task.Args.(type) {
		case SendPage:
			fmt.Fprintf(&s.out, "  page %d is looked at %s\n", do.Page, at)
		case IncidentTimer:
			fmt.Fprintf(&s.out, "  the next step of %s runs %s\n", do.Incident, at)
		case Draw:
			fmt.Fprintf(&s.out, "  %s is drawn at version %d\n", do.Incident, do.Version)
		}
	}
}

// changed says what is new about a page; of one that is being sent, only what that doesn't imply.
func (s *pageScenario) changed(was, p PageStatus, sends bool) string {
	var out []string
	say := func(ok bool, format string, a ...any) {
		if ok {
			out = append(out, fmt.Sprintf(format, a...))
		}
	}
	say(p.State != was.State, "is %s", p.State)
	say(p.Bundle != was.Bundle && p.Bundle != 0, "goes along with page %d", p.Bundle)
	say(p.Bundle != was.Bundle && p.Bundle == 0, "goes alone again")
	say(p.DeferredUntil != nil && was.DeferredUntil == nil, "is deferred")
	say(!p.At.Equal(was.At) && p.State == PageWaiting && p.At.Equal(s.now), "comes before its time")
	say(!p.At.Equal(was.At) && p.At.After(s.now), "is due again at %s", clock(p.At))
	say(!sends && p.Attempt < was.Attempt, "has not been tried")
	say(!sends && p.State == PageWaiting && p.DoubtAt != nil, "may have been sent")
	say(p.Redials > was.Redials, "rings once more")
	say(p.TrackAt != nil && was.TrackAt == nil, "is followed")
	say(p.TrackAt == nil && was.TrackAt != nil, "is followed no longer")
	return strings.Join(out, ", ")
}

func names(incidents []Incident) string {
	var out []string
	for _, in := range incidents {
		out = append(out, in.ID.String())
	}
	return strings.Join(out, ", ")
}

// clock returns the time of the day, at noon and after.
func clock(at time.Time) string { return at.UTC().Format("15:04:05") }
