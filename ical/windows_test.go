package ical

import (
	"strings"
	"testing"
)

func TestWindowsNamesLeadToZones(t *testing.T) {
	t.Parallel()
	for name, iana := range windows {
		if z, ok := known(strings.ToUpper(name)); !ok || z.Name() != iana {
			t.Errorf("%s: %s is not a zone", name, iana)
		}
	}
}
