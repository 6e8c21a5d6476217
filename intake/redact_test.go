package intake_test

import (
	"bytes"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
)

const testKey = "0123456789abcdef0123456789abcdef"

func redacted(contentType, body string) oncall.Payload {
	return intake.Redact(oncall.Payload{
		Method: http.MethodPost, Path: "/v1/signals/" + testKey, Headers: map[string]string{"Content-Type": contentType}, Body: []byte(body), Size: int64(len(body)),
	}, testKey)
}

// Values with names like secrets', and the key itself, are not stored; everything else is,
// unchanged.
func TestRedactHidesSecrets(t *testing.T) {
	t.Parallel()
	const js, form = "application/json", "application/x-www-form-urlencoded"
	for _, c := range []struct{ kind, body, want string }{
		{js, `{ "title" : "disk",  "n":1.50 }`, `{ "title" : "disk",  "n":1.50 }`},
		{js, `{"routing_key":"R0UT1NG","dedup_key":"d","title":"x"}`, `{"routing_key":"[hidden]","dedup_key":"d","title":"x"}`},
		{js, `{"a":"see ` + testKey + `"}`, `{"a":"see KEY"}`},
		{
			js, `{"service_key" : "s", "apiKey":"s","API-Key":"s","basic_auth_pass":"s","clientSecret":"s","x_token":"s","Password":"s"}`,
			`{"service_key" : "[hidden]", "apiKey":"[hidden]","API-Key":"[hidden]","basic_auth_pass":"[hidden]","clientSecret":"[hidden]","x_token":"[hidden]","Password":"[hidden]"}`,
		},
		{js, `{"headers":{"Authorization":"Basic abc","Accept":"*/*"},"cookies":["a","b"],"pin":1}`, `{"headers":{"Authorization":"[hidden]","Accept":"*/*"},"cookies":["[hidden]","[hidden]"],"pin":1}`},
		{js, `{"credentials":{"user":"u","deep":{"n":12,"ok":true,"no":null}},"title":"x"}`, `{"credentials":{"user":"[hidden]","deep":{"n":"[hidden]","ok":true,"no":null}},"title":"x"}`},
		{js, `{"token":123456,"pass\u0077ord":"s","secret":{},"t":"x"}`, `{"token":"[hidden]","pass\u0077ord":"[hidden]","secret":{},"t":"x"}`},
		{js, `{"Message":"{\"password\":\"s\",\"a\":\"<b>\"}","m":"{\"a\":\"b\"}"}`, `{"Message":"{\"password\":\"[hidden]\",\"a\":\"<b>\"}","m":"{\"a\":\"b\"}"}`},
		{js, `[{"secret":"s`, `[{"secret":"[hidden]"`},
		{js, `{"url":"https://u:p4ss@db.example.com/x?a=1&token=s3&b=2\u0026apikey=s4"}`, `{"url":"https://u:[hidden]@db.example.com/x?a=1&token=[hidden]&b=2\u0026apikey=[hidden]"}`},
		{js, `{"text":"curl -H 'Authorization: Bearer abcdefghij' said no"}`, `{"text":"curl -H 'Authorization: Bearer [hidden]' said no"}`},
		{js, `{"text":"basic monitoring, bearer of news"}`, `{"text":"basic monitoring, bearer of news"}`},
		{
			js, `{"bypass":"yes","compass":"n","keyboard":"de","group_key":"g","key":"env","author":"ann","tokenizer":"t"}`,
			`{"bypass":"yes","compass":"n","keyboard":"de","group_key":"g","key":"env","author":"ann","tokenizer":"t"}`,
		},
		{form, "title=disk&token=s&key=s&user_password=s&data=%7B%22secret%22%3A%22s%22%7D", "title=disk&token=[hidden]&key=[hidden]&user_password=[hidden]&data=%7B%22secret%22%3A%22[hidden]%22%7D"},
		{"text/plain", "disk full\npassword: s\nhost=web-1\n", "disk full\npassword: [hidden]\nhost=web-1\n"},
		{"text/xml", "<a><password>s</password><b x='1'>t</b></a>", "<a><password>[hidden]</password><b x='1'>t</b></a>"},
		{
			"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\ns\r\n--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\ndisk\r\n--b--\r\n",
			"--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n[hidden]\r\n--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\ndisk\r\n--b--\r\n",
		},
	} {
		got := string(redacted(c.kind, c.body).Body)
		if strings.HasPrefix(c.kind, form) {
			got = strings.ReplaceAll(got, "%5Bhidden%5D", "[hidden]")
		}
		if got != c.want {
			t.Errorf("%s\n is kept as %s\n      want %s", c.body, got, c.want)
		}
	}
}

// Besides the body, only parts of a request without secrets are stored.
func TestRedactHidesSecretsInHeaders(t *testing.T) {
	t.Parallel()
	got := intake.Redact(oncall.Payload{
		Method: http.MethodPost, Path: "/v1/signals/" + testKey + "/v2/enqueue", Query: "title=x&api_key=other&routing_key=r&x=" + testKey,
		Headers: map[string]string{"Authorization": "Bearer " + testKey, "Cookie": "c", "X-Api-Key": testKey, "User-Agent": "curl/8\x00 " + testKey, "X-Forwarded-For": "10.0.0.1"},
	}, testKey)
	want := oncall.Payload{
		Method: http.MethodPost, Path: "/v1/signals/KEY/v2/enqueue", Query: "title=x&api_key=[hidden]&routing_key=[hidden]&x=KEY",
		Headers: map[string]string{"User-Agent": "curl/8 KEY"}, Body: []byte{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kept headers (-want +got):\n%s", diff)
	}
}

// A body is cut at 64 KiB, even in the middle of a secret.
func TestRedactTruncatesBodies(t *testing.T) {
	t.Parallel()
	for from := oncall.PayloadLimit - len(testKey) - 2; from <= oncall.PayloadLimit+2; from++ {
		body := `{"title":"` + strings.Repeat("x", from-len(`{"title":"`)) + testKey + strings.Repeat("y", 2_000) + `"}`
		got := redacted("application/json", body)
		if !got.Cut || len(got.Body) > oncall.PayloadLimit || got.Size != int64(len(body)) {
			t.Fatalf("kept %d bytes of %d, cut %v, want it cut at the limit", len(got.Body), got.Size, got.Cut)
		}
		if i := bytes.IndexByte(got.Body, '0'); i >= 0 {
			t.Fatalf("a key at %d leaves %q, want none of it", from, got.Body[i:])
		}
	}
	if got := redacted("", strings.Repeat("x", oncall.PayloadLimit)); got.Cut || len(got.Body) != oncall.PayloadLimit {
		t.Errorf("a body that just fits is cut to %d bytes, want all of it", len(got.Body))
	}
	if _, _, err := intake.Reparse(t.Context(), autoIntegration, oncall.Payload{Body: []byte(`{"title":"x"}`), Cut: true}); err == nil {
		t.Error("a truncated payload was parsed, want an error")
	}
}

// The stored form of each golden payload is parsed as the original was.
func TestReparseGoldenPayloads(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 50 {
		t.Fatalf("got %d files, %v, want at least 50", len(files), err)
	}
	for _, file := range files {
		name, _, _ := strings.Cut(filepath.Base(file), "-")
		kind := oncall.Format(name)
		body := read(t, file)
		signals, from, wrong := intake.Read(kind, body)
		again, fromAgain, err := intake.Reparse(t.Context(), oncall.Integration{Format: kind}, redacted("application/json", string(body)))
		if diff := cmp.Diff(keysOf(signals), keysOf(again)); diff != "" || from != fromAgain || (err == nil) != (wrong == nil) {
			t.Errorf("%s: read as %s, then as %s, %v, want the same (-first +second): %s", file, from, fromAgain, err, diff)
		}
	}
}

var autoIntegration = oncall.Integration{Format: intake.Auto}

// Stored payloads are parsed by the integration's mapping, like new ones, except those sent to
// Opsgenie's addresses.
func TestReparseUsesTheMapping(t *testing.T) {
	t.Parallel()
	in := oncall.Integration{Format: intake.Auto, Mapping: &oncall.Mapping{
		Each: "payload.alarms", Title: "${item.host}: ${item.name}", Severity: "${item.level}", DedupKey: "${item.host}",
	}}
	body := `{"alarms":[{"host":"db-1","name":"disk","level":"critical"},{"host":"db-2","name":"cpu","level":"low"}]}`
	signals, from, err := intake.Reparse(t.Context(), in, redacted("application/json", body))
	want := []oncall.Signal{
		{Action: oncall.Trigger, DedupKey: "db-1", Title: "db-1: disk", Severity: oncall.Critical},
		{Action: oncall.Trigger, DedupKey: "db-2", Title: "db-2: cpu", Severity: oncall.Low},
	}
	if diff := cmp.Diff(want, keysOf(signals)); diff != "" || from != "generic" || err != nil {
		t.Errorf("read as %s, %v, want generic signals by the mapping: %s", from, err, diff)
	}
	pagerduty := oncall.Payload{Reader: intake.ReadPagerDuty, Body: []byte(body)}
	if signals, _, err := intake.Reparse(t.Context(), in, pagerduty); err != nil || len(signals) != 2 {
		t.Errorf("at PagerDuty's address: got %v, %v, want two signals by the mapping", signals, err)
	}
	opsgenie := oncall.Payload{Reader: intake.ReadOpsgenie + "create", Body: []byte(`{"message":"disk","alias":"a"}`)}
	if signals, from, err := intake.Reparse(t.Context(), in, opsgenie); err != nil || from != "opsgenie" || len(signals) != 1 {
		t.Errorf("at Opsgenie's address: got %v as %s, %v, want one signal as opsgenie", signals, from, err)
	}
	if _, _, err := intake.Reparse(t.Context(), in, redacted("application/json", `{"title":"disk"}`)); err == nil || !strings.HasPrefix(err.Error(), "The mapping failed: each: ") {
		t.Errorf("a body that the mapping can't read: got %v, want its error", err)
	}
}

// keysOf returns what matters about signals: key, action and severity.
func keysOf(signals []oncall.Signal) (out []oncall.Signal) {
	for _, s := range signals {
		out = append(out, oncall.Signal{Action: s.Action, DedupKey: s.DedupKey, GroupKey: s.GroupKey, Severity: s.Severity, Title: s.Title})
	}
	return out
}

// A payload sent to one service's address is parsed as that service's.
func TestReparseFollowsTheAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p    oncall.Payload
		want oncall.Signal
		from oncall.Format
	}{
		{oncall.Payload{Reader: intake.ReadPagerDuty, Body: []byte(`{"event_action":"resolve","dedup_key":"d","routing_key":"[hidden]"}`)}, oncall.Signal{Action: oncall.Clear, DedupKey: "d"}, "pagerduty"},
		{oncall.Payload{Reader: intake.ReadOpsgenie + "close", Keys: []string{"alias"}, Body: []byte(`{}`)}, oncall.Signal{Action: oncall.Clear, DedupKey: "alias"}, "opsgenie"},
		{oncall.Payload{Reader: intake.ReadOpsgenie + "create", Body: []byte(`{"message":"disk","alias":"a","priority":"P1"}`)}, oncall.Signal{Action: oncall.Trigger, DedupKey: "a", Title: "disk", Severity: oncall.Critical}, "opsgenie"},
		{oncall.Payload{Query: "title=disk&dedup_key=d&severity=low&key=[hidden]"}, oncall.Signal{Action: oncall.Trigger, DedupKey: "d", Title: "disk", Severity: oncall.Low}, "generic"},
		{
			oncall.Payload{Headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, Body: []byte("title=disk&dedup_key=d&status=ok")},
			oncall.Signal{Action: oncall.Clear, DedupKey: "d", Title: "disk"},
			"generic",
		},
	} {
		signals, from, err := intake.Reparse(t.Context(), autoIntegration, c.p)
		if err != nil || from != c.from || len(signals) == 0 {
			t.Errorf("%+v: got %v as %s, %v, want signals as %s", c.p, signals, from, err, c.from)
			continue
		}
		got := keysOf(signals)[0]
		if c.want.Severity == "" {
			got.Severity = ""
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got): %s", c.p, diff)
		}
	}
}

// FuzzRedact looks for a body that keeps the key or becomes too large.
func FuzzRedact(f *testing.F) {
	for _, body := range []string{`{"a":"` + testKey + `"}`, `{"x":"{\"password\":\"` + testKey + `\"}"}`, "token=" + testKey, "password: x\n<secret>y</secret>", `{"url":"http://a:b@c/?token=x"`} {
		f.Add("application/json", []byte(body))
		f.Add("application/x-www-form-urlencoded", []byte(body))
		f.Add("multipart/form-data; boundary=b", []byte(body))
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		p := intake.Redact(oncall.Payload{Method: "POST", Path: string(body), Query: string(body), Headers: map[string]string{"Content-Type": contentType}, Body: body}, testKey)
		if len(p.Body) > oncall.PayloadLimit || len(p.Path) > 2_000 || len(p.Query) > 8_000 {
			t.Errorf("kept %d bytes of a body, %d of a path, %d of a query, want them within the limits", len(p.Body), len(p.Path), len(p.Query))
		}
		for _, text := range []string{string(p.Body), p.Path, p.Query, p.Headers["Content-Type"]} {
			if strings.Contains(text, testKey) {
				t.Errorf("the key is in %q, want it hidden", text)
			}
		}
		_, _, _ = intake.Reparse(t.Context(), autoIntegration, p)
	})
}

func BenchmarkRedact(b *testing.B) {
	body := read(b, "testdata/alertmanager-firing.json")
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		redacted("application/json", string(body))
	}
}
