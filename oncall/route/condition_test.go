package route

import (
	"strings"
	"testing"
)

var facts = Facts{
	Title: "Disk full on web-1", Body: "98 % used", Severity: "high", Service: "checkout", Kind: "alertmanager", Integration: "prometheus",
	Team: "platform", Key: "disk/web-1", Link: "https://example.com/d/1",
	Labels:  map[string]string{"env": "prod", "instance": "web-1", "app.kubernetes.io/name": "shop", "a name": "x, y"},
	Details: map[string]string{"value": "98"},
}

func TestParseConditionReadsOrRefuses(t *testing.T) {
	for written, want := range map[string]bool{
		`labels.env is prod`:                                         true,
		`labels.env is Prod`:                                         false, // as it is written
		`labels.env   is   prod`:                                     true,
		`labels.env is not prod`:                                     false,
		`labels.region is not eu`:                                    true, // what is missing is something else
		`labels.env is one of staging, prod`:                         true,
		`labels.env is one of "staging" , "prod"`:                    true,
		`labels.env is not one of staging, test`:                     true,
		`title starts with Disk full`:                                true,
		`title does not start with Disk`:                             false,
		`title contains full on`:                                     true,
		`title does not contain "web-2"`:                             true,
		`labels.region exists`:                                       false,
		`labels.region does not exist`:                               true,
		`labels.instance matches web-[0-9]`:                          true,
		`labels.instance matches web`:                                false, // the whole value
		`labels.instance matches web-[0-9]|db`:                       true,
		`labels.instance matches db|web`:                             false, // either way the whole value
		`labels.instance does not match web-[0-9]`:                   false,
		`labels.app.kubernetes.io/name is shop`:                      true,
		`labels["a name"] is "x, y"`:                                 true,
		`labels["a name"] is x, y`:                                   true, // only lists end at a comma
		`severity is one of critical, high`:                          true,
		`service is checkout`:                                        true,
		`kind is alertmanager`:                                       true,
		`integration is prometheus`:                                  true,
		`team is not platform`:                                       false,
		`dedup_key starts with disk/`:                                true,
		`link contains example.com`:                                  true,
		`details.value is 98`:                                        true,
		`body contains %`:                                            true,
		`labels.region is ""`:                                        true,
		`labels.env is "\u0070rod"`:                                  true,
		`title matches (?i)disk.*`:                                   true,
		"labels.env\tis\tprod":                                       true,
		`labels.is is is`:                                            false,
		`labels.env is one of ` + strings.Repeat("x, ", 99) + "prod": true,
	} {
		c, err := parseCondition(written)
		if err != nil {
			t.Errorf("%s: %v", written, err)
			continue
		}
		if got := c.isTrue(&facts); got != want {
			t.Errorf("%s: %v, want %v", written, got, want)
		}
		if why := c.unmet(&facts); !c.isTrue(&facts) && !strings.Contains(why, c.field) {
			t.Errorf("%s: the verdict is %q, want the field %q in it", written, why, c.field)
		}
	}
}

func TestConditionProblemsSuggestAFix(t *testing.T) {
	for written, want := range map[string]string{
		``:                                  "it is empty",
		`labels.env`:                        `write "labels.env exists"`,
		`labels is prod`:                    "write labels.NAME",
		`label.env is prod`:                 `did you mean "labels.env"?`,
		`env is prod`:                       `did you mean "labels.env"?`,
		`titel is x`:                        `did you mean "title"?`,
		`labels.env = prod`:                 `did you mean "labels.env is"?`,
		`labels.env == prod`:                `did you mean "labels.env is"?`,
		`labels.env != prod`:                `did you mean "labels.env is not"?`,
		`labels.env =~ web.*`:               `did you mean "labels.env matches"?`,
		`labels.env !~ web.*`:               `did you mean "labels.env does not match"?`,
		`labels.env in a, b`:                `did you mean "labels.env is one of"?`,
		`labels.env begins with a`:          `did you mean "labels.env starts with"?`,
		`labels.env startswith a`:           `did you mean "labels.env starts with"?`,
		`labels.env contain a`:              `did you mean "labels.env contains"?`,
		`labels.env is web-*`:               `did you mean "labels.env starts with web-"?`,
		`labels.env is one of a, web-*`:     `did you mean "labels.env starts with web-"?`,
		`labels.env is /web.*/`:             `did you mean "labels.env matches web.*"?`,
		`labels.env is`:                     `an empty one is written ""`,
		`labels.env is one of a,, b`:        `an empty one is written ""`,
		`labels.env is one of a,`:           `an empty one is written ""`,
		`labels.env is "a`:                  "none ends it",
		`labels.env is "a" b`:               `follows "b"`,
		`labels.env exists yes`:             `nothing may follow`,
		`labels.env matches web-[`:          "missing closing ]",
		`severity is P1`:                    `did you mean "critical"?`,
		`severity is warning`:               `did you mean "medium"?`,
		`severity is purple`:                "there are critical, high, medium and low",
		`severity contains crit`:            "severity is one of",
		`labels["a name is x`:               "nothing ends",
		strings.Repeat("x", maxCondition+1): "longer than",
	} {
		if _, err := parseCondition(written); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", written, err, want)
		}
	}
	for _, written := range []string{`labels.env is "web-*"`, `labels.env is "/web/"`, `labels.env is *`, `labels.env contains a*b`} {
		if _, err := parseCondition(written); err != nil {
			t.Errorf("%s: %v", written, err)
		}
	}
}
