package store

import (
	"cmp"

	"github.com/watchbill/watchbill/oncall"
)

// blockedKeys holds the keys of alerts and groups whose entries must wait because another transaction
// has locked their incident. One locked incident must not keep all other signals from being folded.
type blockedKeys map[signalKey]bool

// A signalKey names an alert or a group of one integration.
type signalKey struct {
	integration oncall.IntegrationID
	key         string
}

// block reports whether an entry must wait. If so, later entries that share one of its keys wait too, so that
// each alert and group gets its signals in order.
func (b blockedKeys) block(e entry) bool {
	if len(b) == 0 {
		return false
	}
	alert := signalKey{e.IntegrationID, e.signal.DedupKey}
	group := signalKey{e.IntegrationID, cmp.Or(e.group, e.signal.GroupKey)}
	if e.signal.Action == oncall.Reconcile {
		alert = group
	}
	group.key = cmp.Or(group.key, alert.key)
	listed := signalKey{e.IntegrationID, cmp.Or(e.listed, group.key)}
	if !b[alert] && !b[group] && !b[listed] {
		return false
	}
	b[alert], b[group], b[listed] = true, true, true
	return true
}
