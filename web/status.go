package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// Who may see the status page.
const (
	StatusOff      = ""
	StatusPublic   = "public"   // everybody
	StatusInternal = "internal" // anybody signed in
)

// A statusPage is the information for people outside the teams.
type statusPage struct {
	Ongoing []oncall.StatusPost
	Days    []statusDay
}

type statusDay struct {
	Day   string
	Posts []oncall.StatusPost
}

const (
	statusDays  = 30
	statusStays = 30 * time.Second // how long the public page may be cached
)

// publicStatus shows the status page to everybody.
func (s *server) publicStatus(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
	defer cancel()
	wall, _ := schedule.LoadZone("UTC")
	to := reader{base: s.base, now: s.Clock(), zone: time.UTC, wall: wall}
	p, err := s.statusPage(ctx, to)
	if err != nil {
		s.fail(w, r, to, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(int(statusStays/time.Second)))
	s.write(w, r, to, p)
}

// status shows it to people who are signed in.
func (v *visit) status() (page, error) { return v.statusPage(v.ctx, v.reader) }

func (s *server) statusPage(ctx context.Context, to reader) (page, error) {
	posts, err := s.Store.StatusPosts(ctx, to.now.AddDate(0, 0, -statusDays))
	if err != nil {
		return page{}, err
	}
	var p statusPage
	for _, one := range posts {
		if one.EndedAt == nil {
			p.Ongoing = append(p.Ongoing, one)
			continue
		}
		day := to.Day(one.OpenedAt)
		if n := len(p.Days); n == 0 || p.Days[n-1].Day != day {
			p.Days = append(p.Days, statusDay{Day: day})
		}
		last := &p.Days[len(p.Days)-1]
		last.Posts = append(last.Posts, one)
	}
	return page{name: "status", title: "Status", tab: "status", data: p, live: true}, nil
}

// A publication is the status page's part of the incident's page.
type publication struct {
	Post   oncall.StatusPost
	Is     bool
	Behind bool // the incident is resolved, but the status page still shows it
	States []oncall.StatusState
}

// publication loads it; nil if there is no status page, or none of the incident's services is on
// it.
func (v *visit) publication(in oncall.Incident, may bool) (*publication, error) {
	team, known := v.dir.Team(in.TeamID)
	if v.Status == StatusOff || !may || !known || team.Private {
		return nil, nil //nolint:nilnil // none is a valid answer
	}
	post, err := v.Store.StatusPost(v.ctx, v.by, in.ID)
	if err != nil && !errors.Is(err, oncall.ErrNotFound) {
		return nil, err
	}
	p := &publication{Post: post, Is: err == nil, States: oncall.StatusStates()}
	p.Behind = p.Is && post.EndedAt == nil && !in.Open()
	return p, nil
}

// publish carries out the form about the status page.
func (v *visit) publish() (page, error) {
	id, err := v.incidentID()
	if err != nil || v.Status == StatusOff {
		return page{}, oncall.ErrNotFound
	}
	v.r.Body = maxBytes(v.w, v.r, maxForm)
	done := "published"
	if v.r.PostFormValue("do") == "withdraw" {
		done = "withdrawn"
		err = v.Store.Unpublish(v.ctx, v.by, id, v.now)
	} else {
		state := oncall.StatusState(v.r.PostFormValue("state"))
		if !slices.Contains(oncall.StatusStates(), state) {
			state = ""
		}
		u := oncall.StatusUpdate{State: state, Text: strings.TrimSpace(v.r.PostFormValue("text"))}
		err = v.Store.Publish(v.ctx, v.by, id, v.r.PostFormValue("title"), u, v.now)
	}
	if err != nil {
		return page{}, err
	}
	return page{to: "/incidents/" + strconv.FormatInt(int64(id), 10) + "?done=" + done}, nil
}
