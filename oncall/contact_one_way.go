package oncall

import "regexp"

// OneWayNumbers matches phone numbers in countries where an SMS can't be answered because carriers replace its
// sender: China, India, Russia (but not Kazakhstan, which shares its code), Saudi Arabia and the United Arab
// Emirates. Twilio's guidelines for these countries say "Two-way SMS supported: No". The pattern must also be valid
// in PostgreSQL.
const OneWayNumbers = `^\+(86|91|966|971|7[0-589])`

var oneWayNumber = regexp.MustCompile(OneWayNumbers)

// OneWay reports whether messages to this contact method can't be answered: the country lets no answers through,
// or they show a name as their sender, to which nobody can reply.
func (c Contact) OneWay() bool { return oneWay(c.Method, c.Address, c.NamedSender) }

func oneWay(method Method, address string, named bool) bool {
	return method.Info().IsPhone && method.Info().Replied && (named || oneWayNumber.MatchString(address))
}

// unanswered warns that messages by a contact method can't be answered; empty: they can.
func (s ContactSettings) unanswered(c Contact) string {
	if !c.OneWay() {
		return ""
	}
	return "What you answer to " + s.label(c) + " doesn't reach us: acknowledge in Slack or by a call."
}
