package oncall

import "regexp"

// OneWayNumbers matches the numbers of countries in which nobody can answer an SMS of ours, because its
// sender is replaced on the way: China, India, Russia (but not Kazakhstan, which shares its code), Saudi
// Arabia and the United Arab Emirates, as Twilio's guidelines for each country say ("Two-way SMS supported:
// No"). PostgreSQL reads it as well.
const OneWayNumbers = `^\+(86|91|966|971|7[0-589])`

var oneWayNumber = regexp.MustCompile(OneWayNumbers)

// OneWay reports whether a person can't answer a message: their country lets no answers through, or
// shows a name as its sender, to which nobody can reply.
func (c Contact) OneWay() bool { return oneWay(c.Method, c.Address, c.NamedSender) }

func oneWay(method Method, address string, named bool) bool {
	return method.Info().IsPhone && method.Info().Replied && (named || oneWayNumber.MatchString(address))
}

// unanswered warns of a contact method that can't be answered; empty: it can.
func (r Reach) unanswered(c Contact) string {
	if !c.OneWay() {
		return ""
	}
	return "What you answer to " + r.naming(c) + " doesn't reach us: acknowledge in Slack or by a call."
}
