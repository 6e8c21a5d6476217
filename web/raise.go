package web

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// A raiseForm pages somebody by hand.
type raiseForm struct {
	Whom       string
	Text       string
	Severity   string
	Key        string // identifies the form, so that one sent twice pages once
	Asks       string // why a confirmation is required
	Problem    string
	Teams      []oncall.Team
	Schedules  []*schedule.Schedule
	Severities []oncall.Severity
}

// raiseForm returns the form, prefilled, offering what the person may page.
func (v *visit) raiseForm() raiseForm {
	f := raiseForm{
		Whom: v.r.FormValue("whom"), Text: v.r.FormValue("text"), Severity: v.r.FormValue("severity"), Key: v.r.PostFormValue("key"), Severities: oncall.Severities(),
	}
	if f.Key == "" || len(f.Key) > 40 {
		f.Key = rand.Text()
	}
	if f.Severity == "" {
		f.Severity = string(oncall.High)
	}
	may := func(team oncall.TeamID) bool {
		return v.dir.Access().May(v.by, access.Page, access.Object{Team: team}) == nil
	}
	mine, others := v.myTeams()
	for _, t := range slices.Concat(mine, others) {
		if may(t.ID) {
			f.Teams = append(f.Teams, t)
		}
	}
	for _, s := range v.dir.Schedules {
		if may(s.TeamID()) {
			f.Schedules = append(f.Schedules, s)
		}
	}
	return f
}

// showRaise shows the form.
func (v *visit) showRaise() (page, error) {
	if err := v.dir.MayPage(v.by); err != nil {
		return page{}, err
	}
	return page{name: "raise", title: "Page somebody", tab: "incidents", data: v.raiseForm()}, nil
}

// raise opens an incident by hand.
func (v *visit) raise() (page, error) {
	v.r.Body = maxBytes(v.w, v.r, maxForm)
	f := v.raiseForm()
	request := oncall.RaiseRequest{Text: strings.TrimSpace(f.Text), Severity: oncall.Severity(f.Severity), Key: "web/" + f.Key, Confirmed: v.r.PostFormValue("confirmed") != ""}
	kind, number, _ := strings.Cut(f.Whom, "/")
	id, _ := strconv.ParseInt(number, 10, 64) // anything that isn't a number becomes 0
	switch s, known := v.dir.Schedule(oncall.ScheduleID(id)); {
	case kind == "schedule" && known:
		request.Schedule, request.Team = s.ID(), s.TeamID()
	case kind == "team" && id != 0:
		request.Team = oncall.TeamID(id)
	}
	again := func(problem string) (page, error) {
		f.Problem = problem
		return page{name: "raise", title: "Page somebody", tab: "incidents", data: f, code: http.StatusUnprocessableEntity}, nil
	}
	switch {
	case request.Team == 0:
		return again("Say whom to page.")
	case request.Text == "":
		return again("Say what is wrong.")
	}
	raised, err := v.Store.Raise(v.ctx, v.by, request, store.MessageRef{}, v.now)
	if err != nil {
		return page{}, err
	}
	if raised.NeedsConfirmation != nil {
		f.Asks = raised.NeedsConfirmation.Shown(v.Name)
		return page{name: "raise", title: "Page somebody", tab: "incidents", data: f, code: http.StatusConflict}, nil
	}
	done := "page"
	if raised.Again {
		done = "again"
	}
	return page{to: "/incidents/" + strconv.FormatInt(int64(raised.Incident.ID), 10) + "?done=" + done}, nil
}
