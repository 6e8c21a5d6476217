package notify_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/notify/notifytest"
)

var silenceLabels = map[string]string{"alertname": "Disk \"full\"", "path": `C:\x, y=1`}

func testSilence(clock func() time.Time) notify.Silence {
	return notify.Silence{
		Labels: silenceLabels, From: clock(), Until: clock().Add(time.Hour), By: "Ann", Says: "Watchbill incident #7, acknowledged by Ann (TOKEN)", Token: "TOKEN",
	}
}

func newSilencer(t *testing.T) (*notify.Alertmanager, *notifytest.Alertmanager) {
	t.Helper()
	am := notifytest.NewAlertmanager(time.Now)
	t.Cleanup(am.Close)
	config := notify.AlertmanagerConfig{Rules: loopbackRules(), Auth: strings.Replace(am.URL, "//", "//watchbill:p%2Css@", 1)}
	if wrong := config.Problems(); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	return notify.NewAlertmanager(config), am
}

func TestAlertmanagerIsSilencedOnce(t *testing.T) {
	t.Parallel()
	a, am := newSilencer(t)
	s := testSilence(time.Now)
	am.Fail("cut")
	if _, err := a.Silence(t.Context(), am.URL, s); err == nil || strings.Contains(err.Error(), "p,ss") || strings.Contains(err.Error(), am.URL) {
		t.Fatalf("it hung up: got %v, want an error without \"p,ss\" and without %v", err, am.URL)
	}
	am.Fail("")
	s.Doubt, s.Until = true, s.Until.Add(time.Hour)
	id, err := a.Silence(t.Context(), am.URL, s)
	must(t, err)
	all := am.Silences()
	if len(all) != 1 || all[0].ID != id {
		t.Fatalf("the silences are %+v, want %s alone", all, id)
	}
	if got := all[0]; !got.EndsAt.Equal(s.Until) || got.CreatedBy != "Ann" {
		t.Fatalf("the silence is %+v, want one of Ann until %s", got, s.Until)
	}
	if am.Auth() != "Basic d2F0Y2hiaWxsOnAsc3M=" {
		t.Errorf("Authorization: %s, want %s", am.Auth(), "Basic d2F0Y2hiaWxsOnAsc3M=")
	}
	for range 2 { // what has ended is no error
		must(t, a.EndSilence(t.Context(), am.URL, notify.Silence{ID: id}))
	}
	if all := am.Silences(); all[0].Status["state"] != "expired" {
		t.Errorf("silences %+v, want the first expired", all)
	}
	must(t, a.EndSilence(t.Context(), am.URL, notify.Silence{ID: "00000000-0000-4000-8000-000000000099"}))

	s.ID, s.Doubt = "00000000-0000-4000-8000-000000000099", false // Alertmanager has lost it
	again, err := a.Silence(t.Context(), am.URL, s)
	must(t, err)
	if again == "" || again == s.ID {
		t.Errorf("silence made again: got id %q, want a new one", again)
	}
}

func TestAlertmanagerReportsFiringAlerts(t *testing.T) {
	t.Parallel()
	a, am := newSilencer(t)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(hook.Close)
	am.Hook = hook.URL
	fires := func(want bool) {
		t.Helper()
		got, err := a.IsFiring(t.Context(), am.URL, silenceLabels)
		must(t, err)
		if got != want {
			t.Errorf("fires: %v, want %v", got, want)
		}
	}
	must(t, am.Alert(map[string]string{"alertname": silenceLabels["alertname"], "path": silenceLabels["path"], "more": "x"}, true))
	fires(false) // another alert, with a label more
	must(t, am.Alert(silenceLabels, true))
	fires(true)
	must(t, am.Alert(silenceLabels, false))
	fires(false)
}

// A password goes to the server for which it was set, whatever address a manager names.
func TestAlertmanagerPasswordStaysAtItsServer(t *testing.T) {
	t.Parallel()
	a, _ := newSilencer(t)
	var got []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
		http.Error(w, `ignore <!channel> {"silenceID":"x"}`, http.StatusUnauthorized)
	}))
	t.Cleanup(other.Close)
	_, err := a.Silence(t.Context(), other.URL, testSilence(time.Now))
	if !slices.Equal(got, []string{""}) {
		t.Errorf("another server got the passwords %q, want one request without", got)
	}
	if err == nil || err.Error() != "Alertmanager answered 401" {
		t.Errorf("got the error %v, want \"Alertmanager answered 401\"", err)
	}
	_, err = a.Silence(t.Context(), "http://169.254.169.254/latest", testSilence(time.Now))
	if err == nil || !strings.Contains(err.Error(), "belongs to no server") {
		t.Errorf("metadata: got %v, want an error with \"belongs to no server\"", err)
	}
}
