package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// ETag returns a text that changes whenever a part of a document does, in HTTP's format.
func ETag(part any) string {
	text, err := json.Marshal(part)
	if err != nil { // every part can be marshalled
		return ""
	}
	hash := sha256.Sum256(text)
	return `"` + hex.EncodeToString(hash[:12]) + `"`
}
