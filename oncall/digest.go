package oncall

// A Digest says when a team's channel gets its weekly summary, on Mondays.
type Digest string

// When a team's channel gets its summary.
const (
	DigestUsual  Digest = ""       // if anything happened in that week or the one before
	DigestWeekly Digest = "weekly" // always; one line if nothing happened
	DigestOff    Digest = "off"
)

// The notices that reports cause.
const (
	NoticeDigest    NoticeKind = "digest"     // to a team's channel: Lines summarise Start to End, and contain untrusted names
	NoticeBadNight  NoticeKind = "bad_night"  // to a person who was woken Count times between Start and End
	NoticeBadNights NoticeKind = "bad_nights" // to a manager: Users have had Count bad nights, the last from Start to End
)
