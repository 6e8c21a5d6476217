package store

// The advisory locks of the database. Releases that run side by side, during a roll, must agree on
// them: a number that was ever used keeps its meaning.
const (
	instanceLocks   = 0x77620001 // a class: with the hash of a name, that a process lives under this name
	canaryLocks     = 0x77620002 // a class: with the hash of a name as well, that the process knows the canary and the pulse
	foldLock        = 0x776201   // one instance folds the inbox
	applyLock       = 0x776202   // one Apply at a time
	unackedLock     = 0x776206   // one RemindUnacked at a time, so that a team has one message
	coverageLock    = 0x776207   // one check at a time, so that nobody is warned twice
	requeueLock     = 0x776208   // one RequeuePages at a time, so that no page is queued twice
	probeLock       = 0x776211   // one at a time counts what goes to phones beside pages
	maintenanceLock = 0x776256   // one CheckMaintenance at a time, so that each alert is released once
	heartbeatLock   = 0x776212   // one WatchHeartbeats at a time, so that nothing is judged twice
	retentionLock   = 0x776248   // one at a time removes what is old
	pulseLock       = 0x776261   // one QueuePulse at a time
	numberLock      = 0x776271   // one at a time gives incidents numbers: who folds signals, or who raises one by hand
	codeLock        = 0x776209   // a class: with the hash of an address, one page at a time gets a number there
)
