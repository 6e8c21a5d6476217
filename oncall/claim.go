package oncall

import (
	"slices"
	"strings"
)

// Spoken says in what words somebody asked for an act.
type Spoken string

// How somebody takes an incident without a command.
const (
	SpokenClaim Spoken = "claim" // "I'm on it"
	SpokenYes   Spoken = "yes"   // "ok" alone: whoever says it may have read no more than the newest message
)

// claims are what people say who take an incident, without apostrophes.
var claims = []string{
	"im on it", "i am on it", "am on it", "on it", "ive got it", "i have got it", "i got it", "got it", "i have it", "have it", "ill take it", "i will take it", "i take it", "take it", "taking it",
	"im looking", "looking", "looking now", "looking into it", "looking at it", "im looking into it", "i am looking into it", "im looking at it", "ill look", "ill look into it", "ill have a look",
	"on my way", "im on my way", "i am on my way", "omw", "its mine", "im at it", "working on it", "im working on it", "i am working on it",
}

// yesWords are the words of an assent. They may precede a claim.
var yesWords = []string{"yes", "yep", "yeah", "yup", "ya", "ok", "okay", "k", "sure", "right", "alright", "roger"}

// ReadClaim says whether somebody takes an incident in plain words: "yes on my way"; empty: they don't.
func ReadClaim(text string) Spoken {
	text = strings.NewReplacer("'", "", "\u2018", "", "\u2019", "", ",", " ", ".", " ", "!", " ").Replace(strings.ToLower(text))
	words := strings.Fields(text)
	said := len(words)
	for len(words) > 0 && slices.Contains(yesWords, words[0]) {
		words = words[1:]
	}
	for len(words) > 0 && slices.Contains([]string{"now", "thanks", "thx", "please", "pls"}, words[len(words)-1]) && len(words) < said {
		words = words[:len(words)-1]
	}
	switch {
	case said == 0 || said > 8:
		return ""
	case len(words) == 0:
		return SpokenYes
	case slices.Contains(claims, strings.Join(words, " ")), slices.Contains(claims, strings.TrimSuffix(strings.Join(words, " "), " now")):
		return SpokenClaim
	}
	return ""
}

// spoken returns the only incident that plain words can mean at this address. An assent alone takes it only if nothing else is open.
func (scope AnswerScope) spoken(intent Intent) []ShownPage {
	var fits, open []IncidentID
	for _, s := range scope.Shown {
		if !s.Here || s.Lost || !scope.Incidents[s.IncidentID].Open() {
			continue
		}
		if !slices.Contains(open, s.IncidentID) {
			open = append(open, s.IncidentID)
		}
		if scope.fits(s, intent.Act) && !slices.Contains(fits, s.IncidentID) {
			fits = append(fits, s.IncidentID)
		}
	}
	if len(open) == 1 {
		fits = open // if the act doesn't fit, its refusal says why
	}
	if len(fits) != 1 || intent.Spoken == SpokenYes && len(open) > 1 {
		return nil
	}
	return scope.byIncident(fits[0])
}
