package bot

import "testing"

func TestUnescapeTurnsMarkupIntoWhatWasTyped(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"see <https://run.example/a?b=1&amp;c=2>.":              "see https://run.example/a?b=1&c=2.",
		"see <http://run.example|run.example>":                  "see run.example",
		"see <https://run.example|the runbook>":                 "see https://run.example (the runbook)",
		"ask <mailto:bo@example.com|bo@example.com>":            "ask bo@example.com",
		"call <tel:+12025550100|+1 202 555 0100>":               "call +1 202 555 0100",
		"<@U0BO|bo> and <@U0CY> in <#C0OPS|ops>":                "@bo and @U0CY in #ops",
		"<#C0OPS|>, <C0OPS|ops>, <C0OPS|>":                      "#C0OPS, #ops, #C0OPS",
		"<!subteam^S0PAY|@payments>, <!subteam^S0PAY>, <!here>": "@payments, @S0PAY, @here",
		"<!channel|channel> <!date^1^{date}|Monday>":            "@channel Monday",
		"a &lt; b &amp;&amp; c &gt; d, &amp;lt; stays":          "a < b && c > d, &lt; stays",
		"<https://run.example/&lt;x&gt;>":                       "https://run.example/<x>",
		"nothing to see":                                        "nothing to see",
	} {
		if got := unescape(typed); got != want {
			t.Errorf("%q becomes %q, want %q", typed, got, want)
		}
	}
}
