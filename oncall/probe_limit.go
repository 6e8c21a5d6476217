package oncall

import "time"

// What is sent beside pages, and so costs money or rings a phone because somebody wants it: codes that prove
// an address, tests, and checks before a shift.

// ProbesCount is how far back messages are counted: the longest of the terms below.
const ProbesCount = 30 * 24 * time.Hour

// The limits. Those of one person, and of one person at one address, are lower than those of everybody
// together, so that nobody uses up what somebody else is entitled to.
const (
	testsAnHour       = 3  // of a person: each goes by one or by all of their methods
	codesAnHour       = 3  // of a person to one address
	codesOfOne        = 15 // an hour, of a person to all addresses
	codesToPhone      = 6  // an hour, of everybody to one phone
	codesToAddress    = 15 // an hour, of everybody to one address that is no phone
	probesToPhone     = 20 // a day, of everybody to one phone
	phoneProbesOfOne  = 30 // a day, of a person to all phones
	unansweredOfOne   = 6  // codes, of a person to one phone that never was verified
	unansweredOfAll   = 15 // codes, of everybody to such a phone
	leastPhonesADay   = 100
	phonesADayAPerson = 3
)

// A ProbeCount is what was sent lately, as far as it matters for one more. SMS and calls count together.
type ProbeCount struct {
	Phone bool // it is about a phone
	Own   bool // the address is the person's by Slack's word: others can't use up its codes

	Tests        int // of the person, within the hour; a test by several methods is one
	CodesHere    int // of the person to the address, within the hour
	CodesOfOne   int // of the person, within the hour
	CodesOfAll   int // of everybody to the address, within the hour
	DayOfAll     int // of everybody to the address, within a day: codes, tests and checks
	DayOfOne     int // of the person to phones, within a day
	Unanswered   int // codes of the person to the address within ProbesCount, if nobody has ever verified it
	UnansweredBy int // codes of everybody, likewise
	Phones       int // of everybody to phones, within a day
	People       int // that there are in teams
}

// PhonesADay is how many codes, tests and checks go to phones within a day, in the whole installation.
func (c ProbeCount) PhonesADay() int { return max(leastPhonesADay, phonesADayAPerson*c.People) }

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

// MayCheck refuses to ask whether somebody can still be reached.
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

// Alarm is what admins are told when one more is sent to a phone: at half of the day's, at the last of them, and when
// one person has sent a lot. Cause tells them apart.
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

// NewCountry is what admins are told when the first phone of a country is added.
func NewCountry(by UserID, country string) (what Sentence, cause string) {
	return Say("%s has added the first phone with a number of another country: %s. WATCHBILL_PHONE_COUNTRIES says which may be used.", by, country), "country/" + country
}

// PhoneNotices tell what happens with phones, once a day for each cause.
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
