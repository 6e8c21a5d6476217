package notify

import (
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

// secrets are what no error and no finding tells, though servers and proxies repeat what
// they were sent: as it was, escaped, or in base64 with a user's name before it.
type secrets []string

// credentials are the secrets that an address carries for whoever signs in. Where there is
// a password, the user's name is none.
func credentials(u *url.URL) secrets {
	if u == nil || u.User == nil {
		return nil
	}
	if password, set := u.User.Password(); set {
		return secrets{password}
	}
	return secrets{u.User.Username()}
}

// shortestPart is how long a part of an address must be to be a secret in itself.
const shortestPart = 16

// wholly are the secrets of an address that is one: who knows it may post there.
func wholly(u *url.URL) secrets {
	out := secrets{u.RequestURI()}
	parts := strings.Split(u.Path, "/")
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	for _, part := range append(parts, u.RawQuery) {
		if len(part) >= shortestPart {
			out = append(out, part)
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "/" })
}

// carried are the secrets of a request.
func carried(r *http.Request) secrets {
	out := credentials(r.URL)
	for _, value := range r.Header.Values("Authorization") {
		_, secret, _ := strings.Cut(value, " ")
		out = append(out, secret)
	}
	return out
}

// secrets are what a message lets its reader do, and the code that proves an address.
func (m Message) secrets() secrets { return secrets{m.Token, m.Link, m.Verify} }

// forms are the secrets as texts may have them, the longest first.
func (s secrets) forms() []string {
	var out []string
	for _, secret := range s {
		if secret == "" {
			continue
		}
		quoted, _ := json.Marshal(secret) // a string always works
		text := strings.Trim(string(quoted), `"`)
		out = append(out, secret, url.QueryEscape(secret), url.PathEscape(secret),
			strings.TrimPrefix(url.UserPassword("", secret).String(), ":"), html.EscapeString(secret),
			text, strings.ReplaceAll(text, "/", `\/`), strings.ReplaceAll(secret, "/", `\/`))
	}
	slices.SortStableFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

var (
	// coded is what may be base64, also within JSON or an address.
	coded = regexp.MustCompile(`(?:[A-Za-z0-9+/_-]|\\/|%2[BbFf]){6,}(?:=|%3[Dd]){0,2}`)
	// signedIn is the value of a header by which somebody signs in.
	signedIn = regexp.MustCompile(`(?i)\b(basic|bearer)((?:\s|\+|%20)+)((?:[A-Za-z0-9+/._~-]|\\/|%2[BbFf])+(?:=|%3[Dd])*)`)

	plainCode = strings.NewReplacer(`\/`, "/", "%2B", "+", "%2b", "+", "%2F", "/", "%2f", "/", "%3D", "", "%3d", "", "=", "", "-", "+", "_", "/")
)

// longestToken is how long a word after "Bearer" may be without being a token.
const longestToken = 16

// hide takes the secrets out of a text, and those of others by which they sign in.
func (s secrets) hide(text string) string {
	text = signedIn.ReplaceAllStringFunc(text, func(found string) string {
		part := signedIn.FindStringSubmatch(found)
		if strings.EqualFold(part[1], "bearer") && len(part[3]) >= longestToken || strings.EqualFold(part[1], "basic") && isBasic(part[3]) {
			return part[1] + part[2] + "…"
		}
		return found
	})
	if forms := s.forms(); len(forms) > 0 {
		text = coded.ReplaceAllStringFunc(text, func(found string) string {
			if s.within(found) {
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

// within reports whether what may be base64 is that of a text with a secret in it. What
// stands before it, as in a path, may belong to the same characters.
func (s secrets) within(code string) bool {
	code = plainCode.Replace(code)
	for from := range min(4, len(code)) {
		text := decoded(code[from:])
		if slices.ContainsFunc(s, func(secret string) bool { return secret != "" && strings.Contains(text, secret) }) {
			return true
		}
	}
	return false
}

// isBasic reports whether a word is what stands in a header after "Basic": the name and a
// password, of which the end may be missing.
func isBasic(code string) bool {
	user, _, ok := strings.Cut(decoded(plainCode.Replace(code)), ":")
	return ok && user != "" && !strings.ContainsFunc(user, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsGraphic(r) })
}

// decoded reads base64 without padding as far as it goes.
func decoded(code string) string {
	if len(code)%4 == 1 {
		code = code[:len(code)-1]
	}
	text := make([]byte, base64.RawStdEncoding.DecodedLen(len(code)))
	n, _ := base64.RawStdEncoding.Decode(text, []byte(code))
	return string(text[:n])
}

// line is foreign text as errors quote it: short, on one line, without secrets. They are
// hidden first, as half a secret would not be known.
func (s secrets) line(text string) string {
	text = strings.ToValidUTF8(text[:min(len(text), webBody)], "")
	return oneLine(s.hide(text), webExcerpt)
}

// quote is line for an answer that may be empty.
func (s secrets) quote(body []byte) string { return either(s.line(string(body)), "nothing") }

// clean is an error of which the text is fit to be told; its chain is the same.
func (s secrets) clean(err error) error {
	text := s.line(err.Error())
	if text == err.Error() {
		return err
	}
	return worded{text, err}
}

// worded is an error in other words.
type worded struct {
	text string
	err  error
}

func (w worded) Error() string { return w.text }
func (w worded) Unwrap() error { return w.err }
