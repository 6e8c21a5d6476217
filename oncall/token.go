package oncall

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// A Claim is what a token says: that its bearer may answer one page in the name of the
// person who was paged, until it expires.
type Claim struct {
	Page    PageID
	User    UserID
	Expires time.Time
}

// macSize is how much of the authentication code a token carries.
const macSize = sha256.Size

// SignToken makes a token of at most 140 characters that can stand in a URL and in a text.
func SignToken(key []byte, c Claim) string {
	var b []byte
	b = binary.AppendUvarint(b, uint64(c.Page))
	b = binary.AppendUvarint(b, uint64(c.Expires.Unix()))
	b = append(b, c.User...)
	b = append(b, tokenMAC(key, b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// OpenToken reads a token that was signed with one of the keys and has not expired.
func OpenToken(keys [][]byte, token string, now time.Time) (Claim, error) {
	bad := Refuse("This link or button is not valid.")
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) <= macSize {
		return Claim{}, bad
	}
	said, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	right := false
	for _, key := range keys {
		right = right || hmac.Equal(mac, tokenMAC(key, said))
	}
	if !right {
		return Claim{}, bad
	}
	page, n := binary.Uvarint(said)
	expires, m := binary.Uvarint(said[max(n, 0):])
	if n <= 0 || m <= 0 {
		return Claim{}, bad
	}
	c := Claim{Page: PageID(page), User: UserID(said[n+m:]), Expires: time.Unix(int64(expires), 0).UTC()}
	if now.After(c.Expires) {
		return Claim{}, Refuse("This link or button has expired.")
	}
	return c, nil
}

func tokenMAC(key, said []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("watchbill page\x00"))
	h.Write(said)
	return h.Sum(nil)
}
