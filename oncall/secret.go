package oncall

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// A Secret belongs to the installation and is in no database or backup. Whoever reads those can neither
// forge what it signs nor guess what it hashes.
type Secret []byte

const (
	shortestSecret = 32 // characters
	mostSecrets    = 4
)

// NewSecret makes a Secret of random bytes, as it is written in settings.
func NewSecret(random [32]byte) string { return base64.RawURLEncoding.EncodeToString(random[:]) }

// ParseSecrets reads one Secret, or several divided by commas while one is replaced: the first is used,
// and what the others have made stays good. Its errors repeat none of them.
func ParseSecrets(list string) ([]Secret, error) {
	var out []Secret
	for text := range strings.SplitSeq(list, ",") {
		text = strings.TrimSpace(text)
		switch {
		case text == "" && strings.TrimSpace(list) == "":
			return nil, nil
		case len(text) < shortestSecret:
			return nil, fmt.Errorf("it is shorter than %d characters", shortestSecret)
		case strings.Trim(text, text[:1]) == "":
			return nil, fmt.Errorf("it is one character, again and again")
		}
		out = append(out, Secret(text))
	}
	if len(out) > mostSecrets {
		return nil, fmt.Errorf("it has more than %d parts", mostSecrets)
	}
	return out, nil
}

// key derives a key for one purpose, so that no use of a Secret helps against another.
func (s Secret) key(purpose string) []byte {
	h := hmac.New(sha256.New, s)
	h.Write([]byte("watchbill " + purpose))
	return h.Sum(nil)
}

// Fingerprint tells secrets apart without telling anything of them.
func (s Secret) Fingerprint() []byte { return s.key("fingerprint")[:16] }

// TokenKey signs tokens.
func (s Secret) TokenKey() []byte { return s.key("token") }

// CodeHash is what is stored of a proof. Six digits are guessed in a second by who knows the function.
func (s Secret) CodeHash(id ContactID, proof string) []byte {
	h := hmac.New(sha256.New, s.key("proof"))
	fmt.Fprintf(h, "%d/%s", id, strings.ToLower(strings.TrimSpace(proof)))
	return h.Sum(nil)
}

// sealed begins what Seal returns.
const sealed = "sealed:"

// Seal encrypts a text that has to be stored. The same text is sealed in the same way.
func (s Secret) Seal(text string) string {
	nonce := hmac.New(sha256.New, s.key("nonce"))
	nonce.Write([]byte(text))
	n := nonce.Sum(nil)[:12]
	return sealed + base64.RawURLEncoding.EncodeToString(s.sealer().Seal(n, n, []byte(text), nil))
}

// Unseal decrypts what one of the secrets has sealed. A text that never was is returned as it is; ok is
// false where none of them fits.
func Unseal(secrets []Secret, text string) (plain string, ok bool) {
	code, is := strings.CutPrefix(text, sealed)
	if !is {
		return text, true
	}
	b, err := base64.RawURLEncoding.DecodeString(code)
	if err != nil || len(b) < 12 {
		return "", false
	}
	for _, s := range secrets {
		if got, err := s.sealer().Open(nil, b[:12], b[12:], nil); err == nil {
			return string(got), true
		}
	}
	return "", false
}

func (s Secret) sealer() cipher.AEAD {
	block, err := aes.NewCipher(s.key("seal"))
	if err != nil {
		panic(err) // the key has the right length
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the right block size
	}
	return gcm
}
