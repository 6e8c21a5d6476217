package oncall

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDeliveries(t *testing.T) {
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
		r    Reach
		low  bool
		at   time.Time
		want string // "key@seconds after now, looked at after"
	}{
		{"nothing is set up", Reach{}, false, time.Time{}, "7/1/U1/slack@0,0"},
		{
			"the defaults",
			Reach{Contacts: contacts},
			false,
			time.Time{},
			"7/1/U1/slack@0,0 7/1/U1/ntfy:4@0,0 7/1/U1/voice:3@60,10 7/1/U1/sms:2@180,70 7/1/U1/email:1@300,190",
		},
		{"the defaults for what is not urgent", Reach{Contacts: contacts}, true, time.Time{}, "7/1/U1/slack@0,0 7/1/U1/email:1@0,0"},
		{"it waits for the morning", Reach{Contacts: contacts}, true, now.Add(time.Hour), "7/1/U1/slack@3600,3600 7/1/U1/email:1@3600,3600"},
		{
			"rules of one's own, one of them twice",
			Reach{Contacts: contacts, Preferences: Preferences{High: []Rule{
				{Contact: 3, After: 120}, {Contact: 3}, {After: 5},
			}}},
			false,
			time.Time{},
			"7/1/U1/voice:3@0,0 7/1/U1/slack@5,5 7/1/U1/voice:3+2@120,15",
		},
		{
			"nothing at the beginning",
			Reach{Contacts: contacts, Preferences: Preferences{High: []Rule{{Contact: 2, After: 60}}}},
			false,
			time.Time{},
			"7/1/U1/slack@0,0 7/1/U1/sms:2@60,10",
		},
		{
			"only what can't be used",
			Reach{Contacts: contacts, Preferences: Preferences{High: []Rule{{Contact: 5}, {Contact: 6}, {Contact: 99}}}},
			false,
			time.Time{},
			"7/1/U1/slack@0,0",
		},
		{"no rules at all", Reach{Contacts: contacts, Preferences: Preferences{High: []Rule{}}}, false, time.Time{}, "7/1/U1/slack@0,0"},
	} {
		pages := Deliveries(Page{IncidentID: 7, CallSeq: 1, UserID: "U1", Method: MethodSlack, At: c.at}, c.r, c.low, now)
		var got []string
		for i, look := range FirstChecks(pages) {
			got = append(got, fmt.Sprintf("%s@%.0f,%.0f", pages[i].Key, pages[i].At.Sub(now).Seconds(), look.Sub(now).Seconds()))
		}
		if d := cmp.Diff(c.want, strings.Join(got, " ")); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	channel := Page{Method: MethodChannel, To: "C1", Key: "7/1/channel/C1"}
	if got := Deliveries(channel, Reach{Contacts: contacts}, false, now); len(got) != 1 || got[0].Key != channel.Key || got[0].To != "C1" {
		t.Errorf("a page that is for no person: %+v", got)
	}
}

func TestAHoldIsBrokenByWorseNews(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	in := func(s Severity, from IntegrationID) Incident { return Incident{Severity: s, IntegrationID: from} }
	last := LastPage{}.Add(MethodSMS, now, in(Medium, 1))
	for _, c := range []struct {
		name  string
		in    Incident
		after time.Duration
		held  bool
	}{
		{"more of the same", in(Medium, 1), 29 * time.Second, true},
		{"less", in(Low, 1), time.Second, true},
		{"worse", in(High, 1), time.Second, false},
		{"of another integration", in(Low, 2), time.Second, false},
		{"later", in(Medium, 1), 30 * time.Second, false},
	} {
		until := last.HeldUntil(c.in, MethodSMS, now.Add(c.after))
		if !until.IsZero() != c.held || c.held && !until.Equal(now.Add(30*time.Second)) {
			t.Errorf("%s: held until %s", c.name, until)
		}
	}
	if until := last.HeldUntil(in(Medium, 1), MethodVoice, now.Add(59*time.Second)); !until.Equal(now.Add(time.Minute)) {
		t.Errorf("a call is held until %s", until)
	}
	// What breaks the hold counts for the rest of it, and doesn't make it longer.
	broken := last.Add(MethodSMS, now.Add(10*time.Second), in(Critical, 2))
	if want := (LastPage{At: now, Severity: Critical, Integrations: []IntegrationID{1, 2}}); !cmp.Equal(want, broken) {
		t.Errorf("after worse news: %+v", broken)
	}
	if again := broken.Add(MethodSMS, now.Add(30*time.Second), in(Low, 3)); again.Severity != Low || len(again.Integrations) != 1 {
		t.Errorf("after the hold: %+v", again)
	}
}

func TestCheckAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method        Method
		address, want string
	}{
		{MethodSMS, " +1 (202) 555-0100 ", "+12025550100"},
		{MethodVoice, "0049 30 1234567", "+49301234567"},
		{MethodSMS, "202 555 0100", ""},
		{MethodSMS, "+0123456789", ""},
		{MethodEmail, "ann@example.com", "ann@example.com"},
		{MethodEmail, "Ann <ann@example.com>", ""},
		{MethodEmail, "ann", ""},
		{MethodNtfy, "ann-pages", "ann-pages"},
		{MethodNtfy, "https://ntfy.example.com/ann", "https://ntfy.example.com/ann"},
		{MethodNtfy, "ann pages", ""},
		{MethodNtfy, "http://127.0.0.1:80/err?anything=1&x=/topic", ""},
		{MethodNtfy, "https://ntfy.example.com/ann?", ""},
		{MethodNtfy, "https://ntfy.example.com/ann?x=1", ""},
		{MethodNtfy, "https://ntfy.example.com/ann#top", ""},
		{MethodNtfy, "https://ntfy.example.com/a%2fb", ""},
		{MethodNtfy, "https://ntfy.example.com/admin/ann", ""},
		{MethodNtfy, "https://:443/ann", ""},
		{MethodPushover, strings.Repeat("u", 30), strings.Repeat("u", 30)},
		{MethodPushover, "u", ""},
		{MethodTelegram, "-100123", "-100123"},
		{MethodTelegram, "@ann", ""},
		{MethodWebhook, "https://example.com/page?x=1", "https://example.com/page?x=1"},
		{MethodWebhook, "https://ann:secret@example.com", ""},
		{MethodWebhook, "file:///etc/passwd", ""},
		{MethodSlack, "U1", ""},
		{"pigeon", "coop", ""},
		{MethodEmail, strings.Repeat("a", 300) + "@example.com", ""},
	} {
		got, err := c.method.CheckAddress(c.address)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %q: %q, %v", c.method, c.address, got, err)
		}
	}
	if got, err := MethodTelegram.CheckAddress(""); got != "" || err != nil {
		t.Errorf("Telegram without an address: %q, %v", got, err)
	}
}
