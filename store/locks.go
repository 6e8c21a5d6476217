package store

// The advisory locks. Releases that run side by side during an upgrade must agree on their numbers, so a number that
// was ever used keeps its meaning.
const (
	instanceLocks   = 0x77620001 // with the hash of an instance's name: the instance is running
	canaryLocks     = 0x77620002 // with the hash of an instance's name: it knows the canary and the pulse
	foldLock        = 0x776201   // one instance folds the inbox
	applyLock       = 0x776202   // one Apply at a time
	unackedLock     = 0x776206   // one RemindUnacked at a time, so that a team has one message
	coverageLock    = 0x776207   // one coverage check at a time, so that nobody is warned twice
	requeueLock     = 0x776208   // one RequeuePages at a time, so that no page is queued twice
	probeLock       = 0x776211   // one counts what goes to phones besides pages at a time
	maintenanceLock = 0x776256   // one CheckMaintenance at a time, so that each alert is released once
	heartbeatLock   = 0x776212   // one WatchHeartbeats at a time, so that no heartbeat is judged twice
	retentionLock   = 0x776248   // one removal of old data at a time
	pulseLock       = 0x776261   // one QueuePulse at a time
	numberLock      = 0x776271   // one transaction at a time numbers incidents, by folding or by hand
	codeLock        = 0x776209   // with the hash of an address: one page at a time gets a code there
)
