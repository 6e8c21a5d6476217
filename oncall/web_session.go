package oncall

import "time"

// How long people stay signed in to the pages.
const (
	SessionLives   = 30 * 24 * time.Hour
	SessionIdle    = 7 * 24 * time.Hour // without a look at a page
	SignInLinkLive = 5 * time.Minute
	MostSignIns    = 20 // sessions of one person; the oldest end
)

// A Session is somebody being signed in to the pages, in one browser.
type Session struct {
	User      UserID
	How       string // SignedInByLink, SignedInByProvider
	MadeAt    time.Time
	SeenAt    time.Time // up to some minutes late
	ExpiresAt time.Time
}

// The ways to sign in.
const (
	SignedInByLink     = "link"
	SignedInByProvider = "provider"
)

// ViaWeb is a page in a browser.
const ViaWeb = "web"

// ByWeb returns a person who is signed in to the pages.
func ByWeb(id UserID) Actor { return Actor{User: id, Via: ViaWeb} }

// Refused sign-ins.
var (
	ErrLinkOver   = Refuse("This link has been used already, or it is older than five minutes. Type `/oncall web` in Slack for a new one.")
	ErrSignedOut  = Refuse("You are not signed in any more.")
	ErrNoSuchMail = Refuse("Nobody in Slack whom Watchbill knows has this mail address.")
)
