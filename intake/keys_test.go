package intake_test

import (
	"bytes"
	"testing"

	"github.com/watchbill/watchbill/intake"
)

// TestDifferentAlertsHaveDifferentKeys changes what a payload is about: one alert's end must not end another.
func TestDifferentAlertsHaveDifferentKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ file, about, another string }{
		{"azure-4-opens", "shop-eu", "shop-us"},
		{"azure-4-opens", `"value": "orders"`, `"value": "invoices"`},
		{"azure-6-opens", "virtualmachines/db-1", "virtualmachines/db-2"},
		{"cloudwatch-5-opens", "shop-deploy", "wiki-deploy"},
		{"datadog-3-opens", "host:web-1", "host:web-2"},
		{"datadog-0-tested", "[TEST] ", ""},
		{"github-2-opens", "production", "staging"},
		{"github-3-opens", "ci/tests", "ci/lint"},
		{"github-0-fork", "di/web", "shop/web"},
		{"sentry-2-opens", `"id": "7"`, `"id": "8"`},
		{"sns-0-database", "shop-db", "wiki-db"},
		{"statuscake-2-opens", "Shop", "Wiki"},
		{"zabbix-3-opens", "14032", "14033"},
		{"generic-influxdb-1-opens", `"host": "web-1"`, `"host": "web-2"`},
		{"generic-jenkins-1-opens", "job/shop/", "job/wiki/job/shop/"},
		{"generic-kibana-1-opens", `"id": "web-1"`, `"id": "web-2"`},
		{"generic-librenms-1-opens", "sw-1", "sw-2"},
		{"generic-uptimerobot-0-certificate", `"alertType": "3"`, `"alertType": "1"`},
		{"generic-updownssl-1-opens", "check.ssl_invalid", "check.down"},
		{"generic-honeybadger-2-opens", `"id": "s1"`, `"id": "s2"`},
		{"generic-statuspage-2-opens", `"id": "r6"`, `"id": "r7"`},
	} {
		body := read(t, "testdata/"+tt.file+".json")
		changed := bytes.ReplaceAll(body, []byte(tt.about), []byte(tt.another))
		if bytes.Equal(body, changed) {
			t.Errorf("%s has no %s", tt.file, tt.about)
		}
		one, _, err := intake.Read(intake.Auto, body)
		other, _, bad := intake.Read(intake.Auto, changed)
		if err != nil || bad != nil || one[0].DedupKey == other[0].DedupKey {
			t.Errorf("%s: %q also with %s instead of %s (%v, %v)", tt.file, one[0].DedupKey, tt.another, tt.about, err, bad)
		}
	}
}

// A body that only vaguely resembles a monitor's payload is read by its own fields.
func TestTypeAndHostAreNotNagios(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"title":"Disk full","host":"db-1","type":"disk"}`:                               "Disk full",
		`{"message":"Queue too long","host":"db-1","type":"warning","output":"x"}`:        "Queue too long",
		`{"_type":"threshold","host":"web-1","_message":"CPU is critical","_level":"ok"}`: "CPU is critical",
	} {
		signals, took, err := intake.Read(intake.Auto, []byte(body))
		if err != nil || took != "generic" || signals[0].Title != want {
			t.Errorf("%s: read as %s: %+v, %v, want generic with the title %q", body, took, signals, err, want)
		}
	}
}
