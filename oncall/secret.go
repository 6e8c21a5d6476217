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

// A Secret is a secret of the installation that is stored in no database or backup. The person who can read those can neither
// forge what the secret signs nor guess what it hashes.
type Secret []byte

const (
	minSecretLength = 32 // characters
	maxSecrets      = 4
)

// NewSecret returns a Secret of random bytes, as text for the settings.
func NewSecret(random [32]byte) string { return base64.RawURLEncoding.EncodeToString(random[:]) }

// ParseSecrets parses one Secret or, while one is being replaced, several separated by commas: the first is used, and
// what the others made stays valid. Errors don't contain secrets.
func ParseSecrets(list string) ([]Secret, error) {
	var out []Secret
	for text := range strings.SplitSeq(list, ",") {
		text = strings.TrimSpace(text)
		switch {
		case text == "" && strings.TrimSpace(list) == "":
			return nil, nil
		case len(text) < minSecretLength:
			return nil, fmt.Errorf("it is shorter than %d characters", minSecretLength)
		case strings.Trim(text, text[:1]) == "":
			return nil, fmt.Errorf("it is one character, again and again")
		}
		out = append(out, Secret(text))
	}
	if len(out) > maxSecrets {
		return nil, fmt.Errorf("it has more than %d parts", maxSecrets)
	}
	return out, nil
}

// key derives a key for one purpose, so that breaking one use of a Secret doesn't weaken the others.
func (s Secret) key(purpose string) []byte {
	h := hmac.New(sha256.New, s)
	h.Write([]byte("watchbill " + purpose))
	return h.Sum(nil)
}

// Fingerprint identifies a secret without revealing anything about it.
func (s Secret) Fingerprint() []byte { return s.key("fingerprint")[:16] }

// TokenKey returns the key that signs tokens.
func (s Secret) TokenKey() []byte { return s.key("token") }

// CodeHash returns the stored hash of a proof. It is keyed, because six digits could be found by trying them all.
func (s Secret) CodeHash(id ContactID, proof string) []byte {
	h := hmac.New(sha256.New, s.key("proof"))
	fmt.Fprintf(h, "%d/%s", id, strings.ToLower(strings.TrimSpace(proof)))
	return h.Sum(nil)
}

// sealed is the prefix of texts that Seal returns.
const sealed = "sealed:"

// Seal encrypts a text for storage. It is deterministic.
func (s Secret) Seal(text string) string {
	nonce := hmac.New(sha256.New, s.key("nonce"))
	nonce.Write([]byte(text))
	n := nonce.Sum(nil)[:12]
	return sealed + base64.RawURLEncoding.EncodeToString(s.sealer().Seal(n, n, []byte(text), nil))
}

// Unseal decrypts a text that one of the secrets sealed. An unsealed text is returned as it is; ok is false if none of
// the secrets fits.
func Unseal(secrets []Secret, text string) (plain string, ok bool) {
	code, ok := strings.CutPrefix(text, sealed)
	if !ok {
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
