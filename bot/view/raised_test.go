package view

import (
	"slices"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// raisedByHand returns an incident that Cy has raised.
func raisedByHand(p oncall.Picture) oncall.Picture {
	p.Integration, p.Alerts, p.AlertCount, p.Firing = "", nil, 0, 0
	p.Incident.RaisedBy, p.Incident.SignalCount = oncall.ByUser(cy), 0
	p.Events = append([]oncall.Event{
		{ID: 1, At: noon, Kind: oncall.EventOpened, Actor: oncall.ByUser(cy), Detail: oncall.Detail{Text: p.Incident.Title}},
		{ID: 2, At: noon, Kind: oncall.EventPaging, Actor: oncall.ByTimer(), Detail: oncall.Detail{Users: []oncall.UserID{ann}}},
		{ID: 3, At: noon, Kind: oncall.EventPageDelivered, Actor: oncall.ByTimer(), Detail: oncall.Detail{Users: []oncall.UserID{ann}, Method: oncall.MethodSlack}},
		{ID: 4, At: noon, Kind: oncall.EventPageDelivered, Actor: oncall.ByTimer(), Detail: oncall.Detail{Users: []oncall.UserID{ann}, Method: oncall.MethodSMS}},
		{ID: 5, At: noon, Kind: oncall.EventPageReceipt, Actor: oncall.ByTimer(), Detail: oncall.Detail{Users: []oncall.UserID{ann}, Method: oncall.MethodSMS, Text: "delivered"}},
		{ID: 6, At: noon, Kind: oncall.EventPageFailed, Actor: oncall.ByTimer(), Detail: oncall.Detail{Users: []oncall.UserID{ann}, Method: oncall.MethodEmail, Text: "no such mailbox"}},
	}, p.Events...)
	return p
}

func TestRaisedIncidentIsDrawnInEachState(t *testing.T) {
	t.Parallel()
	person, schedule := raisedByHand(triggered()), raisedByHand(acknowledged())
	person.Events[0].Detail.Users = []oncall.UserID{ann}
	schedule.Events[0].Detail.Names = []string{"payments <primary>"}
	for name, d := range map[string]Drawing{
		"raised":            Raised(raisedByHand(triggered()), false),
		"raised_in_thread":  Raised(person, true),
		"raised_acked":      Raised(schedule, false),
		"raised_over":       Raised(raisedByHand(resolved()), false),
		"raised_root":       Incident(raisedByHand(triggered())),
		"raised_veiled":     RaisedVeiled(raisedByHand(triggered()).Incident, false),
		"raised_veiled_ack": RaisedVeiled(raisedByHand(acknowledged()).Incident, true),
		"raise_ask":         RaiseAsk("You have paged 3 times in the last 10 minutes.", "{}"),
	} {
		checkLimits(t, d)
		golden(t, name, d)
	}
}

func TestRaiseForm(t *testing.T) {
	t.Parallel()
	f := RaiseForm{
		Team: 2, Text: "the checkout is down", Severity: oncall.Critical, Meta: RaiseMeta{Channel: "C0PAY", TS: "1700000000.000100"},
		Message: `There is no team or schedule "paymets".`, Now: PageNow("Payments", "Payments", []oncall.UserID{ann}, triggered().Next),
		Teams: []oncall.Team{{ID: 1, Name: "Ops"}, {ID: 2, Name: "Payments"}},
	}
	golden(t, "raise_form", f.Draw())
	if got := ReadRaiseMeta(f.Draw().PrivateMetadata); got != f.Meta {
		t.Errorf("the form carries %+v, want %+v", got, f.Meta)
	}
	// More teams than fit into one group of options.
	for id := range oncall.TeamID(250) {
		f.Teams = append(f.Teams, oncall.Team{ID: id + 3, Name: "team"})
	}
	checkView(t, f.Draw())
	checkView(t, RaiseForm{}.Draw())
	golden(t, "raised_add", RaisedAddForm(12))
}

// Once it is chosen, a picker no longer shows whether "payments" is the team or its schedule.
func TestRaiseFormTellsATeamFromItsSchedule(t *testing.T) {
	t.Parallel()
	s, err := schedule.Compile(weekly())
	if err != nil {
		t.Fatal(err)
	}
	f := RaiseForm{Teams: []oncall.Team{{ID: 1, Name: strings.ToUpper(s.Name())}, {ID: 2, Name: "Ops"}}, Schedules: []*schedule.Schedule{s}}
	var labels []string
	for _, g := range f.groups() {
		for _, o := range g.Options {
			labels = append(labels, o.Text.Text)
		}
	}
	if want := []string{strings.ToUpper(s.Name()) + " (team)", "Ops", s.Name() + " (schedule)"}; !slices.Equal(labels, want) {
		t.Errorf("the form offers %q, want %q", labels, want)
	}
}
