package store

import (
	"cmp"

	"github.com/watchbill/watchbill/oncall"
)

// blockedKeys are the keys of alerts and groups whose entries must wait, because somebody else has locked
// an incident of theirs. One such incident must not keep all others from being folded.
type blockedKeys map[signalKey]bool

// A signalKey names an alert or a group of one integration.
type signalKey struct {
	integration oncall.IntegrationID
	key         string
}

// block reports whether an entry must wait. Whatever comes later with one of its keys waits too, so
// that each alert and group sees its signals in order.
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
