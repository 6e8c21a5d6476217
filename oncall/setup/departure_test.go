package setup

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
)

func leaving() Setup {
	return Setup{
		Users: []User{{Name: "Ann", Slack: "U0ANN"}, {Name: "Bo", Slack: "U0BO"}, {Name: "Cy", Slack: "U0CY"}, {Name: "Di", Slack: "U0DI"}},
		Teams: []Team{
			{Name: "payments", Members: []string{"Ann", "Bo"}, Managers: []string{"Ann", "Bo"}, Fallback: []string{"Bo", "Ann"}},
			{Name: "platform", Members: []string{"Bo"}, Managers: []string{"Bo"}},
		},
		Schedules: []Schedule{
			{Name: "nights", Team: "payments", Rotations: []Rotation{{Name: "weekly", Turns: []Turn{{"Ann"}, {"Bo"}, {"Bo", "Cy"}, {}}, Members: []Member{{User: "Bo"}}}}},
			{Name: "days", Team: "platform", Rotations: []Rotation{{Name: "alone", Turns: []Turn{{"Bo"}, {}}}}},
		},
		Policies: []Policy{{Name: "payments", Team: "payments", Steps: []Step{{Page: []string{"schedule nights"}}, {Page: []string{"user Bo"}}, {Page: []string{"user Bo", "user Cy"}}}}},
	}
}

// A successor takes the leaver's place everywhere, once each.
func TestHandPutsOneInThePlaceOfAnother(t *testing.T) {
	t.Parallel()
	parts, err := leaving().Hand("payments", "U0BO", "U0CY")
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) != 3 {
		t.Fatalf("%d things change, want the schedule, the policy and the team", len(parts))
	}
	r := parts[0].Schedule.Rotations[0]
	if diff := cmp.Diff([]Turn{{"Ann"}, {"Cy"}, {"Cy"}, nil}, r.Turns); diff != "" {
		t.Errorf("wrong turns (- wanted, + given):\n%s", diff)
	}
	want := []string{"Cy has 2 of 4 turns in the rotation weekly of nights, and one follows the other."}
	if diff := cmp.Diff(want, leaving().Doubled(parts, "U0CY")); diff != "" {
		t.Errorf("wrong warnings (- wanted, + given):\n%s", diff)
	}
	if got := leaving().Doubled(parts, "U0ANN"); len(got) != 0 {
		t.Errorf("Ann, who has one turn, is warned of: %v, want nothing", got)
	}
	if diff := cmp.Diff([]oncall.UserID{"U0DI"}, leaving().WithoutTurn(parts, []oncall.UserID{"U0ANN", "U0CY", "U0DI"})); diff != "" {
		t.Errorf("wrong people without a turn (- wanted, + given):\n%s", diff)
	}
	if len(r.Members) != 0 {
		t.Errorf("the leaver still takes part for a while: %v, want none", r.Members)
	}
	steps := parts[1].Policy.Steps
	if diff := cmp.Diff([][]string{{"schedule nights"}, {"user Cy"}, {"user Cy"}}, [][]string{steps[0].Page, steps[1].Page, steps[2].Page}); diff != "" {
		t.Errorf("wrong steps (- wanted, + given):\n%s", diff)
	}
	team := *parts[2].Team
	if diff := cmp.Diff(Team{Name: "payments", Members: []string{"Ann", "Cy"}, Managers: []string{"Ann"}, Fallback: []string{"Cy", "Ann"}}, team); diff != "" {
		t.Errorf("wrong team (- wanted, + given):\n%s", diff)
	}
}

// Without anybody in their place their turns, and the steps that page only them, are gone.
func TestHandTakesSomebodyOut(t *testing.T) {
	t.Parallel()
	parts, err := leaving().Hand("payments", "U0BO", "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Turn{{"Ann"}, {"Cy"}, nil}, parts[0].Schedule.Rotations[0].Turns); diff != "" {
		t.Errorf("wrong turns (- wanted, + given):\n%s", diff)
	}
	if got := parts[1].Policy.Steps; len(got) != 2 || len(got[1].Page) != 1 {
		t.Errorf("the policy has the steps %v, want two", got)
	}
}

// A rotation is never left without anybody, and the only manager stays one.
func TestHandNeverLeavesNobody(t *testing.T) {
	t.Parallel()
	if _, err := leaving().Hand("platform", "U0BO", ""); err == nil || !strings.Contains(err.Error(), "has nobody else") {
		t.Errorf("the only one of a rotation is taken out: %v, want a refusal", err)
	}
	parts, err := leaving().Hand("platform", "U0BO", "U0NEW")
	if err != nil {
		t.Fatal(err)
	}
	team := *parts[1].Team
	if diff := cmp.Diff(Team{Name: "platform", Members: []string{"Bo", "U0NEW"}, Managers: []string{"Bo"}}, team); diff != "" {
		t.Errorf("wrong team (- wanted, + given):\n%s", diff)
	}
	if parts, err := leaving().Hand("payments", "U0DI", "U0ANN"); err != nil || len(parts) != 0 {
		t.Errorf("somebody whom nothing names changes %d things (%v), want none", len(parts), err)
	}
}
