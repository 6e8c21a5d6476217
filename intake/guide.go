package intake

import (
	"embed"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

//go:embed guides/*.md
var guides embed.FS

// Placeholders in a guide for Watchbill's address and the key.
const (
	addressHere = "https://watchbill.example.com"
	keyHere     = "KEY"
)

// Guide returns the setup instructions for a monitor of the format, with address and key filled in;
// either may be empty.
func Guide(name oncall.Format, address, key string) string {
	text, err := guides.ReadFile("guides/" + string(FormatNamed(name).Name) + ".md")
	if err != nil {
		return ""
	}
	out := string(text)
	if key != "" {
		out = strings.NewReplacer("/"+keyHere, "/"+key, "="+keyHere, "="+key, " "+keyHere, " "+key, ":"+keyHere, ":"+key, `"`+keyHere+`"`, `"`+key+`"`, "`"+keyHere+"`", "`"+key+"`").Replace(out)
	}
	if address != "" {
		out = strings.ReplaceAll(out, addressHere, strings.TrimSuffix(address, "/"))
	}
	return out
}
