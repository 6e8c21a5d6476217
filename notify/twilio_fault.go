package notify

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
)

// A fault is our interpretation of one of Twilio's error codes.
type fault struct {
	outcome Outcome
	dead    bool
	why     string // our text, for codes that come without Twilio's text
	remedy  string // what an admin has to do
}

// Remedies for admins, about countries, accounts and our number.
const (
	allowSMS   = "allow the country in Twilio's Console under Messaging, Geo permissions"
	allowCalls = "allow the country in Twilio's Console under Voice, Geo permissions"
	allowMore  = "have the account's limit of calls at once raised: it grows with an approved Primary Customer Profile"
	upgrade    = "upgrade the account: on trial, or without an approved Primary Customer Profile, it reaches only numbers verified in Twilio's Console"
	ownNumber  = "set TWILIO_FROM to a number of the account"
	guarded    = "look at what Twilio's Console has blocked under Messaging, Fraud Guard (SMS pumping protection), and allow the country there"
)

var (
	noNumber   = fault{outcome: Rejected, dead: true, why: "the number is not valid"}
	noCountry  = fault{outcome: Rejected, why: "calls to this country are not allowed", remedy: allowCalls}
	onTrial    = fault{outcome: Misconfigured, why: "the account reaches only verified numbers", remedy: upgrade}
	notOurs    = fault{outcome: Misconfigured, why: "our number is not one of the account", remedy: ownNumber}
	notAllowed = fault{outcome: Misconfigured}
)

// faults are the codes for which the HTTP status doesn't say enough.
var faults = map[int]fault{
	20429: {outcome: Throttled},

	21211: noNumber,
	21217: noNumber,
	13223: noNumber, // for calls
	21214: {outcome: Rejected, dead: true, why: "the number can't be reached"},
	21610: {outcome: Rejected, dead: true}, // answered STOP
	21614: {outcome: Rejected, dead: true}, // not a mobile phone
	21635: {outcome: Rejected, dead: true}, // a landline
	21408: {outcome: Rejected, remedy: allowSMS},
	21215: noCountry,
	13227: noCountry,
	21216: {outcome: Rejected, why: "Twilio has blocked calls to this number", remedy: allowCalls},
	21612: {outcome: Rejected}, // no route from our number
	13224: {outcome: Rejected, why: "Twilio can't call this number"},
	30450: {outcome: Rejected, remedy: guarded},

	10002:       onTrial,
	10004:       {outcome: Misconfigured, why: "the account makes too many calls at once", remedy: allowMore},
	21219:       onTrial,
	21607:       onTrial,
	onTrialCode: onTrial,
	572002:      onTrial,
	572005:      onTrial,
	573002:      onTrial,
	573005:      onTrial,

	20003: notAllowed, // wrong credentials
	20005: {outcome: Misconfigured, why: "the account is not active", remedy: "look at the account in Twilio's Console: it is not active"},
	20404: notAllowed, // the flow or the account is gone
	21210: notOurs,
	21212: notOurs,
	21222: notAllowed, // invalid characters in the credentials, found before anything is sent
	21224: notAllowed,
	21603: notAllowed,
	21606: notOurs,
	21609: notAllowed, // our public address isn't
	21659: notOurs,
	21701: notAllowed,
	21703: notAllowed,
	30002: notAllowed, // suspended
	30034: notAllowed, // not registered for A2P
}

// onTrialCode is Twilio's code for a text to a number that an account on trial has not verified.
const onTrialCode = 21608

// remedyFor returns what an admin can do about an error code, or "" for nothing.
func remedyFor(number int) string {
	remedy := cmp.Or(lostReasons[number].remedy, faults[number].remedy)
	if remedy != "" {
		remedy += " (error " + strconv.Itoa(number) + ")"
	}
	return remedy
}

// docsURL returns the page on which Twilio explains a code.
func docsURL(number int) string { return "https://www.twilio.com/docs/errors/" + strconv.Itoa(number) }

// lostReasons explains why messages get lost that Twilio has accepted, and what an admin has to do.
var lostReasons = map[int]struct{ why, remedy string }{
	30002: {"the account is suspended", "look at the account in Twilio's Console: it is suspended"},
	30003: {"the phone is switched off or out of reach", ""},
	30004: {"it is blocked by the phone or its carrier", ""},
	30005: {"the number does not exist", ""},
	30006: {"it is a land line", ""},
	30007: {"the carrier filtered it", ""},
	30008: {"the carrier lost it", ""},
	30023: {"the carrier's daily limit is reached", "raise the daily limit of the A2P 10DLC brand"},
	30024: {"our number is not provisioned with the carrier", "finish the registration of the sending number in Twilio's Console"},
	30032: {"our toll-free number is not verified", "have the toll-free number verified in Twilio's Console"},
	30033: {"our campaign is suspended", "look at the A2P 10DLC campaign in Twilio's Console: it is suspended"},
	30034: {"our number is not registered for messages to the US (A2P 10DLC)", "register the sending number for A2P 10DLC in Twilio's Console"},
	30035: {"our number's registration is not finished", "finish the A2P 10DLC registration in Twilio's Console"},
	30410: {"the carrier has an outage", ""},
	30450: {"Twilio's fraud guard has blocked it", guarded},
	63038: {"the account's daily limit of messages is reached", "raise the account's daily limit of messages: ask Twilio"},
	21610: {"the number has answered STOP", ""},
}

// maxFiltered is how many messages in a row carriers must filter before admins are told.
const maxFiltered = 3

// lostTrack interprets an error code that comes after Twilio accepted a message.
func (t *Twilio) lostTrack(number *int, text *string) Track {
	if number == nil || *number == 0 {
		return Track{State: Failed, Final: true, Err: errors.New("it could not be delivered")}
	}
	known := lostReasons[*number]
	why := cmp.Or(known.why, faults[*number].why)
	if why == "" && text != nil {
		why = t.secrets().line(*text)
	}
	if why == "" {
		why = "not delivered"
	}
	if known.why == "" {
		why += " (" + docsURL(*number) + ")"
	}
	remedy := remedyFor(*number)
	if *number == 30007 && t.filtered.Add(1) >= maxFiltered {
		remedy = "carriers filter one message after the other: look at the number's registration, and change what it sends"
	}
	return Track{
		State: Failed, Final: true, Err: fmt.Errorf("error %d: %s", *number, why), Remedy: remedy,
		Dead: *number == 30005 || *number == 30006 || *number == 21610 || faults[*number].dead,
	}
}
