package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// Data sealed with a replaced secret is sealed again, so that the old secret can be removed.
func TestSigningSecretsOutliveTheSecretThatSealsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name := w.strings(`SELECT name FROM integrations WHERE id > 0 ORDER BY id LIMIT 1`)[0]
	until, err := w.SignIntegration(w.t.Context(), oncall.ByTimer(), name, "the first of theirs", w.clock())
	if err != nil || until != nil {
		t.Fatalf("the first: %v, %v, want nil", until, err)
	}
	until, err = w.SignIntegration(w.t.Context(), oncall.ByTimer(), name, "the next of theirs", w.clock())
	if err != nil || until == nil || !until.Equal(w.clock().Add(store.OldSigningSecretLives)) {
		t.Fatalf("the next: %v, %v; want the old secret good until %s", until, err, w.clock().Add(store.OldSigningSecretLives))
	}
	next := append(must[[]oncall.Secret](t)(oncall.ParseSecrets(strings.Repeat("next", 10))), storetest.Secrets()...)
	s := must[*store.System](t)(store.Open(w.t.Context(), w.url, store.Options{Secrets: next}))
	t.Cleanup(s.Close)
	for range 2 { // the second time there is nothing to do
		if err := s.ResealSigning(w.t.Context(), w.clock()); err != nil {
			t.Fatal(err)
		}
		for i, sealed := range w.strings(`SELECT unnest(ARRAY[sign_secret, sign_before]) FROM integrations WHERE sign_secret <> ''`) {
			plain, ok := oncall.Unseal(next[:1], sealed)
			if want := []string{"the next of theirs", "the first of theirs"}[i]; !ok || plain != want {
				t.Errorf("%q, %v; want %q", plain, ok, want)
			}
		}
	}
	none := must[*store.System](t)(store.Open(w.t.Context(), w.url, store.Options{}))
	t.Cleanup(none.Close)
	if _, err := none.SignIntegration(w.t.Context(), oncall.ByTimer(), name, "another of theirs", w.clock().Add(time.Minute)); err == nil || !strings.Contains(err.Error(), "WATCHBILL_SECRET has to be set") {
		t.Errorf(`without WATCHBILL_SECRET: %v; want an error containing "WATCHBILL_SECRET has to be set"`, err)
	}
}
