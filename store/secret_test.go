package store_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

var (
	oneSecret   = oncall.Secret(oncall.NewSecret([32]byte{1}))
	otherSecret = oncall.Secret(oncall.NewSecret([32]byte{2}))
)

// instance opens a store with these secrets, which it noted at an instant.
func (w *world) instance(at time.Time, want store.SecretState, secrets ...oncall.Secret) *store.System {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), w.url, store.Options{MaxConns: 4, Secrets: secrets, Log: zerolog.Nop()})
	w.check(err)
	w.t.Cleanup(s.Close)
	if got := must[store.SecretState](w.t)(s.UseSecrets(w.t.Context(), at)); got != want {
		w.t.Errorf("the state of the secrets is %d, want %d", got, want)
	}
	return s
}

// storedKey returns a signing key as the release before this one makes it.
func (w *world) storedKey(n byte, at time.Time) []byte {
	key := bytes.Repeat([]byte{n}, 32)
	w.exec(`INSERT INTO signing_keys (secret, created_at) VALUES ($1, $2)`, key, at)
	return key
}

// reads reports whether a store accepts a token as Ann's.
func (w *world) reads(s *store.System, token string, at time.Time) bool {
	m, err := s.ReadToken(w.t.Context(), token, at)
	return err == nil && m.User == ann && len(m.Incidents) == 1 && m.Incidents[0].ID == 1
}

// opens reports whether a key opens a token.
func opens(key []byte, token string, at time.Time) bool {
	_, err := oncall.OpenToken([][]byte{key}, token, at)
	return err == nil
}

func sign(key []byte, at time.Time) string {
	return oncall.SignToken(key, oncall.Claim{Page: 1, User: ann, Expires: at.Add(time.Hour)})
}

// The release before this one knows no secret. During a roll both run, and each accepts what the other has made.
// After it, reading the database doesn't let anybody forge a token.
func TestRollingUpgradeToFirstSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	ctx := t.Context()
	stored := w.storedKey(1, start.Add(-24*time.Hour))
	s := w.instance(start, store.SecretSet, oneSecret)
	token := func(s *store.System, at time.Time) string {
		return must[string](t)(s.Token(ctx, 1, ann, [32]byte{3}, at))
	}
	if made := token(s, start); !opens(stored, made, start) {
		t.Error("the release before can't read what this one signs during the roll")
	} else if !w.reads(s, made, start) {
		t.Error("this release can't read what it signs itself during the roll")
	}
	if !w.reads(s, sign(stored, start), start) {
		t.Error("this release can't read what the one before signs")
	}
	c := must[oncall.Contact](t)(s.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodSMS, "+12025550100", start))
	proof := must[store.Proof](t)(s.BeginProof(ctx, c.ID, random(7), start))
	if n := w.count(`SELECT count(*) FROM codes WHERE hash = sha256($1)`, []byte("1/000007")); n != 1 || proof.Sealed != "000007" {
		t.Errorf(`the release before can't check the code: %d, %q; want n 1 and "000007"`, n, proof.Sealed)
	}

	settled := start.Add(15 * time.Minute)
	later := w.instance(settled, store.SecretSet, oneSecret)
	made := token(s, settled)
	if opens(stored, made, settled) {
		t.Error("after the roll a link is signed with the key in the database, want it signed with the secret")
	}
	if !opens(oneSecret.TokenKey(), made, settled) {
		t.Error("after the roll the secret doesn't open a new link")
	}
	if !w.reads(later, made, settled) {
		t.Error("an instance that started after the roll can't read a new link")
	}
	over := settled.Add(48 * time.Hour)
	for name, s := range map[string]*store.System{"an instance of the roll": s, "one that started after it": later} {
		if !w.reads(s, sign(stored, settled), settled) {
			t.Errorf("%s: links of the roll stop working", name)
		}
		if w.reads(s, sign(stored, over), over) {
			t.Errorf("%s: whoever reads the database can still forge a link, two days after the roll", name)
		}
	}
	if last := w.instance(over, store.SecretSet, oneSecret); !w.reads(last, token(last, over), over) {
		t.Error("an instance can't read the link that it has signed")
	}
	if n := w.count(`SELECT count(*) FROM signing_keys`); n != 0 {
		t.Errorf("%d keys are kept for nothing, want 0", n)
	}
}

// While a secret is replaced, instances that have the new one and those that don't read each other's links.
func TestSecretIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	token := func(s *store.System, at time.Time) string {
		return must[string](t)(s.Token(t.Context(), 1, ann, [32]byte{3}, at))
	}
	before := w.instance(start, store.SecretSet, oneSecret)
	if !opens(oneSecret.TokenKey(), token(before, start), start) {
		t.Error("a new installation doesn't use its secret at once")
	}
	both := w.instance(start, store.SecretSet, otherSecret, oneSecret)
	if made := token(both, start); !w.reads(before, made, start) || !w.reads(both, made, start) {
		t.Error("those that don't know the new secret yet can't read its links")
	}
	settled := start.Add(15 * time.Minute)
	made := token(both, settled)
	if !opens(otherSecret.TokenKey(), made, settled) || !w.reads(both, token(before, settled), settled) {
		t.Error("once the new secret has settled: want links signed with it, and links of the old one still accepted")
	}
	alone := w.instance(settled, store.SecretSet, otherSecret)
	if !w.reads(alone, made, settled) || w.reads(alone, token(before, settled), settled) {
		t.Error("a link of the secret that is gone is accepted, or one of the new secret refused")
	}
	third := oncall.Secret(oncall.NewSecret([32]byte{3}))
	fresh := w.instance(settled, store.SecretOther, third) // the others are known to somebody
	if made := token(fresh, settled); !opens(third.TokenKey(), made, settled) {
		t.Error("a secret that stands alone isn't used at once")
	}
}

// Without a secret, as after an upgrade, what exists still works, and nothing new is made.
func TestWithoutASecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	ctx := t.Context()
	s := w.instance(start, store.SecretMissing)
	if _, err := s.Token(ctx, 1, ann, [32]byte{1}, start); err == nil || !strings.Contains(err.Error(), "WATCHBILL_SECRET") {
		t.Errorf(`a key is made: %v; want an error containing "WATCHBILL_SECRET"`, err)
	}
	stored := w.storedKey(1, start.Add(-40*24*time.Hour))
	if made := must[string](t)(s.Token(ctx, 1, ann, [32]byte{1}, start)); !opens(stored, made, start) || !w.reads(s, made, start) {
		t.Error("without a secret, links are not signed with the stored key")
	}
	newer := w.storedKey(2, start.Add(-time.Minute)) // by the release before, beside this one
	if !w.reads(s, sign(newer, start), start) || !w.reads(s, sign(stored, start), start) {
		t.Error("a link of the release before is refused")
	}
	_, err := s.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodSMS, "+12025550100", start)
	refused(t, err, "No code can be sent: an admin has to set WATCHBILL_SECRET first (`watchbill secret new` makes one).")
	c := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodSMS, "+12025550100", start))
	_, err = s.BeginProof(ctx, c.ID, random(1), start)
	if _, ok := err.(oncall.Refusal); !ok { //nolint:errorlint // as it is
		t.Errorf("got the error %v, want a bare Refusal", err)
	}
	w.exec(`INSERT INTO codes (contact_id, method, address, hash, tries, sent_at) VALUES ($1, 'sms', '+12025550100', sha256($2), 0, $3)`, c.ID, fmt.Appendf(nil, "%d/000007", c.ID), start)
	w.check(s.ConfirmContact(ctx, oncall.ByTimer(), ann, c.ID, "000007", start))
	w.instance(start, store.SecretSet, oneSecret)
	w.instance(start, store.SecretGone)
}

// Whoever can compute hashes finds six digits in a second. A code that is to be sent by Telegram
// waits in a notice until it is sent.
func TestCodesAreNotReadFromTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	c := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodTelegram, "", start))
	proof := must[store.Proof](t)(w.BeginProof(ctx, c.ID, random(7), start))
	if n := w.count(`SELECT count(*) FROM codes WHERE hash = sha256($1)`, fmt.Appendf(nil, "%d/%s", c.ID, proof.Code)); n != 0 {
		t.Errorf("the hash needs no secret: got %v, want 0", n)
	}
	w.check(w.Notify(ctx, start, oncall.Notice{Key: "k", To: string(ann), Kind: oncall.NoticeProof, Detail: oncall.NoticeDetail{Method: oncall.MethodTelegram, Note: proof.Sealed}}))
	if n := w.count(`SELECT count(*) FROM notices WHERE facts::text LIKE '%' || $1 || '%'`, proof.Code); n != 0 {
		t.Errorf("the notice has the code: got %v, want 0", n)
	}
	id := oncall.NoticeID(w.count(`SELECT id FROM notices`))
	if told := must[store.NoticeDrawing](t)(w.BeginNotice(ctx, id, start)); told.Notice.Detail.Note != proof.Code {
		t.Errorf("told: %q, want %q", told.Notice.Detail.Note, proof.Code)
	}
	if _, err := w.instance(start, store.SecretSet, otherSecret).BeginNotice(ctx, id, start); err == nil {
		t.Error("what was sealed with one secret is opened with another")
	}
}

func TestNewCodeReplacesOldCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	c := must[oncall.Contact](t)(w.AddContact(ctx, oncall.ByTimer(), ann, oncall.MethodSMS, "+12025550100", start))
	old := must[store.Proof](t)(w.BeginProof(ctx, c.ID, random(1), start))
	fresh := must[store.Proof](t)(w.BeginProof(ctx, c.ID, random(2), start.Add(time.Minute)))
	refused(t, w.ConfirmContact(ctx, oncall.ByTimer(), ann, c.ID, old.Code, start.Add(time.Minute)), "That code is not right, or too old. A new one can be sent.")
	w.check(w.ConfirmContact(ctx, oncall.ByTimer(), ann, c.ID, fresh.Code, start.Add(time.Minute)))
}
