package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// refused requires a refusal with the given text.
func refused(t testing.TB, err error, want string) {
	t.Helper()
	if got, ok := err.(oncall.Refusal); !ok || got.Error() != want { //nolint:errorlint // as it is
		t.Errorf("got %v, want the refusal %q", err, want)
	}
}

// random returns fixed bytes instead of random ones.
func random(n byte) (b [16]byte) {
	b[7] = n
	return b
}

// addContact gives a person a verified contact method.
func (w *world) addContact(user oncall.UserID, method oncall.Method, address string) oncall.Contact {
	w.t.Helper()
	ctx := w.t.Context()
	c := must[oncall.Contact](w.t)(w.AddContact(ctx, oncall.ByTimer(), user, method, address, w.clock()))
	proof := must[store.Proof](w.t)(w.BeginProof(ctx, c.ID, random(1), w.clock()))
	if err := w.ConfirmContact(ctx, oncall.ByTimer(), user, c.ID, proof.Code, w.clock()); err != nil {
		w.t.Fatal(err)
	}
	w.forgetJobs("verify")
	return c
}

func TestContactIsUsableOnceVerified(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	c := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodSMS, "+1 (202) 555-0100", start))
	if c.Address != "+12025550100" || c.Usable() {
		t.Errorf(`contact: %+v; want +12025550100, not usable yet`, c)
	}
	if got := w.strings(`SELECT kind || args::text FROM river_job`); !cmp.Equal(got, []string{fmt.Sprintf(`verify{"contact": %d}`, c.ID)}) {
		t.Errorf("jobs: %q, want %q", got, []string{fmt.Sprintf(`verify{"contact": %d}`, c.ID)})
	}
	_, err := w.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodSMS, "+12025550100", start)
	refused(t, err, "You have that contact method already.")
	_, err = w.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodSMS, "555-0100", start)
	refused(t, err, "Please give the phone number with its country code, such as +1 202 555 0100.")
	must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), bo, oncall.MethodSMS, "+12025550100", start)) // they share it

	proof := must[store.Proof](t)(w.BeginProof(ctx, c.ID, random(7), start))
	if proof.Code != "000007" || !proof.Expires.Equal(start.Add(10*time.Minute)) {
		t.Errorf("proof: %+v; want the code 000007 until %v", proof, start.Add(10*time.Minute))
	}
	if proof.Contact.ID != c.ID || proof.User.Name != "ann" {
		t.Errorf("proof: %+v; want it for contact method %v of ann", proof, c.ID)
	}
	if n := w.count(`SELECT count(*) FROM codes WHERE hash = '000007'`); n != 0 {
		t.Errorf("the code is stored as it is: got %v, want 0", n)
	}
	const wrong = "That code is not right, or too old. A new one can be sent."
	refused(t, w.ConfirmContact(ctx, oncall.ByTimer(), ann, c.ID, "000008", start), wrong)
	refused(t, w.ConfirmContact(ctx, oncall.ByTimer(), bo, c.ID, "000007", start), "That contact method has been removed.")
	refused(t, w.ConfirmContact(ctx, oncall.ByTimer(), ann, c.ID, "000007", start.Add(11*time.Minute)), wrong)
	refused(t, w.TestContacts(ctx, oncall.ByTimer(), ann, []oncall.ContactID{c.ID}, start), "That contact method can't be used yet: it is not verified, or switched off.")
	if err := w.ConfirmContact(ctx, oncall.ByTimer(), ann, c.ID, " 000007 ", start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	refused(t, w.ConfirmContact(ctx, oncall.ByTimer(), ann, c.ID, "000007", start.Add(time.Minute)), wrong) // it is used up
	r := must[oncall.ContactSettings](t)(w.ContactSettings(ctx, oncall.ByTimer(), ann))
	if len(r.Contacts) != 1 || !r.Contacts[0].Usable() || !r.Contacts[0].ConfirmedAt.Equal(start.Add(time.Minute)) {
		t.Errorf("reach: %+v; want one contact method, usable and confirmed at %v", r, start.Add(time.Minute))
	}
	if dir := must[*store.Directory](t)(w.Directory(ctx)); !dir.Roster().Contacts[ann].Contacts[0].Usable() {
		t.Error("the directory doesn't know the confirmed contact method")
	}
	if err := w.TestContacts(ctx, oncall.ByTimer(), ann, []oncall.ContactID{c.ID}, start); err != nil {
		t.Error(err)
	}
}

// Nobody can try all codes, or have a stranger flooded with them.
func TestCodesAreFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	c := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodSMS, "+12025550100", start))
	other := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), bo, oncall.MethodSMS, "+12025550100", start))
	must[store.Proof](t)(w.BeginProof(ctx, c.ID, random(1), start))
	for range 5 {
		refused(t, w.ConfirmContact(ctx, oncall.ByTimer(), ann, c.ID, "999999", start), "That code is not right, or too old. A new one can be sent.")
	}
	refused(t, w.ConfirmContact(ctx, oncall.ByTimer(), ann, c.ID, "000001", start), "That code is not right, or too old. A new one can be sent.")
	must[store.Proof](t)(w.BeginProof(ctx, c.ID, random(2), start))
	must[store.Proof](t)(w.BeginProof(ctx, other.ID, random(3), start))
	must[store.Proof](t)(w.BeginProof(ctx, c.ID, random(4), start))
	const enough = "Enough codes were sent within the hour; please try again later."
	_, err := w.BeginProof(ctx, c.ID, random(5), start)
	refused(t, err, enough)
	refused(t, w.SendProof(ctx, oncall.ByTimer(), ann, c.ID, start.Add(59*time.Minute)), enough)
	must[store.Proof](t)(w.BeginProof(ctx, other.ID, random(6), start)) // Ann's don't count against Bo
	if err := w.SendProof(ctx, oncall.ByTimer(), ann, c.ID, start.Add(61*time.Minute)); err != nil {
		t.Error(err)
	}
}

func TestPreferencesAreKeptAndFollowTheContacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	c := w.addContact(ann, oncall.MethodVoice, "+12025550100")
	if r := must[oncall.ContactSettings](t)(w.ContactSettings(ctx, oncall.ByTimer(), ann)); r.High != nil || r.Low != nil || r.Hours != nil {
		t.Errorf("preferences of somebody who has none: %+v; want no rules and no hours", r.Preferences)
	}
	want := oncall.Preferences{
		High: []oncall.Rule{{}, {Contact: c.ID, After: 120}}, Low: []oncall.Rule{},
		Hours: []schedule.Window{{Days: []schedule.Weekday{"mon"}, From: 8 * 60, To: 12 * 60}},
	}
	if err := w.SetPreferences(ctx, oncall.ByTimer(), ann, want, start); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, must[oncall.ContactSettings](t)(w.ContactSettings(ctx, oncall.ByTimer(), ann)).Preferences); d != "" {
		t.Errorf("mismatch (-want +got):\n%s", d)
	}
	bad := oncall.Preferences{High: []oncall.Rule{{Contact: 99}}}
	refused(t, w.SetPreferences(ctx, oncall.ByTimer(), ann, bad, start), "One of the rules uses a contact method that is no longer there.")
	if err := w.RemoveContact(ctx, oncall.ByTimer(), ann, c.ID, start); err != nil {
		t.Fatal(err)
	}
	r := must[oncall.ContactSettings](t)(w.ContactSettings(ctx, oncall.ByTimer(), ann))
	if len(r.Contacts) != 0 || !cmp.Equal(r.High, []oncall.Rule{{}}) {
		t.Errorf("after the removal: %+v; want no contact methods, and the rules for high severity %v", r, []oncall.Rule{{}})
	}
	w.addContact(ann, oncall.MethodVoice, "+12025550100") // it can come back
}
