// Package audit defines the audit log: who changed what in the set-up, in access and in how people
// are reached, from what to what, and by which means. Package store writes an entry in the
// transaction that makes the change, so that neither exists without the other.
//
// Acts on incidents are in their timelines instead, and whatever monitors and timers do is not in
// the log. Refusals are, folded: the first one, and then how many there were within the hour.
//
// An entry never holds a key, a token, the address of a calendar or a webhook, nor a whole phone
// number or mail address: the texts before and after are made here, from what may be shown.
package audit
