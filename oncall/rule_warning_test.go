package oncall_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
)

func TestWarningsNameWeakContactRules(t *testing.T) {
	t.Parallel()
	then := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	contact := func(id oncall.ContactID, method oncall.Method, address string) oncall.Contact {
		return oncall.Contact{ID: id, Method: method, Address: address, VerifiedAt: &then}
	}
	call, sms := contact(1, oncall.MethodVoice, "+12025550100"), contact(2, oncall.MethodSMS, "+12025550100")
	mail, ntfy := contact(3, oncall.MethodEmail, "ann@example.com"), contact(4, oncall.MethodNtfy, "ann-pages")
	waiting := oncall.Contact{ID: 5, Method: oncall.MethodSMS, Address: "+12025550101"}
	stopped := contact(6, oncall.MethodSMS, "+12025550102")
	stopped.DisabledAt, stopped.DisabledWhy = &then, "it answered STOP"
	rule := func(c oncall.Contact, minutes oncall.Seconds) oncall.Rule {
		return oncall.Rule{Contact: c.ID, After: 60 * minutes}
	}
	slack := oncall.Rule{}
	all := []oncall.Method{oncall.MethodEmail, oncall.MethodNtfy, oncall.MethodSMS, oncall.MethodVoice}
	payments := oncall.PagingStep{Policy: "Payments", Next: 5 * time.Minute}

	for name, c := range map[string]struct {
		contacts []oncall.Contact
		rules    []oncall.Rule
		low      bool
		methods  []oncall.Method
		paging   []oncall.PagingStep
		want     []oncall.Warning
	}{
		"all is well": {
			contacts: []oncall.Contact{call, sms}, rules: []oncall.Rule{slack, rule(call, 1), rule(sms, 3)},
			paging: []oncall.PagingStep{payments},
		},
		"the same method again, later": {
			contacts: []oncall.Contact{call}, rules: []oncall.Rule{slack, rule(call, 1), rule(call, 5)},
		},
		"a line after the policy's next step still pages": {
			contacts: []oncall.Contact{call, mail}, rules: []oncall.Rule{slack, rule(call, 1), rule(mail, 30)},
			paging: []oncall.PagingStep{payments},
		},
		"twice at the same time": {
			contacts: []oncall.Contact{call}, rules: []oncall.Rule{slack, rule(call, 1), rule(call, 1)},
			want: []oncall.Warning{{Line: 3, Text: "It adds nothing: another line does the same at the same time."}},
		},
		"removed": {
			contacts: []oncall.Contact{call}, rules: []oncall.Rule{slack, rule(call, 1), {Contact: 99, After: 60}},
			want: []oncall.Warning{{Line: 3, Text: "It never pages you: you have removed what it used."}},
		},
		"not verified": {
			contacts: []oncall.Contact{call, waiting}, rules: []oncall.Rule{slack, rule(call, 1), rule(waiting, 3)},
			want: []oncall.Warning{{Line: 3, Text: "It doesn't page you yet: SMS +12025550101 waits for its code."}},
		},
		"switched off": {
			contacts: []oncall.Contact{call, stopped}, rules: []oncall.Rule{slack, rule(call, 1), rule(stopped, 3)},
			want: []oncall.Warning{{Line: 3, Text: "It doesn't page you: SMS +12025550102 is switched off because it answered STOP."}},
		},
		"no way to send it": {
			contacts: []oncall.Contact{call, ntfy}, rules: []oncall.Rule{slack, rule(call, 1), rule(ntfy, 0)},
			methods: []oncall.Method{oncall.MethodVoice},
			want:    []oncall.Warning{{Line: 3, Text: "It never pages you: this installation can't send by ntfy."}},
		},
		"no way to send what comes at once": {
			contacts: []oncall.Contact{call, ntfy}, rules: []oncall.Rule{rule(ntfy, 0), rule(call, 1), slack},
			methods: []oncall.Method{oncall.MethodVoice},
			want:    []oncall.Warning{{Line: 1, Text: "It never pages you: this installation can't send by ntfy."}},
		},
		"an SMS that can't be answered": {
			contacts: []oncall.Contact{call, contact(7, oncall.MethodSMS, "+8613800000000")}, rules: []oncall.Rule{slack, rule(call, 1), {Contact: 7, After: 180}},
			want: []oncall.Warning{{Text: "What you answer to SMS +8613800000000 doesn't reach us: acknowledge in Slack or by a call."}},
		},
		"nothing at once": {
			contacts: []oncall.Contact{call}, rules: []oncall.Rule{rule(call, 1)},
			want: []oncall.Warning{{Text: "Nothing here pages you at once, so a direct message in Slack comes first."}},
		},
		"what comes at once doesn't work": {
			contacts: []oncall.Contact{call, waiting}, rules: []oncall.Rule{rule(waiting, 0), rule(call, 1)},
			want: []oncall.Warning{
				{Line: 1, Text: "It doesn't page you yet: SMS +12025550101 waits for its code."},
				{Text: "Nothing here pages you at once, so a direct message in Slack comes first."},
			},
		},
		"not used": {
			contacts: []oncall.Contact{call, sms}, rules: []oncall.Rule{slack, rule(call, 1)},
			want: []oncall.Warning{{Text: "No line uses SMS +12025550100."}},
		},
		"Slack only": {
			rules: []oncall.Rule{slack},
			want:  []oncall.Warning{{Text: "You are reached in Slack only, which wakes nobody: add a call, an SMS or a push."}},
		},
		"Slack only, and nothing to add": {
			rules: []oncall.Rule{slack}, methods: []oncall.Method{oncall.MethodEmail, oncall.MethodWebhook},
		},
		"nothing that is heard": {
			contacts: []oncall.Contact{mail}, rules: []oncall.Rule{slack, rule(mail, 0)},
			want: []oncall.Warning{{Text: "Nothing here wakes you: add a call, an SMS or a push."}},
		},
		"pushes only": {
			contacts: []oncall.Contact{ntfy}, rules: []oncall.Rule{slack, rule(ntfy, 0)},
			want: []oncall.Warning{{Text: "There is no call and no SMS, and a push needs the phone to be on the Internet."}},
		},
		"pushes are all that there is": {
			contacts: []oncall.Contact{ntfy}, rules: []oncall.Rule{slack, rule(ntfy, 0)}, methods: []oncall.Method{oncall.MethodNtfy},
		},
		"one provider": {
			contacts: []oncall.Contact{call, sms}, rules: []oncall.Rule{rule(call, 0), rule(sms, 3)},
			want: []oncall.Warning{{Text: "Everything goes through Twilio: nothing reaches you while it is down, so add Slack, mail or a push."}},
		},
		"others are paged before anything is heard": {
			contacts: []oncall.Contact{call}, rules: []oncall.Rule{slack, rule(call, 10)},
			paging: []oncall.PagingStep{{Policy: "Operations", Next: 15 * time.Minute}, payments},
			want:   []oncall.Warning{{Text: "The first that can wake you comes after 10 min, but the policy Payments goes on after 5 min."}},
		},
		"low severity needs not be heard": {
			contacts: []oncall.Contact{mail}, rules: []oncall.Rule{slack, rule(mail, 0)}, low: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			methods := all
			if c.methods != nil {
				methods = c.methods
			}
			r := oncall.ContactSettings{Contacts: c.contacts}
			got := r.Warnings(c.rules, c.low, oncall.RuleContext{Methods: methods, Paging: c.paging})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPagedByCountsFromTheStepThatNamesThePerson(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	step := func(delay oncall.Seconds, targets ...oncall.Target) oncall.Step {
		return oncall.Step{Targets: targets, Delay: delay}
	}
	named, team, other := oncall.Target{User: "U0ANN"}, oncall.Target{Team: 7}, oncall.Target{User: "U0BO"}
	again := step(600, named)
	again.Repeat, again.Every = 2, 60
	r := oncall.Roster{ShiftFacts: oncall.ShiftFacts{Members: map[oncall.TeamID][]oncall.UserID{7: {"U0ANN"}}}}
	got := r.PagedBy("U0ANN", map[oncall.PolicyID]oncall.Policy{
		1: {Name: "a", Steps: []oncall.Step{step(300, named), step(300, other), step(60, named)}},
		2: {Name: "b", Repeat: 1, Steps: []oncall.Step{step(120, team)}},
		3: {Name: "c", Steps: []oncall.Step{again}},
		4: {Name: "d", Removed: true, Steps: []oncall.Step{step(1, named), step(1, named)}},
	}, now, now.AddDate(0, 0, 56))
	want := []oncall.PagingStep{{Policy: "a", Next: 5 * time.Minute}, {Policy: "b", Next: 2 * time.Minute}, {Policy: "c", Next: time.Minute}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
