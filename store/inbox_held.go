package store

import (
	"cmp"

	"github.com/watchbill/watchbill/oncall"
)

// heldKeys are the keys of alerts and groups whose entries must wait, because somebody else has locked
// an incident of theirs. One such incident must not keep all others from being folded.
type heldKeys map[signalKey]bool

// A signalKey names an alert or a group of one integration.
type signalKey struct {
	integration oncall.IntegrationID
	key         string
}

// holds reports whether an entry must wait. Whatever comes later with one of its keys waits too, so
// that each alert and group sees its signals in order.
func (h heldKeys) holds(e entry) bool {
	if len(h) == 0 {
		return false
	}
	alert := signalKey{e.IntegrationID, e.signal.DedupKey}
	group := signalKey{e.IntegrationID, cmp.Or(e.group, e.signal.GroupKey)}
	if e.signal.Action == oncall.Reconcile {
		alert = group
	}
	group.key = cmp.Or(group.key, alert.key)
	listed := signalKey{e.IntegrationID, cmp.Or(e.listed, group.key)}
	if !h[alert] && !h[group] && !h[listed] {
		return false
	}
	h[alert], h[group], h[listed] = true, true, true
	return true
}
