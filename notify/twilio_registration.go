package notify

import (
	"context"
	"slices"
	"strings"

	"github.com/twilio/twilio-go/client"
	messaging "github.com/twilio/twilio-go/rest/messaging/v1"
	trusthub "github.com/twilio/twilio-go/rest/trusthub/v1"
)

// tollFree are the area codes of toll-free numbers in North America.
var tollFree = []string{"800", "833", "844", "855", "866", "877", "888"}

func isTollFree(number string) bool {
	area, found := strings.CutPrefix(number, "+1")
	return found && len(area) > 3 && slices.Contains(tollFree, area[:3])
}

// unregistered is the note if our number's registration can't be read.
var unregistered = CheckResult{
	Note: true, Minor: true, Text: "numbers in the US and Canada must be registered before carriers take their SMS",
	Remedy: "Register for A2P 10DLC, or verify a toll-free number (Twilio's Console, Regulatory Compliance); it takes days to weeks.",
}

// checkRegistration checks whether carriers in North America take the SMS of our number, which has this SID,
// and of the Messaging Service that it is in, if any.
func (t *Twilio) checkRegistration(ctx context.Context, number, service string) []CheckResult {
	switch {
	case isTollFree(t.From):
		return t.checkTollFree(ctx, number)
	case strings.HasPrefix(t.From, "+1") && service == "":
		return []CheckResult{unregistered}
	case strings.HasPrefix(t.From, "+1"), t.From == "" && service != "":
		return t.checkCampaign(ctx, service)
	}
	return nil
}

func (t *Twilio) checkTollFree(ctx context.Context, number string) []CheckResult {
	page, _, err := askMessaging(ctx, t, "look at the verification of the toll-free number", func(a *messaging.ApiService) (*messaging.ListTollfreeVerificationResponse, error) {
		return a.PageTollfreeVerification((&messaging.ListTollfreeVerificationParams{}).SetTollfreePhoneNumberSid(number).SetPageSize(messagePage), "", "")
	})
	if err != nil {
		return []CheckResult{unregistered}
	}
	var all []string
	for _, v := range page.Verifications {
		all = append(all, deref(v.Status))
	}
	const remedy = "Have it verified in Twilio's Console, under Phone Numbers, Regulatory Compliance."
	switch {
	case slices.Contains(all, "TWILIO_APPROVED"):
		return []CheckResult{{OK: true, Text: "the toll-free number is verified"}}
	case slices.Contains(all, "PENDING_REVIEW") || slices.Contains(all, "IN_REVIEW"):
		return []CheckResult{{Note: true, Text: "the toll-free number is not verified yet: carriers take none of its SMS until then", Remedy: "Wait for Twilio's review."}}
	case slices.Contains(all, "TWILIO_REJECTED"):
		return []CheckResult{{Text: "the verification of the toll-free number was rejected: carriers take none of its SMS", Remedy: remedy}}
	}
	return []CheckResult{{Text: "the toll-free number is not verified: carriers take none of its SMS", Remedy: remedy}}
}

func (t *Twilio) checkCampaign(ctx context.Context, service string) []CheckResult {
	page, _, err := askMessaging(ctx, t, "look at the campaign", func(a *messaging.ApiService) (*messaging.ListUsAppToPersonResponse, error) {
		return a.PageUsAppToPerson(service, (&messaging.ListUsAppToPersonParams{}).SetPageSize(messagePage), "", "")
	})
	var all []string
	if err == nil {
		for _, c := range page.Compliance {
			all = append(all, deref(c.CampaignStatus))
		}
	}
	switch {
	case len(all) == 0 && t.From == "": // the service's numbers may be of another country
		return nil
	case len(all) == 0:
		return []CheckResult{unregistered}
	case slices.Contains(all, "VERIFIED"):
		return []CheckResult{{OK: true, Text: "the A2P 10DLC campaign is verified"}}
	case slices.Contains(all, "PENDING") || slices.Contains(all, "IN_PROGRESS"):
		return []CheckResult{{Note: true, Text: "the A2P 10DLC campaign is not verified yet: carriers in the US block its SMS until then", Remedy: "Wait for the carriers' review."}}
	}
	return []CheckResult{{
		Text:   "the A2P 10DLC campaign is " + oneLine(strings.ToLower(all[0]), maxName) + ": carriers in the US block its SMS",
		Remedy: "Look at the campaign in Twilio's Console, under Messaging, Regulatory Compliance.",
	}}
}

// checkProfile checks for the customer profile, which even a paid account may lack. It reports nothing if the key may
// not read profiles.
func (t *Twilio) checkProfile(ctx context.Context) []CheckResult {
	page, _, err := ask(ctx, t, "look at the customer profile", func(h *client.RequestHandler) (*trusthub.ListCustomerProfileResponse, error) {
		return trusthub.NewApiService(h).PageCustomerProfile((&trusthub.ListCustomerProfileParams{}).SetPageSize(messagePage), "", "")
	})
	if err != nil || slices.ContainsFunc(page.Results, func(p trusthub.TrusthubV1CustomerProfile) bool { return deref(p.Status) == "twilio-approved" }) {
		return nil
	}
	return []CheckResult{{
		Note: true, Text: "no customer profile is approved: such an account may reach only numbers verified in Twilio's Console, and make few calls at once",
		Remedy: "Submit the Primary Customer Profile in Twilio's Console, under Trust Hub.",
	}}
}
