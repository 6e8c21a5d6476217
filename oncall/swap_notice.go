package oncall

import (
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// The notices about swaps.
const (
	NoticeSwapAsk  NoticeKind = "swap_ask"  // to the person who is asked
	NoticeSwapSent NoticeKind = "swap_sent" // to the person who offers
	NoticeSwapNews NoticeKind = "swap_news" // to one of the two people, about what the other has done
	NoticeSwapDone NoticeKind = "swap_done" // to the teams' channels
)

// SwapNotices are the kinds that are redrawn when their swap changes.
var SwapNotices = []NoticeKind{NoticeSwapAsk, NoticeSwapSent, NoticeSwapDone}

// SwapBegun is shown instead of SwapAccepted once a swap can't be undone any more.
const SwapBegun SwapState = "begun"

func (s Swap) detail() NoticeDetail {
	return NoticeDetail{
		Stints: []schedule.Stint{s.Give, s.Take}, Note: s.Note, End: s.ExpiresAt, State: string(s.State),
	}
}

// notice makes a notice to one of the two people.
func (s Swap) notice(kind NoticeKind, key string, to UserID, f NoticeDetail, r ShiftFacts) Notice {
	f.TimeZone = r.Users[to].TimeZone
	return Notice{Key: fmt.Sprintf("swap/%d/%s", s.ID, key), To: string(to), Kind: kind, About: int64(s.ID), Detail: f}
}

// OfferNotices returns the notices about a new offer: the question, and a copy for the person who made
// the offer. The argument away lists which of the two have time off during the shift that they would
// get.
func (s Swap) OfferNotices(r ShiftFacts, away []UserID) []Notice {
	f := s.detail()
	f.Others = away
	ask := f
	ask.Clashes = append(r.Clashes(s.Take.User, s.Give, s.Give, s.Take), r.Clashes(s.Give.User, s.Take, s.Give, s.Take)...)
	return []Notice{
		s.notice(NoticeSwapAsk, "ask", s.Take.User, ask, r),
		s.notice(NoticeSwapSent, "sent", s.Give.User, ask, r),
	}
}

// ChangeNotices returns new messages about a change of state. The earlier messages are redrawn as
// well, but Slack doesn't notify anybody of a redraw.
func (s Swap) ChangeNotices(by UserID, channels []string, r ShiftFacts, now time.Time) []Notice {
	f := s.detail()
	f.By, f.StateAt = by, now
	var out []Notice
	for _, u := range []UserID{s.Give.User, s.Take.User} {
		// The person who was asked is not told about an offer that ended without their answer.
		if u == by || u == s.Take.User && s.State != SwapUndone {
			continue
		}
		out = append(out, s.notice(NoticeSwapNews, string(s.State)+"/"+string(u), u, f, r))
	}
	if s.State == SwapAccepted {
		for _, channel := range channels {
			out = append(out, Notice{
				Key: fmt.Sprintf("swap/%d/done/%s", s.ID, channel), To: channel, Kind: NoticeSwapDone, About: int64(s.ID), Detail: f,
			})
		}
	}
	return out
}
