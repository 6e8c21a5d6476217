package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

const eve oncall.UserID = "U0EVE" // alone in a private team

// withPrivateTeam adds a team that Ann and the others are not in.
func (w *world) withPrivateTeam(change ...func(*setup.Setup)) {
	w.t.Helper()
	s := payments()
	s.Users = append(s.Users, setup.User{Name: "eve", Slack: eve, Email: "eve@example.com"})
	s.Teams = append(s.Teams, setup.Team{Name: "secret", Channel: "#secret", Members: []string{"eve"}, Private: true})
	s.Schedules = append(s.Schedules, setup.Schedule{
		Name: "takeover", Team: "secret", TimeZone: "UTC",
		Rotations: []setup.Rotation{{Name: "all", Start: "2026-01-05 09:00", Every: "week", Turns: []setup.Turn{{"eve"}}}},
	})
	s.Policies = append(s.Policies, setup.Policy{
		Name: "merger", Team: "secret", Steps: []setup.Step{{Page: []string{"schedule takeover"}, Wait: "5m"}},
	})
	for _, do := range change {
		do(&s)
	}
	if _, err := w.Apply(w.t.Context(), s, store.ApplyOptions{Write: true}, start); err != nil {
		w.t.Fatal(err)
	}
	w.exec(`UPDATE users SET standing = 'member'`)
}

// When an incident is passed on to a private team's policy, other readers see neither the policy's name nor its people,
// before or after. Members of the team see the plan.
func TestPrivatePolicyStaysHiddenWhenPassedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withPrivateTeam(func(s *setup.Setup) {
		s.Policies[0].Steps = []setup.Step{{Page: []string{"user bo"}, Wait: "5m"}, {Page: []string{"policy merger"}}}
		s.Policies[len(s.Policies)-1].Steps = []setup.Step{{Page: []string{"schedule takeover"}, Wait: "5m"}, {Page: []string{"user eve"}, Wait: "5m"}}
	})
	in := w.open()
	say := func(at time.Time, by oncall.UserID) string {
		p := must[oncall.Picture](t)(w.Picture(t.Context(), oncall.ByUser(ann), in.ID, at))
		if p.Next == nil || !p.Next.Private || len(p.Next.Users) != 0 {
			t.Errorf("next: %+v; want a next step that is private and names nobody", p.Next)
		}
		text := fmt.Sprintf("%s %+v", p.Policy, p.Next)
		for _, e := range must[[]oncall.Event](t)(w.Events(t.Context(), oncall.ByUser(ann), in.ID)) {
			text += " " + e.Detail.Text
		}
		for _, e := range p.Events {
			text += " " + e.Detail.Text
		}
		for _, e := range must[[]oncall.PlanEntry](t)(w.Plan(t.Context(), oncall.ByUser(by), in.ID, at)) {
			text += fmt.Sprintf(" %s", e.Note)
			for _, who := range e.People {
				text += fmt.Sprintf(" %s %s", who.User, who.Why)
			}
		}
		return text
	}
	quiet := func(at time.Time) {
		t.Helper()
		got := say(at, ann)
		for _, secret := range []string{"merger", "takeover", string(eve)} {
			if strings.Contains(got, secret) {
				t.Errorf("%s is told: %s", secret, got)
			}
		}
		if !strings.Contains(got, "of a private team") {
			t.Errorf(`nothing is said of it: %s, want it to contain "of a private team"`, got)
		}
	}
	quiet(start)
	later := start.Add(5 * time.Minute)
	must[bool](t)(w.RunIncidentTimer(t.Context(), in.ID, int64(w.count(`SELECT seq FROM incidents WHERE id = $1`, in.ID)), later))
	if n := w.count(`SELECT count(*) FROM pages WHERE user_id = $1`, eve); n == 0 {
		t.Errorf("nobody of the private team is paged: got %v, want other than 0", n)
	}
	quiet(later)
	if got := say(later, eve); !strings.Contains(got, string(eve)) {
		t.Errorf("Eve's own plan: %s, want it to contain %q", got, string(eve))
	}
}

func (w *world) idOf(table, name string) int64 {
	return int64(w.count(`SELECT id FROM `+table+` WHERE name = $1`, name))
}

const isPrivate = "This is of a private team. Only its members can see it, and nothing was changed."

// An act cannot name a private team's people or policies in an incident that others can read, even by forged ids.
func TestActsRefusePrivateTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withPrivateTeam()
	in := w.open()
	policy, takeover, secret := oncall.PolicyID(w.idOf("policies", "merger")), oncall.ScheduleID(w.idOf("schedules", "takeover")), oncall.TeamID(w.idOf("teams", "secret"))
	for name, act := range map[string]oncall.Act{
		"its policy":          {Do: oncall.ActReassign, Policy: policy},
		"its schedule":        {Do: oncall.ActAsk, Schedule: takeover},
		"the team":            {Do: oncall.ActAsk, Team: secret},
		"beside another team": {Do: oncall.ActAsk, Team: in.TeamID, Schedule: takeover},
	} {
		_, err := w.Act(t.Context(), in.ID, oncall.ByUser(ann), act, start)
		isRefused(t, err, isPrivate)
		if err == nil {
			t.Errorf("%s is named, want an error", name)
		}
	}
	if n := w.count(`SELECT count(*) FROM pages WHERE user_id = $1`, eve); n != 0 {
		t.Errorf("%d pages for who is on call in the private team, want 0", n)
	}
	if _, err := w.Act(t.Context(), in.ID, oncall.ByUser(eve), oncall.Act{Do: oncall.ActReassign, Policy: policy}, start); err != nil {
		t.Errorf("who is in the team can't take it there: %v", err)
	}
}

// Refusals about swaps, cover and hand-offs of a private team name none of its people.
func TestRefusalsHidePrivateTeamMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withPrivateTeam()
	takeover := oncall.ScheduleID(w.idOf("schedules", "takeover"))
	stint := schedule.Stint{User: eve, Schedule: takeover, Name: "takeover", Role: schedule.RolePrimary, Start: start.Add(time.Hour), End: start.Add(2 * time.Hour)}
	cover, err := w.AskForCover(t.Context(), oncall.ByUser(eve), stint, "", true, start)
	if err != nil {
		t.Fatal(err)
	}
	w.exec(`INSERT INTO handoffs (schedule_id, role, number, users, incoming, outgoing, at, acked_by)
		VALUES ($1, 'primary', 77, '{U0EVE}', '{U0EVE}', '{}', $2, '')`, takeover, start)
	w.exec(`INSERT INTO swaps (id, state, give, take, note, created_at, expires_at, overrides) OVERRIDING SYSTEM VALUE
		VALUES (77, 'open', $1, $1, '', $2, $3, '{}')`, stint, start, start.Add(time.Hour))
	for name, try := range map[string]func(oncall.UserID) error{
		"take": func(u oncall.UserID) error {
			_, err := w.UpdateCover(t.Context(), oncall.ByUser(u), cover.ID, oncall.CoverAct{Do: oncall.TakeCover}, start)
			return err
		},
		"withdraw": func(u oncall.UserID) error {
			_, err := w.UpdateCover(t.Context(), oncall.ByUser(u), cover.ID, oncall.CoverAct{Do: oncall.WithdrawCover}, start)
			return err
		},
		"read": func(u oncall.UserID) error { _, err := w.Cover(t.Context(), oncall.ByUser(u), cover.ID); return err },
		"swap": func(u oncall.UserID) error {
			_, err := w.UpdateSwap(t.Context(), oncall.ByUser(u), 77, oncall.AcceptSwap, start)
			return err
		},
		"undo": func(u oncall.UserID) error {
			_, err := w.UpdateSwap(t.Context(), oncall.ByUser(u), 77, oncall.UndoSwap, start)
			return err
		},
		"hand-off": func(u oncall.UserID) error { return w.ConfirmHandoff(t.Context(), oncall.ByUser(u), 77, start) },
	} {
		err := try(ann)
		isRefused(t, err, isPrivate)
		if err != nil && (strings.Contains(err.Error(), string(eve)) || strings.Contains(err.Error(), "takeover")) {
			t.Errorf("%s: the refusal tells of the takeover: %v", name, err)
		}
	}
	// People who have left can't read what they were asked, either.
	w.exec(`UPDATE covers SET asked = '[{"user": "U0BO", "at": "2026-03-02T11:00:00Z"}]'`)
	w.exec(`UPDATE users SET deactivated_at = $1 WHERE id = 'U0BO'`, start)
	_, err = w.Cover(t.Context(), oncall.ByUser(bo), cover.ID)
	isRefused(t, err, "U0BO is deactivated in Slack, and nothing was changed.")
}

// A swap between a private team's schedule and another's is told to the two, and in no channel.
func TestPrivateSwapsAreNotAnnouncedInChannels(t *testing.T) {
	t.Parallel()
	for _, private := range []bool{false, true} {
		w := newWorld(t)
		w.withPrivateTeam()
		w.exec(`UPDATE teams SET private = $1 WHERE name = 'secret'`, private)
		stint := func(u oncall.UserID, name string) schedule.Stint {
			for _, s := range must[*store.Directory](t)(w.Directory(t.Context())).Roster().Stints(u, start.AddDate(0, 0, 1), start.AddDate(0, 0, 20)) {
				if s.Name == name && s.Start.After(start.AddDate(0, 0, 2)) {
					return s
				}
			}
			t.Fatalf("%s has no shift in %s", u, name)
			return schedule.Stint{}
		}
		take := schedule.Stint{User: eve, Schedule: oncall.ScheduleID(w.idOf("schedules", "takeover")), Name: "takeover", Role: schedule.RolePrimary, Start: start.AddDate(0, 0, 3), End: start.AddDate(0, 0, 4)}
		swap, err := w.OfferSwap(t.Context(), oncall.ByUser(bo), stint(bo, "primary"), take, "", start)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.UpdateSwap(t.Context(), oncall.ByUser(eve), swap.ID, oncall.AcceptSwap, start); err != nil {
			t.Fatal(err)
		}
		told := w.strings(`SELECT recipient FROM notices WHERE kind = $1 ORDER BY recipient`, oncall.NoticeSwapDone)
		if got, want := strings.Join(told, " "), map[bool]string{false: "#payments #secret", true: ""}[private]; got != want {
			t.Errorf("a private team: %v: told in %q, want %q", private, got, want)
		}
	}
}
