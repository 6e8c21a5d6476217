package view

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// annsReach returns Ann's settings with a call, an unverified SMS, a stopped SMS, and mail.
func annsReach() Contacts {
	at := func(d time.Duration) *time.Time { t := noon.Add(-d); return &t }
	berlin, _ := time.LoadLocation("Europe/Berlin")
	return Contacts{
		Reach: oncall.ContactSettings{Contacts: []oncall.Contact{
			{ID: 1, Method: oncall.MethodVoice, Address: "+12025550100", VerifiedAt: at(72 * time.Hour), ConfirmedAt: at(24 * time.Hour)},
			{ID: 2, Method: oncall.MethodSMS, Address: "+12025550101"},
			{ID: 3, Method: oncall.MethodSMS, Address: "+12025550102", VerifiedAt: at(72 * time.Hour), DisabledAt: at(time.Hour), DisabledWhy: "it answered <STOP>"},
			{ID: 4, Method: oncall.MethodEmail, Address: "ann@example.com", VerifiedAt: at(72 * time.Hour)},
			{ID: 5, Method: oncall.MethodTelegram},
		}},
		Context: oncall.RuleContext{
			Methods: []oncall.Method{oncall.MethodEmail, oncall.MethodSMS, oncall.MethodTelegram, oncall.MethodVoice},
			Paging:  []oncall.PagingStep{{Policy: "Payments & <co>", Next: 5 * time.Minute}},
		},
		Add:  []oncall.Method{oncall.MethodEmail, oncall.MethodSMS, oncall.MethodTelegram, oncall.MethodVoice},
		Card: true, TimeZone: "Europe/Berlin", Location: berlin,
	}
}

func TestContactViews(t *testing.T) {
	t.Parallel()
	v := annsReach()
	golden(t, "contacts", v.Draw())
	golden(t, "contacts_slack_only", Contacts{TimeZone: "UTC", Location: time.UTC}.Draw())
	own := v
	own.Message = "Saved."
	own.Reach.Low = []oncall.Rule{{Contact: 4}}
	own.Reach.Hours = []schedule.Window{{Days: []schedule.Weekday{schedule.Saturday}, From: 10 * 60, To: 16 * 60}}
	own.Reach.High = []oncall.Rule{{After: 90}, {Contact: 1, After: 900}, {Contact: 1, After: 900}, {Contact: 2, After: 1200}}
	golden(t, "contacts_own_rules", own.Draw())
	golden(t, "rules_high", RulesForm{Contacts: own, Meta: RulesMeta{Drawn: 3}, Lines: own.Reach.High}.Draw())
	golden(t, "rules_low_none", RulesForm{Contacts: own, Meta: RulesMeta{Low: true}}.Draw())
	golden(t, "hours", own.HoursForm())
	golden(t, "contact_add_sms", ContactForm(v.Context.Methods, oncall.MethodSMS, "ann@example.com"))
	golden(t, "contact_add_email", ContactForm(v.Context.Methods, oncall.MethodEmail, "ann@example.com"))
	golden(t, "contact_add_telegram", ContactForm(v.Context.Methods, oncall.MethodTelegram, ""))
	golden(t, "contact_code", CodeForm(v.Reach.Contacts[1], CodeSent(v.Reach.Contacts[1])))
	china := oncall.Contact{ID: 9, Method: oncall.MethodSMS, Address: "+8613800000000"}
	golden(t, "contact_code_one_way", CodeForm(china, CodeSent(china)))
	golden(t, "contact_code_telegram", CodeForm(v.Reach.Contacts[4], CodeSent(v.Reach.Contacts[4])))
}

// Others see by which methods a person is reached, but never an address.
func TestOthersSeeNoAddress(t *testing.T) {
	t.Parallel()
	v := annsReach()
	got := OthersReach(ann, v.Reach, v.Context.Methods, v.Location)
	const want = "<@U0ANN> is reached by Slack, call and mail; last confirmed <!date^1772366400^{ago}|Sun 1 Mar 13:00 CET>."
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
