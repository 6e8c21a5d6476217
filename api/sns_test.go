package api_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// amazon imitates Amazon's addresses: a certificate, and the confirmation of subscriptions.
type amazon struct {
	key  *rsa.PrivateKey
	cert []byte

	mu        sync.Mutex
	away      bool
	confirmed []string
}

const certAt = "https://sns.eu-central-1.amazonaws.com/cert.pem"

func newAmazon(t *testing.T) *amazon {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &amazon{key: key, cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// RoundTrip answers for Amazon; nobody else is called.
func (a *amazon) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.away || !strings.HasSuffix(r.URL.Host, ".amazonaws.com") {
		return nil, errors.New("no route")
	}
	body := a.cert
	if r.URL.String() != certAt {
		a.confirmed = append(a.confirmed, r.URL.String())
		body = []byte("<ConfirmSubscriptionResponse/>")
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(body))), Header: http.Header{}, Request: r}, nil
}

// sign completes a message.
func (a *amazon) sign(t *testing.T, m map[string]string) string {
	t.Helper()
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if m["Type"] != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	var text strings.Builder
	for _, name := range names {
		if value, ok := m[name]; ok {
			text.WriteString(name + "\n" + value + "\n")
		}
	}
	sum, kind := sha256.Sum256([]byte(text.String())), crypto.SHA256
	digest := sum[:]
	if m["SignatureVersion"] == "1" {
		old := sha1.Sum([]byte(text.String()))
		digest, kind = old[:], crypto.SHA1
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, kind, digest)
	if err != nil {
		t.Fatal(err)
	}
	m["Signature"] = base64.StdEncoding.EncodeToString(signature)
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func snsBody(kind, version, text string) map[string]string {
	return map[string]string{
		"Type": kind, "MessageId": "m-1", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:pages", "Message": text,
		"Timestamp": "2026-03-02T08:59:02.000Z", "SignatureVersion": version, "SigningCertURL": certAt,
	}
}

// What Amazon signed is read and confirmed; anything else is shown raw, and never resolves
// anything.
func TestSNSMessagesNeedAmazonsSignature(t *testing.T) {
	t.Parallel()
	a := newAmazon(t)
	w := newWorldTo(t, a)
	w.addAutoIntegration(replayKey)
	alarm := `{"AlarmName":"cpu","AlarmArn":"arn:cpu","NewStateValue":"ALARM","NewStateReason":"high"}`
	over := strings.Replace(alarm, "ALARM\"", "OK\"", 1)
	send := func(body string) reply {
		t.Helper()
		return w.send("POST", "/v1/signals/"+replayKey, strings.NewReader(body), "Content-Type: text/plain; charset=UTF-8")
	}
	for _, version := range []string{"1", "2"} {
		m := snsBody("Notification", version, alarm)
		m["Subject"] = "ALARM"
		if got := send(a.sign(t, m)); got.code != 202 || strings.Contains(got.body, "hints") {
			t.Errorf("version %s: got %d %s, want 202 without \"hints\"", version, got.code, got.body)
		}
	}
	if n := w.storedSignals(`signal->>'dedup_key' = 'arn:cpu' AND signal->>'action' = 'trigger'`); n != 2 {
		t.Errorf("got %d signals, want 2", n)
	}

	forged := strings.Replace(a.sign(t, snsBody("Notification", "2", alarm)), "high", "low", 1)
	elsewhere := snsBody("Notification", "2", over)
	elsewhere["SigningCertURL"] = "https://sns.eu-central-1.amazonaws.com.example.com/cert.pem"
	for name, body := range map[string]string{"forged": forged, "of another": a.sign(t, elsewhere)} {
		if got := send(body); got.code != 202 || !strings.Contains(got.body, "is not Amazon's") {
			t.Errorf("%s: got %d %s, want 202 with \"is not Amazon's\"", name, got.code, got.body)
		}
	}
	if n := w.storedSignals(`signal->>'unread' = 'true'`); n != 2 {
		t.Errorf("%d are shown as they came, want 2", n)
	}

	confirm := snsBody("SubscriptionConfirmation", "1", "You have chosen to subscribe")
	confirm["Token"], confirm["SubscribeURL"] = "t", "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
	if got := send(a.sign(t, confirm)); got.code != 202 || len(a.confirmed) != 1 || a.confirmed[0] != confirm["SubscribeURL"] {
		t.Errorf("got %d %s, confirmed %v, want 202, 1 confirmed and %v", got.code, got.body, a.confirmed, confirm["SubscribeURL"])
	}
	confirm["SubscribeURL"] = "https://169.254.169.254/latest"
	if send(a.sign(t, confirm)); len(a.confirmed) != 1 {
		t.Errorf("confirmed %v, want 1 confirmed", a.confirmed)
	}
}

// While Amazon is unreachable, anybody with the key may page, and a subscription waits.
func TestSNSWhenAmazonIsUnreachable(t *testing.T) {
	t.Parallel()
	a := newAmazon(t)
	a.away = true
	w := newWorldTo(t, a)
	w.addAutoIntegration(replayKey)
	got := w.post(replayKey, a.sign(t, snsBody("Notification", "2", "disk full")))
	if got.code != 202 || !strings.Contains(got.body, "could not be checked") {
		t.Errorf("got %d %s, want 202 with \"could not be checked\"", got.code, got.body)
	}
	if n := w.storedSignals(`signal->>'title' = 'disk full'`); n != 1 {
		t.Errorf("got %d signals, want 1", n)
	}
	confirm := snsBody("SubscriptionConfirmation", "1", "x")
	confirm["SubscribeURL"] = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription"
	if got := w.post(replayKey, a.sign(t, confirm)); got.code != 503 {
		t.Errorf("got %d %s, want 503", got.code, got.body)
	}
}

// If topics are named, nothing else counts as theirs: no other topic, nothing unsigned, and no
// replayed message. It is shown raw, since it may still be an alert, and resolves nothing.
func TestSNSTopicsAreRestricted(t *testing.T) {
	t.Parallel()
	a := newAmazon(t)
	w := newWorldTo(t, a)
	w.addAutoIntegration(replayKey)
	const ours = "arn:aws:sns:eu-central-1:123456789012:pages"
	_, err := w.pool.Exec(t.Context(), `UPDATE integrations SET topics = $1 WHERE name = 'anything'`, []string{ours})
	w.must(err)
	over := `{"AlarmName":"cpu","AlarmArn":"arn:cpu","NewStateValue":"OK","NewStateReason":"low"}`
	message := func(change func(map[string]string)) string {
		m := snsBody("Notification", "2", over)
		change(m)
		return a.sign(t, m)
	}
	if got := w.post(replayKey, message(func(map[string]string) {})); got.code != 202 || w.storedSignals(`signal->>'dedup_key' = 'arn:cpu'`) != 1 {
		t.Errorf("of the topic: got %d %s, want 202 and 1 stored", got.code, got.body)
	}
	confirm := snsBody("SubscriptionConfirmation", "2", "You have chosen to subscribe")
	confirm["TopicArn"], confirm["SubscribeURL"] = "arn:aws:sns:eu-central-1:999999999999:theirs", "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription"
	unread := 0
	for name, body := range map[string]string{
		"another topic":       message(func(m map[string]string) { m["TopicArn"] = "arn:aws:sns:eu-central-1:999999999999:pages" }),
		"long ago":            message(func(m map[string]string) { m["Timestamp"] = "2026-03-02T06:59:59.000Z" }),
		"no time":             message(func(m map[string]string) { m["Timestamp"] = "" }),
		"a stranger confirms": a.sign(t, confirm),
		"not of SNS":          `{"title":"cpu","dedup_key":"arn:cpu","status":"resolved"}`,
	} {
		unread++
		if got := w.post(replayKey, body); got.code != 202 || w.storedSignals(`signal->>'unread' = 'true'`) != unread {
			t.Errorf("%s: got %d %s, want 202 and %v stored", name, got.code, got.body, unread)
		}
	}
	if len(a.confirmed) != 0 || w.storedSignals(`signal->>'action' = 'resolve'`) != 1 {
		t.Errorf("confirmed %v, want 0 confirmed and 1 stored", a.confirmed)
	}
	if got := w.send("POST", "/v2/alerts/arn:cpu/close?identifierType=alias", strings.NewReader(`{}`), "Authorization: GenieKey "+replayKey); got.code != 401 {
		t.Errorf("as if it were Opsgenie: got %d %s, want 401", got.code, got.body)
	}
	a.mu.Lock()
	a.away = true
	a.mu.Unlock()
	elsewhere := message(func(m map[string]string) { m["SigningCertURL"] = "https://sns.eu-west-1.amazonaws.com/cert.pem" })
	if got := w.post(replayKey, elsewhere); got.code != 202 || w.storedSignals(`signal->>'unread' = 'true'`) != unread+1 {
		t.Errorf("can't be checked: got %d %s, want 202 and %v stored", got.code, got.body, unread+1)
	}
}
