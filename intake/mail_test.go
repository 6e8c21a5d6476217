package intake_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

func mailOf(subject string) oncall.Signal {
	return intake.Mail([]byte("From: monitor@example.com\r\nSubject: " + subject + "\r\n\r\nthe text\r\n"))
}

// A subject opens an alert, and the mail about its end has the same key.
func TestMailSubjects(t *testing.T) {
	t.Parallel()
	for begin, end := range map[string]string{
		"** PROBLEM Service Alert: db-1/Disk is CRITICAL **":         "** RECOVERY Service Alert: db-1/Disk is OK **",
		"** PROBLEM Host Alert: db-1 is DOWN **":                     "** RECOVERY Host Alert: db-1 is UP **",
		"Problem: Free disk space is less than 20% on volume /":      "Resolved: Free disk space is less than 20% on volume /",
		"Problem: Free disk space is less than 10% on volume /":      "Resolved in 1h 5m 2s: Free disk space is less than 10% on volume /",
		"=?utf-8?q?=5Bcheckout=5D_=5B=F0=9F=94=B4_Down=5D_timeout?=": "=?utf-8?q?=5Bcheckout=5D_=5B=E2=9C=85_Up=5D_200_-_OK?=",
		`ALARM: "cpu" in EU (Ireland)`:                               `OK: "cpu" in EU (Ireland)`,
		"[FIRING:1] DiskFull (db-1)":                                 "[RESOLVED] DiskFull (db-1)",
		"[Alerting] CPU of web-1":                                    "[OK] CPU of web-1",
		"shop is down":                                               "shop is back up",
		"DOWN alert: shop (example.com) is DOWN":                     "UP alert: shop (example.com) is UP",
		"backup of db-1 failed":                                      "backup of db-1 succeeded",
		"Re: Re: [Triggered] Queue is long":                          "Re: [Recovered] Queue is long",
		"WARNING - load on web-1":                                    "RECOVERED - load on web-1",
		"Check_MK: web-1/CPU load OK -> CRIT":                        "Check_MK: web-1/CPU load CRIT -> OK",
		"=?utf-8?q?St=C3=B6rung=3A?= x =?iso-8859-1?q?=E4?= DOWN":    "=?utf-8?b?U3TDtnJ1bmc6IHggw6Q=?= is UP",
	} {
		fires, over := mailOf(begin), mailOf(end)
		if fires.Action != oncall.Trigger || over.Action != oncall.Clear {
			t.Errorf("got %q as %s, %q as %s, want %s and %s", begin, fires.Action, end, over.Action, oncall.Trigger, oncall.Clear)
		}
		if fires.DedupKey != over.DedupKey || fires.DedupKey == "" {
			t.Errorf("got %q with key %q, %q with %q, want the same key", begin, fires.DedupKey, end, over.DedupKey)
		}
	}
}

// An ambiguous subject pages, and different subjects have different keys.
func TestAmbiguousMailSubjectsPage(t *testing.T) {
	t.Parallel()
	keys := map[string]string{}
	for _, subject := range []string{
		"port 443 closed", "Closed connections on db-1", "replica inactive", "PROBLEM ticket 7 was closed", "health check is not ok", "not OK: db-1",
		"db-1 has partially recovered", "failed to get it resolved", "backup of db-1 missing", "no normal log line for an hour", "disk full", "scaling up",
		"CRITICAL", "Fixed price feed stopped", "Host web is DOWN", "Service web is DOWN",
	} {
		s := mailOf(subject)
		if s.Action != oncall.Trigger || s.Title != subject {
			t.Errorf("%q: got %s %q, want a trigger with the whole subject", subject, s.Action, s.Title)
		}
		if other, twice := keys[s.DedupKey]; twice {
			t.Errorf("%q and %q have one key, want two", subject, other)
		}
		keys[s.DedupKey] = subject
	}
	if s := mailOf("Updated problem in 5m 2s: disk full"); s.Action != oncall.Update || s.DedupKey != keyOf(keys, "disk full") {
		t.Errorf("an update by a person in Zabbix: got %+v, want an update of the problem", s)
	}
	if s := mailOf("** ACKNOWLEDGEMENT Service Alert: db-1/Disk is CRITICAL **"); s.Action != oncall.AckSignal || s.DedupKey != mailOf("** PROBLEM Service Alert: db-1/Disk is CRITICAL **").DedupKey {
		t.Errorf("got %+v, want an acknowledgement of the problem", s)
	}
}

func keyOf(keys map[string]string, subject string) string {
	for key, of := range keys {
		if of == subject {
			return key
		}
	}
	return ""
}

func TestMailBodies(t *testing.T) {
	t.Parallel()
	multi := "From: \"M\" <m@example.com>\r\nSubject: CRITICAL: disk\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" +
		"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=windows-1252\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
		"<p>Disk =80 5</p><p>second</p>\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nRGlzayDigqwgNQ==\r\n--b--\r\n--a\r\n" +
		"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=x.txt\r\n\r\nattached\r\n--a--\r\n"
	html := strings.Replace(multi, "text/plain; charset=utf-8", "image/png", 1)
	for name, c := range map[string]struct{ raw, title, body, severity string }{
		"plain":              {"Subject: disk\r\n\r\n98 %\r\n", "disk", "98 %", ""},
		"text of several":    {multi, "CRITICAL: disk", "Disk € 5", "critical"},
		"HTML of several":    {html, "CRITICAL: disk", "Disk € 5\nsecond", "critical"},
		"no subject":         {"From: a@example.com\r\n\r\nthe first line\r\nthe second\r\n", "the first line", "the first line\nthe second", ""},
		"headers of ours":    {"Subject: disk\r\nX-Severity: low\r\nX-Dedup-Key: k-1\r\n\r\nx", "disk", "x", "low"},
		"a boundary missing": {"Subject: disk\r\nContent-Type: multipart/mixed\r\n\r\nx", "disk", "", ""},
		"an odd charset":     {"Subject: disk\r\nContent-Type: text/plain; charset=klingon\r\n\r\nx", "disk", "x", ""},
	} {
		s := intake.Mail([]byte(c.raw))
		if s.Title != c.title || s.Body != c.body {
			t.Errorf("%s: got the title %q and the text %q, want %q and %q", name, s.Title, s.Body, c.title, c.body)
		}
		if s.Action != oncall.Trigger || string(s.Severity) != c.severity {
			t.Errorf("%s: got %s of severity %q, want %s of %q", name, s.Action, s.Severity, oncall.Trigger, c.severity)
		}
	}
	if s := intake.Mail([]byte("Subject: disk\r\nX-Dedup-Key: k-1\r\n\r\nx")); s.DedupKey != "k-1" {
		t.Errorf("the key is %q, want %q", s.DedupKey, "k-1")
	}
	for _, raw := range []string{"", "no header", "From: a@example.com\r\n\r\n \r\n", "\x00\xff"} {
		if s := intake.Mail([]byte(raw)); !s.Unread || s.Action != oncall.Trigger || s.Title == "" {
			t.Errorf("%q: got %+v, want an unread trigger", raw, s)
		}
	}
}

// FuzzMail looks for a mail that crashes the reader, costs too much, or can't be stored.
func FuzzMail(f *testing.F) {
	f.Add([]byte("Subject: =?utf-8?b?U3Q=?= is OK\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nx\r\n--a--\r\n"))
	f.Add([]byte("Content-Type: text/html; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA"))
	f.Add(bytes.Repeat([]byte("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n"), 20))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := intake.Mail(raw)
		if s.Title == "" || s.DedupKey == "" && s.Action != oncall.Trigger {
			t.Errorf("got %s with the title %.200q and key %.200q, want both", s.Action, s.Title, s.DedupKey)
		}
		if !utf8.ValidString(s.Title + s.Body + s.DedupKey) {
			t.Errorf("got %.200q, %.200q, %.200q, want valid UTF-8", s.Title, s.Body, s.DedupKey)
		}
		if len(s.Title) > 4_000 || len(s.Body) > 1<<18 {
			t.Errorf("got a title of %d bytes and a text of %d, want at most 4000 and %d", len(s.Title), len(s.Body), 1<<18)
		}
	})
}
