package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// ETag is a text that changes when a part of a document does, in the form in which HTTP compares versions.
func ETag(part any) string {
	text, err := json.Marshal(part)
	if err != nil { // of a document every part can be written
		return ""
	}
	hash := sha256.Sum256(text)
	return `"` + hex.EncodeToString(hash[:12]) + `"`
}
