// Package audit says what the audit log holds: who has changed what of the set-up, of access and of how
// people are reached, from what to what, and by which way. Package store writes an entry in the transaction
// that makes the change, so that there is none without the other.
//
// What is done with incidents is not in it: that is in their timelines. Nor is what monitors and timers
// do. What somebody was refused is, folded: the first time, and then how often within the hour.
//
// An entry never holds a key, a token, the address of a calendar or a webhook, nor a whole phone number or
// address: before and after are made here, of what may be shown.
package audit
