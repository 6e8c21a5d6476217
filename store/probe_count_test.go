package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

const enoughCodes = "Enough codes were sent within the hour; please try again later."

// proofs sends codes until one is refused, and returns how many went and why no more did.
func (w *world) proofs(id oncall.ContactID, now time.Time) (sent int, err error) {
	w.t.Helper()
	for ; sent < 100; sent++ {
		if _, err := w.BeginProof(w.t.Context(), id, random(1), now); err != nil {
			return sent, err
		}
	}
	w.t.Fatal("codes have no end")
	return 0, nil
}

// phoneNotices lists the notices about phones.
func (w *world) phoneNotices() []string {
	w.t.Helper()
	return w.strings(`SELECT recipient || ': ' || array_to_string(ARRAY(SELECT jsonb_array_elements_text(facts -> 'lines')), '') FROM notices WHERE kind = 'phones' ORDER BY id`)
}

// Wrong attempts use up the person's own codes, not those of the address's owner.
func TestVerificationLimitsDoNotLockPeopleOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	for _, c := range []struct {
		method  oncall.Method
		address string
	}{{oncall.MethodEmail, "Shared@example.com"}, {oncall.MethodSMS, "+12025550144"}, {oncall.MethodNtfy, "topic"}} {
		other := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), bo, c.method, c.address, start))
		if sent, err := w.proofs(other.ID, start); sent != 3 {
			t.Errorf("%s: Bo sent %d codes, %v, want 3", c.method, sent, err)
		}
		own := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), di, c.method, c.address, start))
		if sent, err := w.proofs(own.ID, start); sent != 3 {
			t.Errorf("%s: Di got %d codes, %v, want 3", c.method, sent, err)
		}
	}
	// Not even everybody together uses up those of one's own mail address.
	mail := "di@example.com"
	for i := range 8 {
		w.person(oncall.User{ID: oncall.UserID(fmt.Sprint("U0X", i)), TimeZone: "UTC"})
		c, err := w.AddContact(ctx, oncall.ByTimer(), oncall.UserID(fmt.Sprint("U0X", i)), oncall.MethodEmail, mail, start)
		if err == nil {
			_, err = w.proofs(c.ID, start)
		}
		refused(t, err, enoughCodes)
	}
	if n := w.count(`SELECT count(*) FROM codes WHERE lower(address) = $1`, mail); n != 15 {
		t.Errorf("%d codes to one address, want 15", n)
	}
	own := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), di, oncall.MethodEmail, mail, start))
	if sent, err := w.proofs(own.ID, start); sent != 3 {
		t.Errorf("Di's own address got %d codes, %v, want 3", sent, err)
	}
}

// SMS and calls to one number, in any spelling, count together.
func TestPhoneLimitCountsEverySpelling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	sent := 0
	for i, user := range []oncall.UserID{ann, bo, cy, di} {
		method := []oncall.Method{oncall.MethodSMS, oncall.MethodVoice}[i%2]
		c, err := w.AddContact(ctx, oncall.ByTimer(), user, method, []string{"+44 (0)20 7946 0000", "+442079460000"}[i/2], start)
		if err != nil {
			refused(t, err, enoughCodes)
			continue
		}
		n, _ := w.proofs(c.ID, start)
		sent += n
	}
	if sent != 6 {
		t.Errorf("%d codes within an hour, want 6", sent)
	}
	// It never answered.
	c := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), cy, oncall.MethodSMS, "+442079460000", start.Add(2*time.Hour)))
	total := 0
	var last error
	for day := range 10 {
		n := 0
		n, last = w.proofs(c.ID, start.AddDate(0, 0, 1+day))
		total += n
	}
	if total != 6 {
		t.Errorf("%d codes of one person, want 6", total)
	}
	refused(t, last, "Codes went to this number, and none has ever come back: no more are sent for some weeks. Please check the number.")
	if _, err := w.BeginProof(ctx, c.ID, random(1), start.AddDate(0, 0, 45)); err != nil {
		t.Errorf("weeks later: %v", err)
	}
}

func TestTestsAreFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	sms, mail := w.addContact(ann, oncall.MethodSMS, "+12025550100"), w.addContact(ann, oncall.MethodEmail, "ann@example.com")
	now := start.Add(2 * time.Hour)
	all := []oncall.ContactID{0, sms.ID, mail.ID}
	const enough = "You have had 3 tests within the hour; please try again later."
	for i, ids := range [][]oncall.ContactID{all, {mail.ID}, all, all, {0}, {mail.ID}} {
		err := w.TestContacts(ctx, oncall.ByTimer(), ann, ids, now.Add(time.Duration(i)*time.Minute))
		if i < 3 && err != nil {
			t.Errorf("test %d: got the error %v, want none", i, err)
		} else if i >= 3 {
			refused(t, err, enough)
		}
	}
	if n := w.jobs("test_page"); n != 7 {
		t.Errorf("%d messages, want 7", n)
	}
	if err := w.TestContacts(ctx, oncall.ByTimer(), bo, []oncall.ContactID{0}, now); err != nil {
		t.Errorf("Bo's: %v", err)
	}
	if err := w.TestContacts(ctx, oncall.ByTimer(), ann, all, now.Add(61*time.Minute)); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// At once, from several instances: no more than one at a time.
func TestTestsAtOnceAreFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sms := w.addContact(ann, oncall.MethodSMS, "+12025550100")
	now := start.Add(2 * time.Hour)
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			_ = w.another().TestContacts(context.WithoutCancel(t.Context()), oncall.ByTimer(), ann, []oncall.ContactID{sms.ID}, now.Add(time.Duration(i)*time.Second))
		})
	}
	all.Wait()
	if n := w.jobs("test_page"); n != 3 {
		t.Errorf("%d tests, want 3", n)
	}
}

// Messages to phones are limited per day over all people and numbers, and admins are warned before the limit.
func TestPhonesADayAreFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	sent := 0
	var last error
	for i := range 40 {
		user := oncall.UserID(fmt.Sprintf("U0X%d", i))
		w.person(oncall.User{ID: user, TimeZone: "UTC"})
		for k := range 2 {
			c, err := w.AddContact(ctx, oncall.ByTimer(), user, oncall.MethodVoice, fmt.Sprintf("+1202555%04d", 2*i+k), start)
			if err != nil {
				last = err
				continue
			}
			n := 0
			n, last = w.proofs(c.ID, start)
			sent += n
		}
	}
	if sent != 100 {
		t.Errorf("%d codes, want 100", sent)
	}
	refused(t, last, "All the codes and tests that this installation sends to phones in a day are used up; its admins know. Please try again tomorrow.")
	want := []string{
		"#payments: Half of the 100 codes and tests that go to phones in a day are used up, the last by U0X8.",
		"#payments: The last of the 100 codes and tests that go to phones in a day was sent, by U0X16. No more are sent until tomorrow; pages still are.",
	}
	if got := w.phoneNotices(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := w.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodEmail, "ann@example.com", start); err != nil {
		t.Errorf("mail: %v", err)
	}
	if _, err := w.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodSMS, "+12025559999", start.AddDate(0, 0, 1).Add(time.Minute)); err != nil {
		t.Errorf("the day after: %v", err)
	}
}

// Without a list of countries admins hear of each new one; with one the others are refused, also where they are
// stored.
func TestPhonesOfOtherCountries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.addContact(ann, oncall.MethodSMS, "+12025550100")
	w.addContact(bo, oncall.MethodVoice, "+12025550101")
	african := w.addContact(bo, oncall.MethodVoice, "+252 61 2345678")
	w.addContact(cy, oncall.MethodSMS, "+252 61 2345679")
	want := []string{"#payments: U0BO has added the first phone with a number of another country: SO. WATCHBILL_PHONE_COUNTRIES says which may be used."}
	if got := w.phoneNotices(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("told %q, want %q", got, want)
	}

	rules, err := oncall.ParsePhoneCountries("us DE")
	if err != nil {
		t.Fatal(err)
	}
	strict, err := store.Open(ctx, w.url, store.Options{Log: zerolog.Nop(), Phones: rules, Secrets: storetest.Secrets()})
	if err != nil {
		t.Fatal(err)
	}
	defer strict.Close()
	const refusal = "Phones of this country (SO) can't be used here: an admin has allowed US, DE only."
	_, err = strict.AddContact(ctx, oncall.ByTimer(), di, oncall.MethodSMS, "+252 61 2345670", start)
	refused(t, err, refusal)
	refused(t, strict.TestContacts(ctx, oncall.ByTimer(), bo, []oncall.ContactID{african.ID}, start), refusal)
	refused(t, strict.SendProof(ctx, oncall.ByTimer(), bo, african.ID, start), refusal)
	if _, err := strict.AddContact(ctx, oncall.ByTimer(), di, oncall.MethodSMS, "+49 1512 3456789", start); err != nil {
		t.Errorf("a German phone: %v", err)
	}
	if got := w.phoneNotices(); len(got) != 1 {
		t.Errorf("told %q, want 1 entry", got)
	}
}

// Messages to phones cost money, so the installation's admins are told of them or, without any, the teams.
func TestAdminsAreNotifiedOfPhones(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	add := func(number string) {
		t.Helper()
		must[oncall.Contact](t)(w.AddContact(t.Context(), oncall.ByUser(bo), bo, oncall.MethodSMS, number, start))
	}
	recipients := func(want ...string) {
		t.Helper()
		if got := w.strings(`SELECT DISTINCT recipient FROM notices WHERE kind = 'phones' ORDER BY 1`); !slices.Equal(got, want) {
			t.Errorf("told are %q, want %q", got, want)
		}
	}
	add("+12025550144")
	add("+4915112345678")
	recipients("#payments")
	w.exec(`DELETE FROM notices`)
	w.person(oncall.User{ID: "U0BOSS", Name: "Boss", TimeZone: "UTC", Standing: oncall.FullMember, Owner: true})
	w.forget()
	add("+33612345678")
	recipients("U0BOSS")
}
