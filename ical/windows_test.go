package ical

import (
	"strings"
	"testing"
)

func TestWindowsZonesExist(t *testing.T) {
	t.Parallel()
	for name, iana := range windowsZones {
		if z, ok := knownZone(strings.ToUpper(name)); !ok || z.Name() != iana {
			t.Errorf("%s is the zone %v, want %s", name, z, iana)
		}
	}
}
