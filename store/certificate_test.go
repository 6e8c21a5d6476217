package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// Certificates are shared by all instances, and can't be read without the secret.
func TestCertificatesAreKeptSealed(t *testing.T) {
	t.Parallel()
	pool := storetest.New(t)
	open := func(secrets ...oncall.Secret) *store.System {
		db, err := store.Open(t.Context(), pool.Config().ConnString(), store.Options{MaxConns: 2, Secrets: secrets, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.Close)
		return db
	}
	now := time.Now()
	one, two := open(storetest.Secrets()...), open(storetest.Secrets()...)
	if _, err := one.KeptCertificate(t.Context(), "watchbill.example.com"); !errors.Is(err, store.ErrNoCertificate) {
		t.Errorf("before: %v, want ErrNoCertificate", err)
	}
	for _, data := range []string{"first key", "second key"} {
		if err := one.KeepCertificate(t.Context(), "watchbill.example.com", []byte(data), now); err != nil {
			t.Fatal(err)
		}
		if got, err := two.KeptCertificate(t.Context(), "watchbill.example.com"); err != nil || string(got) != data {
			t.Errorf("another instance reads %q, %v; want %q", got, err, data)
		}
	}
	var stored string
	if err := pool.QueryRow(t.Context(), `SELECT string_agg(sealed, ' ') FROM certificates WHERE sealed LIKE '%key%'`).Scan(&stored); err == nil {
		t.Errorf("the database holds %q, want an error", stored)
	}
	other := open(oncall.Secret("another-secret-that-nobody-had-before-this"))
	if _, err := other.KeptCertificate(t.Context(), "watchbill.example.com"); !errors.Is(err, store.ErrNoCertificate) {
		t.Errorf("with another secret: %v, want ErrNoCertificate", err)
	}
	if err := open().KeepCertificate(t.Context(), "x", nil, now); err == nil {
		t.Error("without a secret a key was stored")
	}
	if err := one.DropCertificate(t.Context(), "watchbill.example.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := two.KeptCertificate(t.Context(), "watchbill.example.com"); !errors.Is(err, store.ErrNoCertificate) {
		t.Errorf("after it was dropped: %v, want ErrNoCertificate", err)
	}
}
