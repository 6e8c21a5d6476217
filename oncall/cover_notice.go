package oncall

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// The notices about cover requests.
const (
	NoticeCoverAsk  NoticeKind = "cover_ask"  // to the people who are asked
	NoticeCoverSent NoticeKind = "cover_sent" // to the person who asks
	NoticeCoverNews NoticeKind = "cover_news" // to the asker: somebody took the shift, or nobody has yet
	NoticeCoverDone NoticeKind = "cover_done" // to the team's channel
)

// CoverNotices are the kinds that are redrawn when their request changes.
var CoverNotices = []NoticeKind{NoticeCoverAsk, NoticeCoverSent}

// CoverPending is the state of the reminder that nobody has taken the shift yet.
const CoverPending = "pending"

// Show updates the detail of a notice to the state of the request.
func (c Cover) Show(f *NoticeDetail, by UserID, now time.Time) {
	f.Stints, f.Takes, f.Note, f.State = []schedule.Stint{c.Stint}, c.Takes, c.Note, string(c.State)
	f.By, f.StateAt = by, now
	f.Users, f.Others, f.Unasked = nil, nil, c.Unasked
	for _, a := range c.Asked {
		if a.Declined {
			f.Others = append(f.Others, a.User)
		} else {
			f.Users = append(f.Users, a.User)
		}
	}
}

// Differs reports whether the request's messages must be redrawn.
func (c Cover) Differs(before Cover) bool {
	return c.State != before.State || len(c.Takes) != len(before.Takes) || !slices.Equal(c.Asked, before.Asked)
}

func (c Cover) notice(kind NoticeKind, key, to string, r ShiftFacts) Notice {
	n := Notice{Key: fmt.Sprintf("cover/%d/%s", c.ID, key), To: to, Kind: kind, About: int64(c.ID)}
	c.Show(&n.Detail, c.CreatedBy, c.CreatedAt)
	n.Detail.TimeZone = r.Users[UserID(to)].TimeZone
	return n
}

// RequestNotices returns the copies of a new request: one for the person whose shift it is, and one
// for whoever asked on their behalf. Somebody who asked in Slack already got their copy there.
func (c Cover) RequestNotices(by Actor, r ShiftFacts) []Notice {
	var out []Notice
	answered := func(u UserID) bool { return by == ByUser(u) }
	if !answered(c.Stint.User) {
		out = append(out, c.notice(NoticeCoverSent, "sent/"+string(c.Stint.User), string(c.Stint.User), r))
	}
	if c.CreatedBy != c.Stint.User && !answered(c.CreatedBy) {
		out = append(out, c.notice(NoticeCoverSent, "sent/"+string(c.CreatedBy), string(c.CreatedBy), r))
	}
	return out
}

// AskNotices returns the notices that ask people to take the shift.
func (c Cover) AskNotices(users []UserID, r ShiftFacts) []Notice {
	var out []Notice
	for _, u := range users {
		n := c.notice(NoticeCoverAsk, "ask/"+string(u), string(u), r)
		n.Detail.Clashes = r.Clashes(u, c.Stint)
		n.Until = &c.Stint.End
		out = append(out, n)
	}
	return out
}

// ChangeNotices returns new messages about a change. The earlier messages are redrawn as well, but
// Slack doesn't notify anybody of a redraw.
func (c CoverChange) ChangeNotices(by UserID, channels []string, r ShiftFacts, now time.Time) []Notice {
	var out []Notice
	asker := string(c.Cover.Stint.User)
	if c.Cover.Stint.Vacant {
		asker = string(c.Cover.CreatedBy) // whoever asked on their behalf has left
	}
	news := func(kind NoticeKind, key, to, state string) {
		n := c.Cover.notice(kind, key, to, r)
		n.Detail.State, n.Detail.By, n.Detail.StateAt = state, by, now
		if state == string(CoverTaken) {
			n.Detail.Takes = c.Cover.Takes[len(c.Cover.Takes)-len(c.Add):]
		}
		out = append(out, n)
	}
	if len(c.Add) > 0 {
		part := fmt.Sprintf("taken/%d", len(c.Cover.Takes))
		news(NoticeCoverNews, part, asker, string(CoverTaken))
		for _, channel := range channels {
			news(NoticeCoverDone, part+"/"+channel, channel, string(CoverTaken))
		}
	}
	if c.Remind > 0 {
		news(NoticeCoverNews, "remind/"+c.Remind.String(), asker, CoverPending)
		out[len(out)-1].Until = &c.Cover.Stint.Start
	}
	return out
}
