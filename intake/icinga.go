package intake

import "strings"

func isIcinga(o object) bool {
	for name := range o {
		if strings.HasPrefix(normalize(name), "icinga") || strings.Contains(name, ".") && strings.HasPrefix(name, "notification") {
			return isMacros(o)
		}
	}
	m := o.normalizedNames(macroPrefixes...)
	return (m.has("servicename") || m.has("hostdisplayname") || m.has("servicedisplayname")) && !m.has("servicedesc") && isMacros(o)
}
