package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
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

// An account that may not create tables is told what it lacks.
func TestMigrateByAnAccountThatOwnsNothing(t *testing.T) {
	t.Parallel()
	pool := storetest.NewEmpty(t)
	role := fmt.Sprintf("nobody_%d", os.Getpid())
	for _, statement := range []string{`CREATE ROLE ` + role, `REVOKE CREATE ON SCHEMA public FROM PUBLIC`} {
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := pool.Exec(context.Background(), `DROP ROLE `+role); err != nil {
			t.Error(err)
		}
	})
	address, err := url.Parse(pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	values := address.Query()
	values.Set("options", "-c role="+role)
	address.RawQuery = strings.ReplaceAll(values.Encode(), "+", "%20")
	var out bytes.Buffer
	p := process{ctx: t.Context(), out: &out, errOut: &out, clock: time.Now}
	if code := p.run([]string{"migrate", "--database-url", address.String()}); code != 1 || !strings.Contains(out.String(), "the account must own the database: ALTER DATABASE") {
		t.Errorf("migrate ended with %d %s, want 1 and that the account must own the database", code, &out)
	}
}

func TestPasswordsThatAreNotEncoded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address string
		ok      bool
	}{
		{"postgres://watchbill:hush/1@db.example.com/watchbill", false},
		{"postgres://watchbill:12/hush@db.example.com/watchbill", false},
		{"postgres://watchbill:hush#1@db.example.com/watchbill", false},
		{"postgres://watchbill:hush@1#2@db.example.com/watchbill", false},
		{"postgres://watchbill:hush@1/2@db.example.com/watchbill", false},
		{"postgres://watchbill:12?hush@db.example.com/watchbill", false},
		{"postgres://watchbill:hush%2F%23%40@db.example.com/watchbill?application_name=a@b", true},
		{"postgres://watchbill:hush@db1.example.com:5432,db2.example.com:5432/watchbill", true},
		{"host=db.example.com user=watchbill password=a/b@c dbname=watchbill", true},
		{"postgres:///watchbill?host=/var/run/postgresql", true},
	} {
		wrong := databaseFlags{c.address}.problems()
		if (len(wrong) == 0) != c.ok {
			t.Errorf("the problems of %s are %q, want none: %t", c.address, wrong, c.ok)
		}
		if !c.ok && (!strings.Contains(wrong[0], "percent-encoded") || strings.Contains(wrong[0], "hush")) {
			t.Errorf("the problem is %q, want how a password is written, without it", wrong[0])
		}
	}
}
