package oncall

// A Picture is everything that an incident's Slack messages are drawn from.
type Picture struct {
	Incident       Incident
	Team           Team
	Integration    string  // name
	Policy         string  // name
	Alerts         []Alert // firing first, then the latest cleared; at most MaxPictured
	AlertCount     int     // the total number
	Firing         int
	NobodyNotified bool      // the policy has run out, and nobody could be told
	Paged          []UserID  // who was paged since the escalation began, in order
	Next           *NextStep // next step if nobody acts; nil if there is none
	Events         []Event   // the whole timeline, oldest first

	Tally StormTally // for a storm

	Last *PastIncident // the latest similar incident with a known cause or remedy; nil: there is none, or this incident is over
}

// MaxPictured bounds how many alerts a message lists.
const MaxPictured = 10
