package store

import (
	"cmp"

	"github.com/watchbill/watchbill/oncall"
)

// held are the keys of alerts and groups whose entries must wait, because somebody else has locked
// an incident of theirs. One such incident must not keep all others from being folded.
type held map[heldKey]bool

type heldKey struct {
	integration oncall.IntegrationID
	key         string
}

// holds reports whether a entry must wait. Whatever comes later with one of its keys waits too, so
// that each alert and group sees its signals in order.
func (h held) holds(l entry) bool {
	if len(h) == 0 {
		return false
	}
	alert := heldKey{l.IntegrationID, l.signal.DedupKey}
	group := heldKey{l.IntegrationID, l.signal.GroupKey}
	if l.signal.Action == oncall.Reconcile {
		alert = group
	}
	group.key = cmp.Or(group.key, alert.key)
	if !h[alert] && !h[group] {
		return false
	}
	h[alert], h[group] = true, true
	return true
}
