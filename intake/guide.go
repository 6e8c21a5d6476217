package intake

import (
	"embed"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

//go:embed guides/*.md
var guides embed.FS

// What stands in a guide for the address of Watchbill and for the key.
const (
	addressHere = "https://watchbill.example.com"
	keyHere     = "KEY"
)

// Guide says what to set in a monitor of the format, with the address and the key in it; either may be empty.
func Guide(name oncall.Format, address, key string) string {
	text, err := guides.ReadFile("guides/" + string(Of(name).Name) + ".md")
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
