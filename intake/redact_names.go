package intake

import (
	"bytes"
	"slices"
	"strings"
)

// secretParts are parts that names of secrets have, without "_" and the like.
var secretParts = []string{
	"password", "passwd", "passphrase", "secret", "authorization", "credential", "apikey", "routingkey", "servicekey", "integrationkey",
	"privatekey", "accesskey", "signingkey", "authkey", "geniekey", "sharedkey", "accountkey", "webhookkey", "encryptionkey",
	"connectionstring", "cookie", "bearer", "sessionid",
}

// secretNames are whole names of secrets; secretEnds are endings of others.
var (
	secretNames = []string{"pass", "pwd", "auth", "dsn", "jwt", "otp"}
	secretEnds  = []string{"token", "tokens", "_pass", "-pass", "_pwd", "authpass"}
)

// partsFrom indexes secretParts by their first letter.
var partsFrom = func() (by [256][]string) {
	for _, part := range secretParts {
		by[part[0]] = append(by[part[0]], part)
	}
	return by
}()

// maxNameLength is how many bytes of a name are examined, from its end.
const maxNameLength = 64

// secretName reports whether a field is named like a secret.
func secretName(name string) bool {
	if len(name) > maxNameLength {
		name = name[len(name)-maxNameLength:]
	}
	var room, whole [maxNameLength]byte
	bare, lower := room[:0], whole[:0]
	for _, c := range []byte(strings.TrimSpace(name)) {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if lower = append(lower, c); c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			bare = append(bare, c)
		}
	}
	for _, end := range secretEnds {
		if bytes.HasSuffix(lower, []byte(end)) {
			return true
		}
	}
	for i, c := range bare {
		for _, part := range partsFrom[c] {
			if len(bare)-i >= len(part) && string(bare[i:i+len(part)]) == part {
				return true
			}
		}
	}
	return slices.Contains(secretNames, string(bare))
}

// secretStarts are the characters that can begin a secret in any text.
const secretStarts = `:?&;Bb\`

// hideAnywhere hides what is secret in any context: passwords and tokens in URLs, and tokens after
// "Bearer".
func hideAnywhere(in []byte) []byte {
	out := make([]byte, 0, len(in))
	from := 0
	hide := func(begin, end int) {
		out = append(append(out, in[from:begin]...), Hidden...)
		from = end
	}
	for i := 0; i < len(in); i++ {
		step := bytes.IndexAny(in[i:], secretStarts)
		if step < 0 {
			break
		}
		switch i += step; in[i] {
		case ':':
			if begin, end := userIn(in, i); end > begin {
				hide(begin, end)
				i = end
			}
		case '?', '&', ';':
			if begin, end := parameterIn(in, i+1); end > begin {
				hide(begin, end)
				i = end - 1
			}
		case 'B', 'b':
			if begin, end := tokenIn(in, i); end > begin {
				hide(begin, end)
				i = end - 1
			}
		case '\\':
			if bytes.HasPrefix(in[i:], []byte(`\u0026`)) { // "&", as some write it
				if begin, end := parameterIn(in, i+6); end > begin {
					hide(begin, end)
					i = end - 1
				}
			}
		}
	}
	return append(out, in[from:]...)
}

// userIn finds the password in a URL whose "://" begins here.
func userIn(in []byte, at int) (begin, end int) {
	if !bytes.HasPrefix(in[at:], []byte("://")) {
		return 0, 0
	}
	rest := in[at+3:]
	stop := bytes.IndexAny(rest, "/?#\"'\\ \t\r\n<>,")
	if stop < 0 {
		stop = len(rest)
	}
	host := bytes.LastIndexByte(rest[:stop], '@')
	if host < 0 {
		return 0, 0
	}
	colon := bytes.IndexByte(rest[:host], ':')
	if colon < 0 || host-colon < 2 {
		return 0, 0
	}
	return at + 3 + colon + 1, at + 3 + host
}

// parameterIn finds the value of a parameter that begins here and has a secret's name.
func parameterIn(in []byte, at int) (begin, end int) {
	const longest = 64
	equal := bytes.IndexByte(in[at:min(len(in), at+longest)], '=')
	if equal < 1 || bytes.ContainsAny(in[at:at+equal], " \t\r\n\"'<>&?/:{}") {
		return 0, 0
	}
	name := string(in[at : at+equal])
	if !secretName(name) && !slices.Contains(keyFields, strings.ToLower(name)) {
		return 0, 0
	}
	begin = at + equal + 1
	for end = begin; end < len(in) && !bytes.ContainsRune([]byte("&#\"'\\ \t\r\n<>)"), rune(in[end])); end++ {
	}
	return begin, end
}

// tokenIn finds the token after "Bearer" or "Basic" that begins here.
func tokenIn(in []byte, at int) (begin, end int) {
	const shortest = 8
	for _, word := range []string{"bearer ", "basic "} {
		if len(in) < at+len(word) || !strings.EqualFold(string(in[at:at+len(word)]), word) {
			continue
		}
		begin = at + len(word)
		for end = begin; end < len(in) && (isWordByte(in[end]) || bytes.IndexByte([]byte("-._~+/="), in[end]) >= 0); end++ {
		}
		if end-begin >= shortest && (word == "bearer " || bytes.ContainsAny(in[begin:end], "0123456789=+/")) {
			return begin, end
		}
	}
	return 0, 0
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
