package oncall

// A Digest says whether a team's channel is told every Monday what the week was like.
type Digest string

// Whether it is.
const (
	DigestUsual  Digest = ""       // if something happened in the week, or in the one before it
	DigestWeekly Digest = "weekly" // also of a quiet week, in one line
	DigestOff    Digest = "off"
)

// The notices that come of what reports count.
const (
	NoticeDigest    NoticeKind = "digest"     // a team's channel: Lines tell of the week from Start to End, which hold names of others
	NoticeBadNight  NoticeKind = "bad_night"  // whoever was woken Count times from Start to End
	NoticeBadNights NoticeKind = "bad_nights" // a manager: Users had Count of those, the last from Start to End
)
