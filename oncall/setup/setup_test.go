package setup

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

func TestWeakKeysAreRefused(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		strings.Repeat("0", 32), strings.Repeat("f", 32), strings.Repeat("01", 16), strings.Repeat("deadbeef", 4), strings.Repeat("9f3a61c27be8d054", 2),
		"0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210", "00000000000000000000000000000001", "0123456789012345678901234567890a",
		"02468ace13579bdf02468ace13579bdf",
	} {
		if !weakKey(key) {
			t.Errorf("%s is taken, want it refused as weak", key)
		}
	}
	for i := range 10_000 {
		var b [16]byte
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		copy(b[:], sum[:])
		if key := KeyFromBytes(b); weakKey(key) {
			t.Errorf("%s is refused as weak, want it taken", key)
		}
	}
}

var formats = []oncall.Format{"generic", "alertmanager"}

// good returns a valid document.
func good() Setup {
	return Setup{
		Users: []User{{Name: "Ann", Slack: ann, TimeZone: "Europe/Berlin"}, {Name: "Bo", Email: "bo@example.com"}},
		Teams: []Team{{Name: "payments", Channel: "#payments", Members: []string{"Ann", "Bo"}}},
		Schedules: []Schedule{{Name: "primary", Team: "payments", TimeZone: "Europe/Berlin", Rotations: []Rotation{
			{Name: "weekly", Start: "2026-01-05 09:00", Every: "2 weeks", Turns: []Turn{{"Ann"}, {}, {"Ann", "Bo"}}},
		}}},
		Policies: []Policy{{Name: "payments", Team: "payments", Steps: []Step{
			{Page: []string{"schedule primary", "user Bo"}, Wait: "90s"}, {Page: []string{"team payments"}},
		}}},
		Integrations: []Integration{{Name: "demo", Team: "payments", Format: "generic", Policy: "payments"}},
	}
}

func TestSetupProblemsAreNamed(t *testing.T) {
	t.Parallel()
	if wrong := good().Check(formats); len(wrong) > 0 {
		t.Fatalf("a good document: %q, want none", wrong)
	}
	for _, c := range []struct {
		want string
		edit func(*Setup)
	}{
		{`user "Ann" is there twice`, func(s *Setup) { s.Users[1].Name = "Ann"; s.Users = append(s.Users, User{Name: "Bo", Slack: bo}) }},
		{`user "Ann" needs slack (the Slack user id) or email`, func(s *Setup) { s.Users[0].Slack = "" }},
		{`user "Ann": slack is "ann", which is not a Slack user id such as "U024BE7LH"`, func(s *Setup) { s.Users[0].Slack = "ann" }},
		{`user "Ann": time_zone "Berlin" is not an IANA zone such as "Europe/Berlin"`, func(s *Setup) { s.Users[0].TimeZone = "Berlin" }},
		{`team "payments": channel is missing: the Slack channel for its incidents, such as "#payments"`, func(s *Setup) { s.Teams[0].Channel = "" }},
		{`team "payments": member "Zed": there is no user of that name in the file`, func(s *Setup) { s.Teams[0].Members[0] = "Zed" }},
		{`team "payments": member "Anne": there is no user of that name in the file; did you mean "Ann"?`, func(s *Setup) { s.Teams[0].Members[0] = "Anne" }},
		{`schedule "primary": team "paymnts": there is no team of that name in the file; did you mean "payments"?`, func(s *Setup) { s.Schedules[0].Team = "paymnts" }},
		{`integration "demo": policy "Payment": there is no policy of that name in the file; did you mean "payments"?`, func(s *Setup) { s.Integrations[0].Policy = "Payment" }},
		{`integration "demo": kind is "alertmanger"; it may be "generic" or "alertmanager"; did you mean "alertmanager"?`, func(s *Setup) { s.Integrations[0].Format = "alertmanger" }},
		{`policy "payments", step 1: schedule "primry": there is no schedule of that name in the file; did you mean "primary"?`, func(s *Setup) { s.Policies[0].Steps[0].Page[0] = "schedule primry" }},
		{`schedule "primary": rotation "weekly": start is "2026-01-05"; it must be a day and time of the first hand-off such as "2026-01-05 09:00"`, func(s *Setup) { s.Schedules[0].Rotations[0].Start = "2026-01-05" }},
		{`schedule "primary": rotation "weekly": every is "blue moon"; it must be a period such as "week", "2 weeks", "day" or "12 hours"`, func(s *Setup) { s.Schedules[0].Rotations[0].Every = "blue moon" }},
		{`schedule "primary": The rotations for role "primary" change 335 times within a week: at most once an hour is possible.`, func(s *Setup) {
			r := s.Schedules[0].Rotations[0]
			r.Every = "hour"
			half := r
			half.Name, half.Start = "half", "2026-01-05 09:30"
			s.Schedules[0].Rotations = []Rotation{r, half}
		}},
		{`schedule "primary", rotation "weekly": turn "Zed": there is no user of that name in the file`, func(s *Setup) { s.Schedules[0].Rotations[0].Turns[0][0] = "Zed" }},
		{`policy "payments", step 1: every is "2m", but the step runs only once; give repeat`, func(s *Setup) { s.Policies[0].Steps[0].Every = "2m" }},
		{`policy "payments", step 1: "webhook http://169.254.169.254/x": webhooks never go to link-local addresses`, func(s *Setup) { s.Policies[0].Steps[0].Page[0] = "webhook http://169.254.169.254/x" }},
		{`policy "payments", step 1: "everybody" is not a target; write "user NAME", "schedule NAME", "next in SCHEDULE", "everyone in SCHEDULE", "ROLE in SCHEDULE", "team NAME", "managers of TEAM", "channel #NAME", "group @HANDLE", "webhook https://…" or "policy NAME"`, func(s *Setup) { s.Policies[0].Steps[0].Page[0] = "everybody" }},
		{`policy "payments", step 1: wait is "5 minutes", which is not a duration such as "5m" or "90s"`, func(s *Setup) { s.Policies[0].Steps[0].Wait = "5 minutes" }},
		{`policy "payments", step 1: wait is "0s"; it may be 1s to 24h, in whole seconds`, func(s *Setup) { s.Policies[0].Steps[0].Wait = "0s" }},
		{`policy "payments" has no steps`, func(s *Setup) { s.Policies[0].Steps = nil }},
		{`integration "demo": kind is "nagios"; it may be "generic" or "alertmanager"`, func(s *Setup) { s.Integrations[0].Format = "nagios" }},
		{`integration "demo": key must be 32 of the characters 0-9 and a-f; leave it out to have one made`, func(s *Setup) { s.Integrations[0].Key = "secret" }},
		{`integration "demo": key can be guessed; leave it out to have one made`, func(s *Setup) { s.Integrations[0].Key = strings.Repeat("0", 32) }},
	} {
		s := good()
		c.edit(&s)
		equal(t, c.want, s.Check(formats), []string{c.want})
	}
}

func TestMistypedTargetsGetSuggestions(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"Ann": "user Ann", "primary": "schedule primary", "usr Ann": "user Ann", "shedule primary": "schedule primary", "chanel #payments": "channel #payments", "everything": "",
	} {
		s := good()
		s.Policies[0].Steps[0].Page[0] = written
		wrong := s.Check(formats)
		if len(wrong) != 1 || !strings.HasSuffix(wrong[0], `"policy NAME"`+didYouMean(want)) {
			t.Errorf("%s: got the problems %q, want one that suggests %q", written, wrong, want)
		}
	}
}

func TestStepTranslatesNamesToIDs(t *testing.T) {
	t.Parallel()
	got, err := good().Policies[0].Steps[0].Step(IDs{
		Users: map[string]oncall.UserID{"Bo": bo}, Schedules: map[string]oncall.ScheduleID{"primary": 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "step", got, oncall.Step{Targets: []oncall.Target{{Schedule: 4}, {User: bo}}, Delay: 90})
}
