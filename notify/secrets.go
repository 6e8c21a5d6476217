package notify

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// secrets must not appear in any error or finding, although servers and proxies repeat what they
// were sent: verbatim, escaped, or in base64 after a user name.
type secrets []string

// credentials returns the secrets in an address for signing in. If there is a password, the user name
// is not secret.
func credentials(u *url.URL) secrets {
	if u == nil || u.User == nil {
		return nil
	}
	if password, set := u.User.Password(); set {
		return secrets{password}
	}
	return secrets{u.User.Username()}
}

// minSecretPart is how long a part of an address must be to count as a secret in itself.
const minSecretPart = 16

// addressSecrets returns the secrets in an address that is itself secret, because knowing it suffices to post
// there.
func addressSecrets(u *url.URL) secrets {
	out := secrets{u.RequestURI()}
	parts := strings.Split(u.Path, "/")
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	for _, part := range append(parts, u.RawQuery) {
		if len(part) >= minSecretPart {
			out = append(out, part)
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "/" })
}

// requestSecrets returns the secrets in a request.
func requestSecrets(r *http.Request) secrets {
	out := credentials(r.URL)
	for _, value := range r.Header.Values("Authorization") {
		_, secret, _ := strings.Cut(value, " ")
		out = append(out, secret)
	}
	return out
}

// secrets returns what lets the reader of a message act, and the code that verifies an address.
func (m Message) secrets() secrets { return secrets{m.Token, m.Link, m.Verify} }

// forms returns the secrets in all forms in which a text may contain them, longest first.
func (s secrets) forms() []string {
	var out []string
	for _, secret := range s {
		if secret == "" {
			continue
		}
		quoted, _ := json.Marshal(secret) // can't fail for a string
		text := strings.Trim(string(quoted), `"`)
		out = append(out, secret, url.QueryEscape(secret), url.PathEscape(secret),
			strings.TrimPrefix(url.UserPassword("", secret).String(), ":"), html.EscapeString(secret),
			text, strings.ReplaceAll(text, "/", `\/`), strings.ReplaceAll(secret, "/", `\/`))
	}
	slices.SortStableFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

var (
	// coded matches what may be base64, also within JSON or an address.
	coded = regexp.MustCompile(`(?:[A-Za-z0-9+/_-]|\\/|%2[BbFf]){6,}(?:=|%3[Dd]){0,2}`)
	// signedIn matches the value of an Authorization header.
	signedIn = regexp.MustCompile(`(?i)\b(basic|bearer)((?:\s|\+|%20)+)((?:[A-Za-z0-9+/._~-]|\\/|%2[BbFf])+(?:=|%3[Dd])*)`)

	plainCode = strings.NewReplacer(`\/`, "/", "%2B", "+", "%2b", "+", "%2F", "/", "%2f", "/", "%3D", "", "%3d", "", "=", "", "-", "+", "_", "/")
)

// minTokenLength is the length from which a word after "Bearer" counts as a token.
const minTokenLength = 16

// hide removes the secrets from a text, and any other credentials.
func (s secrets) hide(text string) string {
	text = signedIn.ReplaceAllStringFunc(text, func(found string) string {
		part := signedIn.FindStringSubmatch(found)
		if strings.EqualFold(part[1], "bearer") && len(part[3]) >= minTokenLength || strings.EqualFold(part[1], "basic") && isBasic(part[3]) {
			return part[1] + part[2] + "…"
		}
		return found
	})
	if forms := s.forms(); len(forms) > 0 {
		text = coded.ReplaceAllStringFunc(text, func(found string) string {
			if s.encodedIn(found) {
				return "…"
			}
			return found
		})
		pairs := make([]string, 0, 2*len(forms))
		for _, form := range forms {
			pairs = append(pairs, form, "…")
		}
		text = strings.NewReplacer(pairs...).Replace(text)
	}
	return text
}

// encodedIn reports whether what looks like base64 encodes a text with a secret in it. Its first
// characters may belong to what stands before it, as in a path.
func (s secrets) encodedIn(code string) bool {
	code = plainCode.Replace(code)
	for from := range min(4, len(code)) {
		text := decoded(code[from:])
		if slices.ContainsFunc(s, func(secret string) bool { return secret != "" && strings.Contains(text, secret) }) {
			return true
		}
	}
	return false
}

// isBasic reports whether a word is what follows "Basic" in a header: a name and a password, whose
// end may be missing.
func isBasic(code string) bool {
	user, _, ok := strings.Cut(decoded(plainCode.Replace(code)), ":")
	return ok && user != "" && !strings.ContainsFunc(user, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsGraphic(r) })
}

// decoded decodes base64 without padding as far as possible.
func decoded(code string) string {
	if len(code)%4 == 1 {
		code = code[:len(code)-1]
	}
	text := make([]byte, base64.RawStdEncoding.DecodedLen(len(code)))
	n, _ := base64.RawStdEncoding.Decode(text, []byte(code))
	return string(text[:n])
}

// line is foreign text ready to quote in an error: short, on one line, without secrets. Secrets are
// hidden before the text is cut, because half a secret would not be recognised.
func (s secrets) line(text string) string {
	text = strings.ToValidUTF8(text[:min(len(text), webBody)], "")
	return oneLine(s.hide(text), webExcerpt)
}

// quote is like line, for an answer that may be empty.
func (s secrets) quote(body []byte) string { return cmp.Or(s.line(string(body)), "nothing") }

// clean returns an error with the same chain and a text without secrets.
func (s secrets) clean(err error) error {
	text := s.line(err.Error())
	if text == err.Error() {
		return err
	}
	return rewordedError{text, err}
}

// rewordedError is an error with a different text.
type rewordedError struct {
	text string
	err  error
}

func (e rewordedError) Error() string { return e.text }
func (e rewordedError) Unwrap() error { return e.err }
