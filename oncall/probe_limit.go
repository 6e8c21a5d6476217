package oncall

import "time"

// This file limits messages other than pages, which cost money or ring phones at somebody's request: codes that prove
// an address, tests, and checks before a shift.

// ProbesCount is how far back such messages are counted: the longest period of the limits below.
const ProbesCount = 30 * 24 * time.Hour

// The limits. Those of one person are lower than those of everybody together, so that one person can't use up what
// others need.
const (
	testsAnHour       = 3  // by a person; a test by several methods counts once
	codesAnHour       = 3  // by a person to one address
	codesOfOne        = 15 // an hour, by a person to all addresses
	codesToPhone      = 6  // an hour, by everybody to one phone
	codesToAddress    = 15 // an hour, by everybody to one address other than a phone
	probesToPhone     = 20 // a day, by everybody to one phone
	phoneProbesOfOne  = 30 // a day, by a person to all phones
	unansweredOfOne   = 6  // codes by a person to a phone that was never verified
	unansweredOfAll   = 15 // codes by everybody to such a phone
	minPhonesADay     = 100
	phonesADayAPerson = 3
)

// A ProbeCount counts the messages sent recently, to decide about one more to an address. SMS and phone calls count
// together.
type ProbeCount struct {
	Phone bool // the address is a phone
	Own   bool // Slack says that the address is the person's, so other people's codes don't count against it

	Tests        int // by the person, within the hour; a test by several methods counts once
	CodesHere    int // by the person to the address, within the hour
	CodesOfOne   int // by the person, within the hour
	CodesOfAll   int // by everybody to the address, within the hour
	DayOfAll     int // codes, tests and checks by everybody to the address, within a day
	DayOfOne     int // codes, tests and checks by the person to phones, within a day
	Unanswered   int // codes by the person to the address within ProbesCount, if it was never verified
	UnansweredBy int // the same, by everybody
	Phones       int // codes, tests and checks by everybody to phones, within a day
	People       int // the people in teams
}

// PhonesADay returns how many codes, tests and checks the whole installation sends to phones within a day.
func (c ProbeCount) PhonesADay() int { return max(minPhonesADay, phonesADayAPerson*c.People) }

// MayProve refuses a code that would be one too many.
func (c ProbeCount) MayProve() error {
	switch {
	case c.CodesHere >= codesAnHour, c.CodesOfOne >= codesOfOne,
		c.Phone && c.CodesOfAll >= codesToPhone, !c.Phone && !c.Own && c.CodesOfAll >= codesToAddress:
		return Refuse("Enough codes were sent within the hour; please try again later.")
	case c.Phone && (c.Unanswered >= unansweredOfOne || c.UnansweredBy >= unansweredOfAll):
		return Refuse("Codes went to this number, and none has ever come back: no more are sent for some weeks. Please check the number.")
	}
	return c.mayRing()
}

// MayTest refuses a test that would be one too many.
func (c ProbeCount) MayTest() error {
	if c.Tests >= testsAnHour {
		return Refuse("You have had %d tests within the hour; please try again later.", testsAnHour)
	}
	return c.mayRing()
}

// MayCheck refuses a check before a shift that would be one too many.
func (c ProbeCount) MayCheck() error { return c.mayRing() }

// mayRing applies the limits that all messages to phones share.
func (c ProbeCount) mayRing() error {
	switch {
	case !c.Phone:
		return nil
	case c.DayOfAll >= probesToPhone:
		return Refuse("This phone has had %d codes and tests within a day; please try again tomorrow.", probesToPhone)
	case c.DayOfOne >= phoneProbesOfOne:
		return Refuse("You have sent %d codes and tests to phones within a day; please try again tomorrow.", phoneProbesOfOne)
	case c.Phones >= c.PhonesADay():
		return Refuse("All the codes and tests that this installation sends to phones in a day are used up; its admins know. Please try again tomorrow.")
	}
	return nil
}

// Alarm returns what admins are told when one more message goes to a phone: at half of the daily limit, at the last message
// within it, and when one person reaches their own limit. Cause distinguishes these.
func (c ProbeCount) Alarm(by UserID) (what Sentence, cause string, alarm bool) {
	switch limit := c.PhonesADay(); {
	case !c.Phone:
	case c.Phones+1 == limit:
		return Say("The last of the %d codes and tests that go to phones in a day was sent, by %s. No more are sent until tomorrow; pages still are.", limit, by), "all", true
	case c.Phones+1 == limit/2:
		return Say("Half of the %d codes and tests that go to phones in a day are used up, the last by %s.", limit, by), "half", true
	case c.DayOfOne+1 == phoneProbesOfOne:
		return Say("%s has sent %d codes and tests to phones within a day, and may not send more until tomorrow.", by, phoneProbesOfOne), "one/" + string(by), true
	}
	return Sentence{}, "", false
}

// NewCountry returns what admins are told when the first phone of a country is added.
func NewCountry(by UserID, country string) (what Sentence, cause string) {
	return Say("%s has added the first phone with a number of another country: %s. WATCHBILL_PHONE_COUNTRIES says which may be used.", by, country), "country/" + country
}

// PhoneNotices tell admins about phones, once a day for each cause.
func PhoneNotices(what Sentence, cause string, to []string, now time.Time) []Notice {
	var out []Notice
	for _, who := range to {
		out = append(out, Notice{
			Key: "phones/" + cause + "/" + now.UTC().Format(time.DateOnly) + "/" + who, To: who,
			Kind: NoticePhones, Detail: Saying(what),
		})
	}
	return out
}
