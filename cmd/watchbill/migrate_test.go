package main

import (
	"bytes"
	"regexp"
	"testing"
	"time"

	"github.com/watchbill/watchbill/migrations"
	"github.com/watchbill/watchbill/store/storetest"
)

// A dry run prints what migrate would do, and does nothing.
func TestMigrateDryRun(t *testing.T) {
	t.Parallel()
	empty, current := storetest.NewEmpty(t), storetest.New(t)
	for _, c := range []struct {
		url, want string
	}{
		{empty.Config().ConnString(), `(?s)^The database is at version 0, this program needs \d+\. Nothing has been changed\.
.*
00002_facts: an instant
  CREATE TABLE users \(.*
No step holds anybody up for more than an instant`},
		{current.Config().ConnString(), `^Nothing to do: the database is at version \d+, as this program needs\.\n$`},
	} {
		var out, errs bytes.Buffer
		p := process{ctx: t.Context(), out: &out, errOut: &errs, clock: time.Now}
		if code := p.run([]string{"migrate", "--dry-run", "--database-url", c.url}); code != 0 {
			t.Fatalf("exit status %d: %s, want 0", code, &errs)
		}
		if !regexp.MustCompile(c.want).MatchString(out.String()) {
			t.Errorf("migrate --dry-run prints\n%s\nwant\n%s", &out, c.want)
		}
	}
	if at, _, err := migrations.Status(t.Context(), empty); err != nil || at != 0 {
		t.Errorf("after a dry run the database is at %d: %v, want 0", at, err)
	}
}

func TestEstimateIsRounded(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "an instant", 999 * time.Millisecond: "an instant", 1400 * time.Millisecond: "about 1 s", 10 * time.Minute: "about 10 minutes",
	} {
		if got := about(d); got != want {
			t.Errorf("about(%s) = %q; want %q", d, got, want)
		}
	}
}
