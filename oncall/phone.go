package oncall

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// satellites are the prefixes of satellite phones and of global services, which cost several dollars a minute. The
// library counts some of them as mobile.
var satellites = []string{"+870", "+878", "+881", "+882", "+883", "+888", "+979"}

// checkPhone normalises a phone number with its country code. It refuses numbers that earn money for their owners or
// cost more than an ordinary call.
func checkPhone(address string) (string, error) {
	number := phoneNoise.Replace(address)
	if rest, found := strings.CutPrefix(number, "00"); found {
		number = "+" + rest
	}
	if !phoneNumber.MatchString(number) {
		return "", Refuse("Please give the phone number with its country code, such as +1 202 555 0100.")
	}
	if slices.ContainsFunc(satellites, func(prefix string) bool { return strings.HasPrefix(number, prefix) }) {
		return "", Refuse("Satellite phones and global services can't be used: they cost too much.")
	}
	parsed, err := phonenumbers.Parse(number, "")
	if err != nil {
		return "", Refuse("No country has a number that begins like this. Please check its country code.")
	}
	if costly(parsed) {
		return "", Refuse("Premium-rate, shared-cost, personal and pager numbers can't be used: they cost too much.")
	}
	// Networks ignore surplus digits, so one phone would have many numbers.
	if phonenumbers.IsPossibleNumberWithReason(parsed) == phonenumbers.TOO_LONG {
		return "", Refuse("The number has more digits than its country's numbers have. Please check it.")
	}
	// Each number has one spelling, so that messages to it can be counted: +44 (0)20… is +4420….
	kept := phonenumbers.Format(parsed, phonenumbers.E164)
	if !phoneNumber.MatchString(kept) {
		return "", Refuse("Please give the phone number with its country code, such as +1 202 555 0100.")
	}
	return kept, nil
}

// costly reports whether a number is premium-rate or shared-cost. Networks ignore surplus digits, so every prefix of an
// invalid number is checked as well.
func costly(n *phonenumbers.PhoneNumber) bool {
	if phonenumbers.IsValidNumber(n) {
		return costlyType(n)
	}
	const shortest = 4 // digits of a national number
	digits := phonenumbers.GetNationalSignificantNumber(n)
	for i := len(digits); i >= shortest; i-- {
		if cut, err := phonenumbers.Parse(fmt.Sprintf("+%d%s", n.GetCountryCode(), digits[:i]), ""); err == nil && costlyType(cut) {
			return true
		}
	}
	return false
}

// costlyType reports whether the owner of a number may earn money from calls to it. Personal numbers, such as +44 70,
// and pagers are priced like premium-rate numbers; so is the North American exchange 976.
func costlyType(n *phonenumbers.PhoneNumber) bool {
	const america = 1
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.PAGER:
		return true
	case phonenumbers.PERSONAL_NUMBER:
		return n.GetCountryCode() != america // not charged extra in North America, where Twilio's test numbers are of this type
	default:
		digits := phonenumbers.GetNationalSignificantNumber(n)
		return n.GetCountryCode() == america && len(digits) > 5 && digits[3:6] == "976"
	}
}

// PhoneCountry returns the country of a number, such as "DE", or its country code, such as "+800".
func PhoneCountry(number string) string {
	parsed, err := phonenumbers.Parse(number, "")
	if err != nil {
		return ""
	}
	if region := phonenumbers.GetRegionCodeForNumber(parsed); region != "" && region != "001" && region != "ZZ" {
		return region
	}
	// The number is invalid, or newer than the library: use the main country of its country code.
	if region := phonenumbers.GetRegionCodeForCountryCode(int(parsed.GetCountryCode())); region != "001" && region != "ZZ" {
		return region
	}
	return fmt.Sprintf("+%d", parsed.GetCountryCode())
}

// PhoneRules say which countries' phones may be called. The zero value means all.
type PhoneRules struct{ countries []string }

// ParsePhoneCountries reads a list such as "US, CA, DE". An empty one means all countries.
func ParsePhoneCountries(list string) (PhoneRules, error) {
	var r PhoneRules
	known := phonenumbers.GetSupportedRegions()
	for _, word := range strings.FieldsFunc(list, func(c rune) bool { return c == ',' || c == ' ' || c == ';' }) {
		country := strings.ToUpper(word)
		if !known[country] {
			return PhoneRules{}, fmt.Errorf("%q is not a country's code of two letters, such as US or DE", word)
		}
		if !slices.Contains(r.countries, country) {
			r.countries = append(r.countries, country)
		}
	}
	if strings.TrimSpace(list) != "" && len(r.countries) == 0 {
		return PhoneRules{}, fmt.Errorf("%q names no country, such as US or DE", list)
	}
	return r, nil
}

// All reports whether no country is excluded.
func (r PhoneRules) All() bool { return len(r.countries) == 0 }

// Check refuses phone numbers that may not be called, whenever they were added. Addresses of other methods pass.
func (r PhoneRules) Check(m Method, address string) error {
	if !m.Info().IsPhone {
		return nil
	}
	if _, err := checkPhone(address); err != nil {
		return err
	}
	if country := PhoneCountry(address); !r.All() && !slices.Contains(r.countries, country) {
		return Refuse("Phones of this country (%s) can't be used here: an admin has allowed %s only.", country, strings.Join(r.countries, ", "))
	}
	return nil
}
