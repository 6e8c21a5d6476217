package rest

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A Stint is a shift as its person sees it.
type Stint struct {
	Schedule Ref       `json:"schedule"`
	Role     string    `json:"role"`
	User     Person    `json:"user"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
}

// A StintBody identifies a shift by its person and an instant in it.
type StintBody struct {
	Schedule string    `json:"schedule" maxLength:"200" doc:"Name or id."`
	Role     string    `json:"role,omitempty" maxLength:"100" doc:"Where somebody has several at once."`
	User     string    `json:"user,omitempty" maxLength:"200" doc:"Slack id, mail address or whole name; whose key it is where it is left out."`
	At       time.Time `json:"at" doc:"An instant in it."`
}

// A Swap exchanges two people's shifts once the other person agrees.
type Swap struct {
	ID        int64      `json:"id"`
	State     string     `json:"state" enum:"open,accepted,declined,withdrawn,undone,expired,stale"`
	Give      Stint      `json:"give" doc:"Of the one who offers."`
	Take      Stint      `json:"take" doc:"Of the one who is asked."`
	Note      string     `json:"note,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
}

// A Cover is a request to others to take a shift, or part of it.
type Cover struct {
	ID        int64       `json:"id"`
	State     string      `json:"state" enum:"open,taken,withdrawn,over,stale"`
	Shift     Stint       `json:"shift"`
	Note      string      `json:"note,omitempty"`
	Everyone  bool        `json:"everyone" doc:"It asks the whole team."`
	CreatedBy Person      `json:"created_by"`
	CreatedAt time.Time   `json:"created_at"`
	EndedAt   *time.Time  `json:"ended_at,omitempty"`
	Asked     []CoverAsk  `json:"asked" doc:"In this order."`
	Taken     []CoverTake `json:"taken"`
}

// A CoverAsk is a person who was asked.
type CoverAsk struct {
	User     Person    `json:"user"`
	At       time.Time `json:"at"`
	Declined bool      `json:"declined,omitempty"`
}

// A CoverTake is a part of the shift that a person has taken.
type CoverTake struct {
	User  Person    `json:"user"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// PersonFilter are the parameters of lists that belong to a person.
type PersonFilter struct {
	User string `query:"user" doc:"Slack id, mail address or whole name; whose key it is where it is left out. Others' take an admin's key."`
}

// stintsAhead is how far ahead shifts can be swapped and covered.
const stintsAhead = 92 * 24 * time.Hour

// ownerOf returns the owner of a personal key, or the person named in the request.
func (v view) ownerOf(text string) (oncall.UserID, error) {
	if text == "" {
		if v.caller.by.User == "" {
			return "", invalid("Say whose; this API key is nobody's own.")
		}
		return v.caller.by.User, nil
	}
	u, _, err := filterValue(text, v.user, "person")
	return u.ID, err
}

// stint finds a shift.
func (v view) stint(b StintBody) (schedule.Stint, error) {
	user, err := v.ownerOf(b.User)
	if err != nil {
		return schedule.Stint{}, err
	}
	sched, _, err := filterValue(b.Schedule, v.schedule, "schedule")
	if err != nil {
		return schedule.Stint{}, err
	}
	var found []schedule.Stint
	for _, s := range sched.Parts(user, v.caller.now, v.caller.now.Add(stintsAhead)) {
		if !b.At.Before(s.Start) && b.At.Before(s.End) && (b.Role == "" || b.Role == s.Role) {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 0:
		return schedule.Stint{}, invalid(v.Name(user) + " is not on call in " + strconv.Quote(sched.Name()) + " at that time.")
	case 1:
		return found[0], nil
	}
	return schedule.Stint{}, invalid(v.Name(user) + " has several roles in " + strconv.Quote(sched.Name()) + " at that time; say which.")
}

func (v view) shownStint(s schedule.Stint) Stint {
	return Stint{Ref{int64(s.Schedule), s.Name}, s.Role, v.person(s.User), s.Start, s.End}
}

func (v view) swap(s oncall.Swap) Swap {
	return Swap{int64(s.ID), string(s.State), v.shownStint(s.Give), v.shownStint(s.Take), s.Note, s.CreatedAt, s.ExpiresAt, s.EndedAt}
}

func (v view) cover(c oncall.Cover) Cover {
	return Cover{
		ID: int64(c.ID), State: string(c.State), Shift: v.shownStint(c.Stint), Note: c.Note, Everyone: c.Everyone, CreatedBy: v.person(c.CreatedBy),
		CreatedAt: c.CreatedAt, EndedAt: c.EndedAt,
		Asked: mapSlice(c.Asked, func(a oncall.CoverAsk) CoverAsk { return CoverAsk{v.person(a.User), a.At, a.Declined} }),
		Taken: mapSlice(c.Takes, func(t oncall.CoverTake) CoverTake { return CoverTake{v.person(t.User), t.Start, t.End} }),
	}
}

// pending returns a person's open swaps and cover requests, and accepted swaps yet to come.
func (s *server) pending(ctx context.Context, c caller, whose PersonFilter) (v view, swaps []oncall.Swap, covers []oncall.Cover, err error) {
	if v, err = s.viewFor(ctx, c); err != nil {
		return v, nil, nil, err
	}
	user, err := v.ownerOf(whose.User)
	if err != nil {
		return v, nil, nil, err
	}
	swaps, covers, err = s.Store.PendingSwaps(ctx, c.by, user, c.now)
	return v, swaps, covers, err
}

func (s *server) swapRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/swaps", id: "list-swaps", tag: "swaps and cover", summary: "List a person's swaps that are open or still to come", scope: oncall.ScopeAct,
	}, func(ctx context.Context, c caller, in *struct {
		Paged
		PersonFilter
	},
	) (*ListResponse[Swap], error) {
		v, swaps, _, err := s.pending(ctx, c, in.PersonFilter)
		if err != nil {
			return nil, err
		}
		return page(mapSlice(swaps, v.swap), in.Paged)
	})
	handle(s, operation{
		method: http.MethodPost, path: "/swaps", id: "create-swap", tag: "swaps and cover", summary: "Offer a shift for another's", scope: oncall.ScopeAct,
		about: "Both are told in Slack. With a key of the person who offers, or an admin's.", status: http.StatusCreated, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		IdempotencyHeader
		Body struct {
			Give StintBody `json:"give"`
			Take StintBody `json:"take"`
			Note string    `json:"note,omitempty" maxLength:"500"`
		}
	},
	) (*ObjectResponse[Swap], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		give, err := v.stint(in.Body.Give)
		if err != nil {
			return nil, err
		}
		take, err := v.stint(in.Body.Take)
		if err != nil {
			return nil, err
		}
		made, err := s.Store.OfferSwap(ctx, c.by, give, take, in.Body.Note, c.now)
		return &ObjectResponse[Swap]{v.swap(made)}, err
	})
	handle(s, operation{
		method: http.MethodPost, path: "/swaps/{id}/acts", id: "act-on-swap", tag: "swaps and cover", summary: "Answer a swap, take it back or undo it", scope: oncall.ScopeAct,
		about: "It takes a key of one of the two people.", errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		ID int64 `path:"id" minimum:"1"`
		IdempotencyHeader
		Body struct {
			Act string `json:"act" enum:"accept,decline,withdraw,undo"`
		}
	},
	) (*ObjectResponse[Swap], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		done, err := s.Store.UpdateSwap(ctx, c.by, oncall.SwapID(in.ID), oncall.SwapAct(in.Body.Act), c.now)
		return &ObjectResponse[Swap]{v.swap(done)}, err
	})
	s.coverRoutes()
}

func (s *server) coverRoutes() {
	handle(s, operation{
		method: http.MethodGet, path: "/covers", id: "list-covers", tag: "swaps and cover", summary: "List a person's open requests for cover", scope: oncall.ScopeAct,
	}, func(ctx context.Context, c caller, in *struct {
		Paged
		PersonFilter
	},
	) (*ListResponse[Cover], error) {
		v, _, covers, err := s.pending(ctx, c, in.PersonFilter)
		if err != nil {
			return nil, err
		}
		return page(mapSlice(covers, v.cover), in.Paged)
	})
	handle(s, operation{
		method: http.MethodPost, path: "/covers", id: "create-cover", tag: "swaps and cover", summary: "Ask others to take a shift", scope: oncall.ScopeAct,
		about: "Who can is asked in Slack, a few at a time. It takes a key of a person's own.", status: http.StatusCreated, errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		IdempotencyHeader
		Body struct {
			Shift    StintBody `json:"shift"`
			Start    time.Time `json:"start,omitzero" doc:"Of a part only: from then,"`
			End      time.Time `json:"end,omitzero" doc:"until then."`
			Note     string    `json:"note,omitempty" maxLength:"500"`
			Everyone bool      `json:"everyone,omitempty" doc:"The whole team is asked, not only the schedule's people."`
		}
	},
	) (*ObjectResponse[Cover], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		if c.by.User == "" {
			return nil, oncall.Refuse("This takes an API key of a person's own, and nothing was changed.")
		}
		stint, err := v.stint(in.Body.Shift)
		if err != nil {
			return nil, err
		}
		if !in.Body.Start.IsZero() {
			stint.Start = later(stint.Start, in.Body.Start.UTC())
		}
		if !in.Body.End.IsZero() {
			stint.End = earlier(stint.End, in.Body.End.UTC())
		}
		made, err := s.Store.AskForCover(ctx, c.by, stint, in.Body.Note, in.Body.Everyone, c.now)
		return &ObjectResponse[Cover]{v.cover(made)}, err
	})
	s.coverActs()
}

func (s *server) coverActs() {
	handle(s, operation{
		method: http.MethodPost, path: "/covers/{id}/acts", id: "act-on-cover", tag: "swaps and cover", summary: "Take a shift, decline, or take the request back", scope: oncall.ScopeAct,
		about: "It takes a key of a person's own.", errors: []int{404, 409},
	}, func(ctx context.Context, c caller, in *struct {
		ID int64 `path:"id" minimum:"1"`
		IdempotencyHeader
		Body struct {
			Act  string    `json:"act" enum:"take,decline,withdraw"`
			From time.Time `json:"from,omitzero" doc:"Of take, for a part: from then,"`
			To   time.Time `json:"to,omitzero" doc:"until then."`
		}
	},
	) (*ObjectResponse[Cover], error) {
		v, err := s.viewFor(ctx, c)
		if err != nil {
			return nil, err
		}
		act := oncall.CoverAct{Do: oncall.CoverActKind(in.Body.Act), From: in.Body.From, To: in.Body.To}
		done, err := s.Store.UpdateCover(ctx, c.by, oncall.CoverID(in.ID), act, c.now)
		return &ObjectResponse[Cover]{v.cover(done)}, err
	})
}
