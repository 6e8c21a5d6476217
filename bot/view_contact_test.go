package bot

import (
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// annsReach is Ann with a call, an SMS that waits, one that was stopped, and mail.
func annsReach() reachView {
	at := func(d time.Duration) *time.Time { t := noon.Add(-d); return &t }
	berlin, _ := time.LoadLocation("Europe/Berlin")
	return reachView{
		reach: oncall.Reach{Contacts: []oncall.Contact{
			{ID: 1, Method: oncall.MethodVoice, Address: "+12025550100", VerifiedAt: at(72 * time.Hour), ConfirmedAt: at(24 * time.Hour)},
			{ID: 2, Method: oncall.MethodSMS, Address: "+12025550101"},
			{ID: 3, Method: oncall.MethodSMS, Address: "+12025550102", VerifiedAt: at(72 * time.Hour), DisabledAt: at(time.Hour), DisabledWhy: "it answered <STOP>"},
			{ID: 4, Method: oncall.MethodEmail, Address: "ann@example.com", VerifiedAt: at(72 * time.Hour)},
			{ID: 5, Method: oncall.MethodTelegram},
		}},
		facts: oncall.RuleFacts{
			Methods: []string{oncall.MethodEmail, oncall.MethodSMS, oncall.MethodTelegram, oncall.MethodVoice},
			Paging:  []oncall.Paging{{Policy: "Payments & <co>", Next: 5 * time.Minute}},
		},
		card: true, timeZone: "Europe/Berlin", location: berlin,
	}
}

func TestContactViews(t *testing.T) {
	t.Parallel()
	v := annsReach()
	golden(t, "contacts", drawReach(v))
	golden(t, "contacts_slack_only", drawReach(reachView{timeZone: "UTC", location: time.UTC}))
	own := v
	own.said = "Saved."
	own.reach.Low = []oncall.Rule{{Contact: 4}}
	own.reach.Hours = []schedule.Window{{Days: []schedule.Weekday{schedule.Saturday}, From: 10 * 60, To: 16 * 60}}
	own.reach.High = []oncall.Rule{{After: 90}, {Contact: 1, After: 900}, {Contact: 1, After: 900}, {Contact: 2, After: 1200}}
	golden(t, "contacts_own_rules", drawReach(own))
	golden(t, "rules_high", drawRules(rulesForm{reachView: own, meta: rulesMeta{Drawn: 3}, lines: own.reach.High}))
	golden(t, "rules_low_none", drawRules(rulesForm{reachView: own, meta: rulesMeta{Low: true}}))
	golden(t, "hours", drawHours(own))
	golden(t, "contact_add_sms", drawContactAdd(v.facts.Methods, oncall.MethodSMS, "ann@example.com"))
	golden(t, "contact_add_email", drawContactAdd(v.facts.Methods, oncall.MethodEmail, "ann@example.com"))
	golden(t, "contact_add_telegram", drawContactAdd(v.facts.Methods, oncall.MethodTelegram, ""))
	golden(t, "contact_code", drawCode(v.reach.Contacts[1], codeSent(v.reach.Contacts[1])))
	golden(t, "contact_code_telegram", drawCode(v.reach.Contacts[4], codeSent(v.reach.Contacts[4])))
}

// Others learn by what somebody is reached, and never where.
func TestOthersSeeNoAddress(t *testing.T) {
	t.Parallel()
	v := annsReach()
	got := reachSummary(mention(ann)+" is", v.reach, v.facts.Methods, v.location)
	const want = "<@U0ANN> is reached by Slack, call and mail; last confirmed <!date^1772366400^{ago}|2026-03-01 13:00 CET>."
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
