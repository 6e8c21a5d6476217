package oncall

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// A Claim is the content of a token: its bearer may answer one page on behalf of the person who was paged, until it
// expires.
type Claim struct {
	Page    PageID
	User    UserID
	Expires time.Time
}

const (
	// macSize is how much of the authentication code a token carries.
	macSize = sha256.Size
	// TokenLives is how long a token is valid. A token that expires later than that was forged, or signed by an
	// instance whose clock is more than tokenSkew ahead.
	TokenLives = 48 * time.Hour
	tokenSkew  = 5 * time.Minute
	// maxTokenLength is longer than any token that SignToken makes.
	maxTokenLength = 200
)

// SignToken makes a token of at most 140 characters that needs no escaping in URLs and texts.
func SignToken(key []byte, c Claim) string {
	var b []byte
	b = binary.AppendUvarint(b, uint64(c.Page))
	b = binary.AppendUvarint(b, uint64(c.Expires.Unix()))
	b = append(b, c.User...)
	b = append(b, tokenMAC(key, b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// A Token is a parsed token whose signature has not been checked.
type Token struct {
	claim     Claim
	said, mac []byte
}

var errBadToken = Refuse("This link or button is not valid.")

// ParseToken parses a token. It refuses texts that can't be one of ours, so that no key is loaded for them.
func ParseToken(token string, now time.Time) (Token, error) {
	if len(token) > maxTokenLength || strings.ContainsAny(token, "\r\n") { // base64 would skip newlines
		return Token{}, errBadToken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) <= macSize {
		return Token{}, errBadToken
	}
	t := Token{said: b[:len(b)-macSize], mac: b[len(b)-macSize:]}
	page, n := binary.Uvarint(t.said)
	expires, m := binary.Uvarint(t.said[max(n, 0):])
	if n <= 0 || m <= 0 || page > math.MaxInt64 || len(t.said) == n+m ||
		expires > uint64(now.Add(TokenLives+tokenSkew).Unix()) {
		return Token{}, errBadToken
	}
	t.claim = Claim{Page: PageID(page), User: UserID(t.said[n+m:]), Expires: time.Unix(int64(expires), 0).UTC()}
	return t, nil
}

// OpenToken parses a token and checks its signature and expiry.
func OpenToken(keys [][]byte, token string, now time.Time) (Claim, error) {
	t, err := ParseToken(token, now)
	if err != nil {
		return Claim{}, err
	}
	return t.Open(keys, now)
}

// Open returns the token's claim, if it was signed with one of the keys and has not expired.
func (t Token) Open(keys [][]byte, now time.Time) (Claim, error) {
	right := false
	for _, key := range keys {
		right = right || hmac.Equal(t.mac, tokenMAC(key, t.said))
	}
	if !right {
		return Claim{}, errBadToken
	}
	if now.After(t.claim.Expires) {
		return Claim{}, Refuse("This link or button has expired.")
	}
	return t.claim, nil
}

func tokenMAC(key, said []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("watchbill page\x00"))
	h.Write(said)
	return h.Sum(nil)
}
