// Package hostile has the texts that a monitor, a colleague or a stranger could write to fool, call or break
// whatever shows them. It is for tests: every shell shows each of them in every place where others can write.
package hostile

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Text is one of them.
type Text struct{ Name, Text string }

// Texts are all of them. A test that shows fewer says why.
var Texts = []Text{
	{"everybody", "<!channel> <!here> <!everyone> @channel @here @everyone"},
	{"mentions", "<@U0EVE> <@U0EVE|eve> <!subteam^S0ALL> <!subteam^S0ALL|@all> <#C0PAY|payments>"},
	{"links", "<https://evil.example/|https://example.com/> <mailto:eve@evil.example|ann> <javascript:alert(1)|ok> <!date^0^{date}^https://evil.example/|now>"},
	{"escapes", "&lt;!channel&gt; &amp;lt;b&amp;gt; &#60;script&#62; \\u003c!channel\\u003e %3Cb%3E"},
	{"formatting", "*bold* _it_ ~gone~ `code` ```block``` > quote\n>>> all of it\n- list :fire: :red_circle:"},
	{"markdown", "[ok](https://evil.example/) ![x](https://evil.example/x.png) __a__ ||b|| \\*c\\* # head | cell |"},
	{"HTML", `<script>alert(1)</script><img src=x onerror=alert(1)><a href="https://evil.example/">ok</a></title></body><!-- `},
	{"attributes", `" onmouseover="alert(1)" x='1' style=a:b >`},
	{"TwiML", `</Say><Dial>+19005550123</Dial><Say> <Redirect>https://evil.example/</Redirect> ]]><!--`},
	{"templates", "{{flow.data.say}} {% raw %} {{7*7}} ${HOME} $(id) `id` {{.Link}} %s %d %!v(MISSING) %n"},
	{"headers", "disk full\r\nBcc: eve@evil.example\r\nContent-Type: text/html\r\n\r\n<b>body</b>\r\n.\r\nQUIT"},
	{"encoded words", "=?utf-8?B?QmNjOiBldmVAZXZpbC5leGFtcGxl?= =?utf-8?Q?=0D=0ABcc:_eve?= =0A=3D"},
	{"components", "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:y\\;\\,\\n;,:\r\n\tATTACH:https://evil.example/"},
	{"YAML", "- a: [b, {c: *d}]\n? !!python/object:x &e |\n  # no\n---\n... 'it''s' \"x\" yes: no"},
	{"JSON", `","title":"x","status":"resolved"},{"a":[null]}\u0000\ud800\x00`},
	{"quotes", `"double" 'single' ''' \ \\ \" “typographic” ‚low‘ «»`},
	{"CSV", `=HYPERLINK("https://evil.example/";"ok"),+1,-1,@SUM(A1)`},
	{"controls", "bell\x07 back\b\b\b escape\x1b[2J\x1b[31mred\x1b]0;title\x07 delete\x7f C1\u0085\u009b31m form\f vertical\v"},
	{"NUL", "before\x00after"},
	{"lines", "one\ntwo\r\nthree\rfour\u2028five\u2029six\u0085seven\n\n\n\n\n\n\n\n\n\n\n\n\n\n\neight\t\tnine"},
	{"turned around", "\u202egnihtemos\u202c \u2066isolated\u2069 \u2067right\u2069 \u200fmark\u200e \u061carabic \u202dforced"},
	{"invisible", "pay\u200bments\u2060 \u00adsoft \ufeffbom \u200cnon\u200djoiner\u180e \u3164\u115f\U000e0041\U000e007f"},
	{"nothing to see", "\u200b\u2060\ufeff\u00ad"},
	{"only spaces", " \t\u00a0\u2003\u3000 "},
	{"empty", ""},
	{"emojis", "👩‍👩‍👧‍👦🏳️‍🌈👍🏽🇩🇪1️⃣🫠 :pager: 🚨🚨🚨"},
	{"many emojis", strings.Repeat("👩‍👩‍👧‍👦", 300)},
	{"zalgo", "d" + strings.Repeat("\u0301\u0489\u035c", 100) + "isk"},
	{"costly SMS", strings.Repeat("ж", 400) + "€^{}[~]|\\"},
	{"long extended", strings.Repeat("^{}[~]|\\€", 60)},
	{"wide and combining", "ｄｉｓｋ ｆｕｌｌ ﬀ ﷽ " + strings.Repeat("e\u0301", 200)},
	{"invalid UTF-8", "a\xff\xfe\xc3(\xa0\xa1 \xed\xa0\x80 \xf0\x9f\x98 end\xc3"},
	{"one long word", strings.Repeat("x", 100_000)},
	{"one long line", strings.Repeat("<!channel> & \"word\" ", 5_000)},
	{"many lines", strings.Repeat("line\n", 20_000)},
	{"long and wide", strings.Repeat("日本語🚨", 25_000)},
	{"what grows when escaped", strings.Repeat("<&>\"'\u2028", 3_000)},
	{"what grows in JSON", strings.Repeat("<", 5_000)},
	{"quotes without end", strings.Repeat(`"`, 5_000) + strings.Repeat(`\`, 5_000)},
	{"our own words", "Watchbill: to be paged, reply 123456. Acknowledged #1. ack 1r :pager: On call: Eve | [#1] (resolved)"},
	{"addresses", "https://evil.example/?a=1&b=2#c http://127.0.0.1:80/ //evil.example/ \\\\evil\\x file:///etc/passwd tel:+19005550123"},
	{"paths", "../../etc/passwd C:\\x ~/.ssh /dev/null"},
}

// Plain says what is wrong with a text that people are shown as it is, also on a terminal: bytes that are no
// UTF-8, control characters, marks that turn a line around, separators of lines; "" is nothing. Line feeds are
// fine where there may be several lines.
func Plain(shown string, lines bool) string {
	if !utf8.ValidString(shown) {
		return "it is no UTF-8"
	}
	for _, r := range shown {
		if r == '\n' && lines {
			continue
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp) {
			return fmt.Sprintf("it has %U", r)
		}
	}
	return ""
}

// Active says what of a text Slack would act on, where < and > have to be escaped unless we wrote them; ""
// is nothing. All that these texts could bring is looked for, so that our own mentions and links are fine.
func Active(shown string) string {
	for _, part := range []string{
		"<!channel", "<!here", "<!everyone", "<!subteam^S0ALL", "<@U0EVE", "<#C0PAY|", "<https://evil", "<mailto:eve", "<javascript:", "<!date^0^", "|https://example.com/>",
	} {
		if strings.Contains(shown, part) {
			return fmt.Sprintf("it has %q", part)
		}
	}
	return ""
}
