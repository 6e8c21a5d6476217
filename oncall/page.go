package oncall

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// page adds one page of the change's incident.
func (c *Change) page(u UserID, why string) {
	c.Pages = append(c.Pages, Page{
		IncidentID: c.Incident.ID, UserID: u, Method: MethodSlack, Why: why,
		Key: fmt.Sprintf("%s%s/%s", c.Incident.PageKeys(), u, MethodSlack),
	})
}

// ask adds the page of somebody who is asked to help. Its key says so: it is due whatever
// the incident's status, and no step of the policy.
func (c *Change) ask(u UserID, why string) {
	c.Pages = append(c.Pages, Page{
		IncidentID: c.Incident.ID, UserID: u, Method: MethodSlack, Why: why,
		Key: fmt.Sprintf("%d/%s/%d/%s/%s", c.Incident.ID, pageAsk, c.Incident.Version, u, MethodSlack),
	})
}

// pageAsk stands in the keys of pages to responders, where others have the seq.
const pageAsk = "ask"

// PageKeys is how the keys of the latest step's pages begin.
func (in Incident) PageKeys() string { return fmt.Sprintf("%d/%d/", in.ID, in.Seq) }

// asked reports whether the page is for a responder, and the version of the incident that
// asked them; otherwise the number is the seq that the page belongs to.
func (p Page) asked() (number int64, is bool) {
	parts := strings.SplitN(p.Key, "/", 4)
	if len(parts) < 3 {
		return 0, false
	}
	if parts[1] == pageAsk {
		number, _ = strconv.ParseInt(parts[2], 10, 64)
		return number, true
	}
	number, _ = strconv.ParseInt(parts[1], 10, 64)
	return number, false
}

// Asks reports whether the page asks somebody to help, rather than calls who is on call.
func (p Page) Asks() bool {
	_, is := p.asked()
	return is
}

// Due reports whether the page is still worth sending: after an acknowledgement at most
// the page already in flight goes out. Later pages of those who have the incident, or of who
// snoozes it, tell that it got worse.
func (p Page) Due(in Incident) bool {
	number, ask := p.asked()
	r, known := in.responder(p.UserID)
	switch {
	case !in.Open():
		return false
	case ask:
		return known && r.State == ResponderAsked && r.Asked == number
	case number < in.PagesFrom || known && number <= r.Until:
		return false
	case in.Status == Acknowledged:
		return slices.Contains(in.Holders(), p.UserID)
	case in.Status == Snoozed:
		return p.UserID != "" && in.SnoozedBy.User == p.UserID
	}
	return p.UserID == "" || !slices.Contains(in.Acks, p.UserID)
}
