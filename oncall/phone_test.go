package oncall

import (
	"strings"
	"testing"
)

func TestWhichPhonesMayBeCalled(t *testing.T) {
	t.Parallel()
	const form, satellite, premium, nowhere, long = "Please give the phone number", "Satellite phones", "Premium-rate", "No country", "The number has more digits"
	for typed, want := range map[string]string{
		"+1 (202) 555-0100": "+12025550100", "0049 1512 3456789": "+4915123456789", "+44 (0)20 7946 0000": "+442079460000",
		"+39 06 698 12345": "+390669812345", "+18005550100": "+18005550100", "+15005550006": "+15005550006",
		"+8613812345678": "+8613812345678", "+252 61 2345678": "+252612345678", "+8001234567": "+8001234567",

		"+19005550123": premium, "+1 900 555 0123": premium, "001 900 555 0123": premium, "+190055501239": premium, "+1900555012399": premium,
		"+449098790000": premium, "+44 (0)909 879 0000": premium, "+4499098790": "+4499098790", "+49 900 1 123456": premium, "+49 0900 1 123456": premium,
		"+491805123456": premium, "+33899123456": premium, "+39892000": premium, "+448454646464": premium, "+80812345678": premium,
		"+870773111632": satellite, "+881612345678": satellite, "+88216123456": satellite, "+883510012345": satellite, "+979123456789": satellite,
		"+447011234567": premium, "+44 (0)70 1123 4567": premium, "+44701123456789": premium, "+49 700 12345678": premium, "+353 700 123456": premium,
		"+44 7640 123456": premium, "+1 212 976 1234": premium, "+1 1 212 976 1234": premium, "+121297612345": premium,
		"+878101234567890": satellite, "+888123456789": satellite,
		"+1 202 555 01001": long, "+12025550100123": long, "+33 6 12 34 56 78 9": long,
		"+999123456": nowhere, "+2100000000": nowhere,
		"555-0100": form, "+0123456789": form, "+1202555010012345678": form, "+1202555010O": form, "": form, "+": form, "+\u0661\u0662\u0663\u0664\u0665\u0666\u0667": form,
	} {
		for _, method := range []Method{MethodSMS, MethodVoice} {
			got, err := method.CheckAddress(typed)
			if err != nil {
				got = err.Error()
			}
			begins := err != nil && !strings.HasPrefix(want, "+") && strings.HasPrefix(got, want)
			if got != want && !begins {
				t.Errorf("%s %q: %q, want %q", method, typed, got, want)
			}
		}
	}
}

func TestCountriesAreAllowed(t *testing.T) {
	t.Parallel()
	rules, err := ParsePhoneCountries("us, de ;US")
	if err != nil {
		t.Fatal(err)
	}
	for number, allowed := range map[string]bool{
		"+12025550100": true, "+4915123456789": true, "+120255501001": false,
		"+18765550100": false, "+14165550100": false, "+442079460000": false, "+8001234567": false, "+25261234567": false,
		"+19005550123": false, "+870773111632": false, "nonsense": false,
	} {
		if got := rules.Check(MethodSMS, number) == nil; got != allowed {
			t.Errorf("%s is allowed: %v, want %v", number, got, allowed)
		}
		if (PhoneRules{}).Check(MethodVoice, "+18765550100") != nil || (PhoneRules{}).Check(MethodVoice, "+19005550123") == nil {
			t.Error("without a list all may be called but the costly ones")
		}
	}
	if rules.Check(MethodEmail, "ann@example.com") != nil || !(PhoneRules{}).All() || rules.All() {
		t.Error("a mail address is checked by the countries of phones")
	}
	for _, wrong := range []string{"Germany", "+49", "US DE XX", ",", "U"} {
		if _, err := ParsePhoneCountries(wrong); err == nil {
			t.Errorf("%q is taken, want an error", wrong)
		}
	}
}
