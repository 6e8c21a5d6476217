package intake

import "strings"

func isCheckmk(o object) bool {
	for name := range o {
		if strings.HasPrefix(name, "NOTIFY_") {
			return isMacros(o)
		}
	}
	return o.normalizedNames(macroPrefixes...).has("what") && isMacros(o)
}
