package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// signedWithin is how far the time in a signature may be from the current time.
const signedWithin = 5 * time.Minute

// A signatureCheck checks one way of signing. It reports whether the headers contain such a signature, and whether the
// signature is valid.
type signatureCheck func(h http.Header, body, secret []byte, now time.Time) (there, good bool)

// signatures lists the known ways of signing, by the headers that monitors send. A request needs at least one valid
// signature.
var signatures = []signatureCheck{githubSignature, sentrySignature, grafanaSignature, gitlabToken, webhookSignature}

// githubSignature checks GitHub's signature, which many other services have adopted.
func githubSignature(h http.Header, body, secret []byte, _ time.Time) (there, good bool) {
	given, ok := strings.CutPrefix(h.Get("X-Hub-Signature-256"), "sha256=")
	return ok, ok && hexSignature(given, secret, body)
}

func sentrySignature(h http.Header, body, secret []byte, _ time.Time) (there, good bool) {
	given := h.Get("Sentry-Hook-Signature")
	return given != "", hexSignature(given, secret, body)
}

// grafanaSignature checks Grafana's signature. If it also covers a time, people choose the name of the
// header that holds the time.
func grafanaSignature(h http.Header, body, secret []byte, now time.Time) (there, good bool) {
	given := h.Get("X-Grafana-Alerting-Signature")
	if given == "" {
		return false, false
	}
	if hexSignature(given, secret, body) {
		return true, true
	}
	for name := range h {
		if at := h.Get(name); isRecent(at, now) && hexSignature(given, secret, []byte(at+":"), body) {
			return true, true
		}
	}
	return true, false
}

// gitlabToken checks GitLab's token, which is not a signature but the secret itself.
func gitlabToken(h http.Header, _, secret []byte, _ time.Time) (there, good bool) {
	given := h.Get("X-Gitlab-Token")
	return given != "", hmac.Equal([]byte(given), secret)
}

// webhookSignature checks the signature of Standard Webhooks. The header may hold several signatures, each with its
// version. Standard Webhooks writes secrets as whsec_ and base64; a secret in any other form is used as it is.
func webhookSignature(h http.Header, body, secret []byte, now time.Time) (there, good bool) {
	given, id, at := h.Get("Webhook-Signature"), h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	if given == "" || id == "" || !isRecent(at, now) {
		return given != "", false
	}
	if coded, ok := strings.CutPrefix(string(secret), "whsec_"); ok {
		if key, err := base64.StdEncoding.DecodeString(coded); err == nil {
			secret = key
		}
	}
	for one := range strings.FieldsSeq(given) {
		coded, ok := strings.CutPrefix(one, "v1,")
		sum, err := base64.StdEncoding.DecodeString(coded)
		if ok && err == nil && hmac.Equal(sum, hmacOf(secret, []byte(id+"."+at+"."), body)) {
			return true, true
		}
	}
	return true, false
}

func hexSignature(given string, secret []byte, parts ...[]byte) bool {
	sum, err := hex.DecodeString(given)
	return err == nil && hmac.Equal(sum, hmacOf(secret, parts...))
}

func hmacOf(secret []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, secret)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// isRecent reports whether a Unix time, in seconds, is close to now.
func isRecent(at string, now time.Time) bool {
	n, err := strconv.ParseInt(at, 10, 64)
	return err == nil && now.Sub(time.Unix(n, 0)).Abs() <= signedWithin
}

// The outcomes of checking a request to an integration with signed signals.
const (
	unsigned   = "The request is not signed, and this integration takes only what is signed with its secret."
	missigned  = "The signature of the request is not made with this integration's secret, or is too old."
	onlyTopics = "This integration takes only what its topics of Amazon SNS send."
	unsealed   = "The signature could not be checked, as the secret for it is sealed with a WATCHBILL_SECRET that is not set here."
)

// checkSignature returns why a request is rejected, like one with a wrong key, because it doesn't come from the
// integration's monitor. If the signature can't be checked, it returns why the request is unverified; such a
// request is accepted, as losing an alert would be worse.
func (s *server) checkSignature(r *http.Request, e endpoint, in oncall.Integration, body []byte) (rejected, unverified string) {
	if len(in.Topics) > 0 && e.resolve != nil {
		return onlyTopics, ""
	}
	if !in.Signed {
		return "", ""
	}
	now := s.Clock()
	var secrets [][]byte
	for _, sealed := range in.SigningSecrets(now) {
		if plain, ok := oncall.Unseal(s.Secrets, sealed); ok && plain != sealed {
			secrets = append(secrets, []byte(plain))
		}
	}
	if len(secrets) == 0 {
		return "", unsealed
	}
	rejected = unsigned
	for _, check := range signatures {
		for _, secret := range secrets {
			there, good := check(r.Header, body, secret, now)
			if good {
				return "", ""
			}
			if there {
				rejected = missigned
			}
		}
	}
	return rejected, ""
}
