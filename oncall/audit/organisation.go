package audit

import (
	"maps"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// ChangedOrganisation records that an organisation was added, changed or removed: its state and which settings, without their
// values, because most are secrets.
func ChangedOrganisation(name string, act Operation, before, after string, was, is map[string]string) Entry {
	entry := Entry{Kind: Organisation, Name: name, Act: act}
	if before != after {
		entry.Changes = append(entry.Changes, Change{What: "state", Before: said(before), After: said(after)})
	}
	var other []string
	for _, setting := range slices.Sorted(maps.Keys(is)) {
		if was[setting] != is[setting] {
			other = append(other, setting)
		}
	}
	for _, setting := range slices.Sorted(maps.Keys(was)) {
		if _, kept := is[setting]; !kept {
			other = append(other, setting+" (removed)")
		}
	}
	if len(other) > 0 {
		entry.Changes = append(entry.Changes, Change{What: "settings", After: oncall.Say("%s", strings.Join(other, ", "))})
	}
	return entry
}

func said(text string) oncall.Sentence {
	if text == "" {
		return nil
	}
	return oncall.Say("%s", text)
}
