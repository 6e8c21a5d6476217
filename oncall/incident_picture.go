package oncall

// A Picture is everything that an incident's Slack messages show. They are a
// drawing of it and of nothing else.
type Picture struct {
	Incident    Incident
	Team        Team
	Integration string  // name
	Policy      string  // name
	Alerts      []Alert // firing first, then the latest cleared; at most MaxPictured
	AlertCount  int     // all of them
	Firing      int
	Untold      bool      // the policy has run out, and none of those who were to be told can be
	Paged       []UserID  // who was paged so far, in order
	Next        *NextStep // what happens if nobody does anything; nil: nothing
	Events      []Event   // the whole timeline, oldest first

	Tally StormTally // of a storm
}

// MaxPictured bounds how many alerts a message lists.
const MaxPictured = 10
