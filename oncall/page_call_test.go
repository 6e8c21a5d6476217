package oncall

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPagesOfCall(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	yes := now.AddDate(0, -1, 0)
	contacts := []Contact{
		{ID: 1, Method: MethodEmail, VerifiedAt: &yes},
		{ID: 2, Method: MethodSMS, VerifiedAt: &yes},
		{ID: 3, Method: MethodVoice, VerifiedAt: &yes},
		{ID: 4, Method: MethodNtfy, VerifiedAt: &yes},
		{ID: 5, Method: MethodTelegram},                                     // not verified
		{ID: 6, Method: MethodPushover, VerifiedAt: &yes, DisabledAt: &now}, // switched off
	}
	for _, c := range []struct {
		name string
		r    ContactSettings
		low  bool
		at   time.Time
		want string // "key@seconds after now, looked at after"
	}{
		{"nothing is set up", ContactSettings{}, false, time.Time{}, "7/1/U1/slack@0,0"},
		{
			"the defaults",
			ContactSettings{Contacts: contacts},
			false,
			time.Time{},
			"7/1/U1/slack@0,0 7/1/U1/ntfy:4@0,0 7/1/U1/voice:3@60,10 7/1/U1/sms:2@180,70 7/1/U1/email:1@300,190",
		},
		{"the defaults for what is not urgent", ContactSettings{Contacts: contacts}, true, time.Time{}, "7/1/U1/slack@0,0 7/1/U1/email:1@0,0"},
		{"it waits for the morning", ContactSettings{Contacts: contacts}, true, now.Add(time.Hour), "7/1/U1/slack@3600,3600 7/1/U1/email:1@3600,3600"},
		{
			"rules of one's own, one of them twice",
			ContactSettings{Contacts: contacts, Preferences: Preferences{High: []Rule{
				{Contact: 3, After: 120}, {Contact: 3}, {After: 5},
			}}},
			false,
			time.Time{},
			"7/1/U1/voice:3@0,0 7/1/U1/slack@5,5 7/1/U1/voice:3+2@120,15",
		},
		{
			"nothing at the beginning",
			ContactSettings{Contacts: contacts, Preferences: Preferences{High: []Rule{{Contact: 2, After: 60}}}},
			false,
			time.Time{},
			"7/1/U1/slack@0,0 7/1/U1/sms:2@60,10",
		},
		{
			"only what can't be used",
			ContactSettings{Contacts: contacts, Preferences: Preferences{High: []Rule{{Contact: 5}, {Contact: 6}, {Contact: 99}}}},
			false,
			time.Time{},
			"7/1/U1/slack@0,0",
		},
		{"no rules at all", ContactSettings{Contacts: contacts, Preferences: Preferences{High: []Rule{}}}, false, time.Time{}, "7/1/U1/slack@0,0"},
	} {
		pages := PagesOfCall(Call{IncidentID: 7, CallSeq: 1, UserID: "U1", Method: MethodSlack, At: c.at}, c.r, c.low, now)
		var got []string
		for i, look := range FirstChecks(pages) {
			got = append(got, fmt.Sprintf("%s@%.0f,%.0f", pages[i].Key, pages[i].At.Sub(now).Seconds(), look.Sub(now).Seconds()))
		}
		if d := cmp.Diff(c.want, strings.Join(got, " ")); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	channel := Call{IncidentID: 7, CallSeq: 1, Method: MethodChannel, To: "C1"}
	if got := PagesOfCall(channel, ContactSettings{Contacts: contacts}, false, now); len(got) != 1 || got[0].Key != "7/1/C1/channel" || got[0].To != "C1" {
		t.Errorf(`a page that is for no person: %+v; want one, 7/1/C1/channel to C1`, got)
	}
}
