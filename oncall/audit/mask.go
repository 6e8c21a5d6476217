package audit

import (
	"net/url"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// Masked returns as much of a contact method as may be stored, to distinguish it from others: the
// last four digits of a number, the domain of a mail address. A topic, a key or a webhook's address
// is a secret.
func Masked(c oncall.Contact) string {
	name := c.Method.Info().Title
	switch {
	case c.Method.Info().IsPhone:
		return name + " …" + last(c.Address, 4)
	case c.Method == oncall.MethodEmail:
		return name + " " + maskedMail(c.Address)
	default:
		return name
	}
}

// last returns the end of a text, but never more than a third of it.
func last(text string, n int) string {
	all := []rune(text)
	n = min(n, len(all)/3)
	return string(all[len(all)-n:])
}

// maskedMail keeps the first letter and the domain of a mail address.
func maskedMail(address string) string {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" {
		return "…"
	}
	return string([]rune(local)[:1]) + "…@" + domain
}

// maskedURL keeps the host of an address: in a webhook's, the rest is secret.
func maskedURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "…"
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// MaskedTarget returns a policy's target in the set-up file's form, without the secret part of a
// webhook's address.
func MaskedTarget(target string) string {
	if address, ok := strings.CutPrefix(target, "webhook "); ok {
		return "webhook " + maskedURL(address)
	}
	return target
}
