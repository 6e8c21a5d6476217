package oncall

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// NoticeVoid tells somebody whose shifts have changed because somebody else has left: why, and how.
const NoticeVoid NoticeKind = "agreement_void"

// A VoidShift is a shift that somebody gets back, or loses, because somebody else has left. It is stored as JSON.
type VoidShift struct {
	schedule.Stint
	Gained bool   `json:"gained,omitempty"`
	Kept   bool   `json:"kept,omitempty"` // they took it over from a leaver, and keep it
	By     VoidBy `json:"by,omitempty"`
}

// VoidBy says what is no longer valid.
type VoidBy string

// What can be void.
const (
	VoidSwap     VoidBy = "swap"
	VoidCover    VoidBy = "cover"
	VoidOverride VoidBy = "override"
	VoidTurn     VoidBy = "" // nothing was agreed: the rotations put others on call
)

// VoidNotices tells the others how their shifts change because a person has left, and which they keep, once for each time that
// they leave.
func VoidNotices(definitions []schedule.Definition, user User, now time.Time) ([]Notice, error) {
	if user.DeactivatedAt == nil {
		return nil, nil
	}
	var out []Notice
	tell := func(v VoidShift) {
		key := fmt.Sprintf("void/%s/%d/%s", user.ID, user.DeactivatedAt.Unix(), v.User)
		i := slices.IndexFunc(out, func(n Notice) bool { return n.Key == key })
		if i < 0 {
			i = len(out)
			out = append(out, Notice{Key: key, To: string(v.User), Kind: NoticeVoid, Detail: NoticeDetail{Users: []UserID{user.ID}}})
		}
		out[i].Detail.Void = append(out[i].Detail.Void, v)
	}
	for _, definition := range definitions {
		is, planned, err := withAndWithout(definition, user.ID)
		if err != nil {
			return nil, err
		}
		for _, m := range movedAhead(planned, is, now) {
			if m.User == user.ID || m.Role == schedule.RoleShadow {
				continue
			}
			tell(VoidShift{
				Stint: schedule.Stint{
					Schedule: definition.ID, Name: definition.Name, TimeZone: definition.TimeZone, Role: m.Role, User: m.User, Start: m.Start, End: m.End,
				},
				Gained: m.Gained, By: voidBy(definition.Overrides, user.ID, m),
			})
		}
	}
	kept, err := KeptShifts(definitions, user.ID, now)
	if err != nil {
		return nil, err
	}
	for _, k := range kept {
		tell(VoidShift{Stint: k.Stint, Gained: true, Kept: true, By: k.By})
	}
	for i := range out {
		d := &out[i].Detail
		slices.SortStableFunc(d.Void, func(a, b VoidShift) int { return a.Start.Compare(b.Start) })
		d.Said = Say("%s has left Slack, and your shifts have changed: `/oncall shifts` shows them.", user.ID)
		d.Lines = []string{d.Said.String()} // for releases that don't know the kind
	}
	return out, nil
}

// ReturnNotice returns the notice that the person who had left is back, so that what was agreed is valid
// again. It reports false if everything is over by then.
func (n Notice) ReturnNotice(now time.Time) (Notice, bool) {
	n.ID, n.Key = 0, "back/"+n.Key
	n.Detail.State, n.Detail.StateAt = LeaverBack, now
	n.Detail.Void = slices.DeleteFunc(slices.Clone(n.Detail.Void), func(v VoidShift) bool { return v.Kept || !v.End.IsZero() && !v.End.After(now) })
	n.Detail.Said = Say("%s is back in Slack, and your shifts have changed: `/oncall shifts` shows them.", n.Detail.Users[0])
	n.Detail.Lines = []string{n.Detail.Said.String()}
	return n, len(n.Detail.Void) > 0
}

// voidBy finds the latest override between a leaver and the person of a move.
func voidBy(all []schedule.Override, left UserID, m schedule.Move) VoidBy {
	for _, o := range slices.Backward(all) {
		applies := o.Start.Before(m.End) && o.Ends().After(m.Start) && (o.Role == "" || o.Role == m.Role)
		if m.End.IsZero() {
			applies = o.Ends().After(m.Start)
		}
		if !applies || o.From != left && !slices.Contains(o.Named(), left) {
			continue
		}
		switch o.Reason {
		case reasonSwap:
			return VoidSwap
		case reasonCover:
			return VoidCover
		}
		return VoidOverride
	}
	return VoidTurn
}
