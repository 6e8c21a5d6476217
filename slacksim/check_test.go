package slacksim_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/slacksim"
)

// call calls a method with JSON and returns the answer.
func call(t *testing.T, sim *slacksim.Sim, method, body string) map[string]any {
	t.Helper()
	return request(t, sim.APIURL()+method, "Bearer xoxb-sim", "application/json", body)
}

func TestBlocksAreChecked(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{})
	long := func(n int) string { return strings.Repeat("x", n) }
	section := func(text string) string { return `{"type":"section","text":{"type":"mrkdwn","text":"` + text + `"}}` }
	button := func(extra string) string {
		return `{"type":"actions","elements":[{"type":"button","action_id":"a","text":{"type":"plain_text","text":"Go"}` + extra + `}]}`
	}
	sel := func(extra string) string {
		return `{"type":"actions","elements":[{"type":"static_select","action_id":"a"` + extra + `}]}`
	}
	option := func(i int) string { return fmt.Sprintf(`{"text":{"type":"plain_text","text":"o"},"value":"%d"}`, i) }
	options := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, option(i))
		}
		return `,"options":[` + strings.Join(list, ",") + `]`
	}
	for _, c := range []struct{ name, blocks, problem string }{
		{"a good section", section("hello"), ""},
		{"section at the limit", section(long(3000)), ""},
		{"section over the limit", section(long(3001)), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
		{"empty text", section(""), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"},
		{"section with nothing", `{"type":"section"}`, "must provide either text or fields"},
		{"eleven fields", `{"type":"section","fields":[` + strings.TrimSuffix(strings.Repeat(`{"type":"mrkdwn","text":"x"},`, 11), ",") + `]}`, "no more than 10 items allowed [json-pointer:/blocks/0/fields]"},
		{"unknown block", `{"type":"secton"}`, "unsupported type: secton [json-pointer:/blocks/0/type]"},
		{"misspelt key", `{"type":"divider","blockid":"x"}`, "invalid additional property: blockid [json-pointer:/blocks/0]"},
		{"header over the limit", `{"type":"header","text":{"type":"plain_text","text":"` + long(151) + `"}}`, "must be less than 151 characters"},
		{"header in mrkdwn", `{"type":"header","text":{"type":"mrkdwn","text":"x"}}`, "must be plain_text [json-pointer:/blocks/0/text/type]"},
		{"button styles", button(`,"style":"primary"`), ""},
		{"unknown style", button(`,"style":"blue"`), "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"},
		{"button value too long", button(`,"value":"` + long(2001) + `"`), "must be less than 2001 characters"},
		{"action_id too long", `{"type":"actions","elements":[{"type":"button","action_id":"` + long(256) + `","text":{"type":"plain_text","text":"Go"}}]}`, "must be less than 256 characters"},
		{"confirm title too long", button(`,"confirm":{"title":{"type":"plain_text","text":"` + long(101) + `"},"text":{"type":"mrkdwn","text":"x"},"confirm":{"type":"plain_text","text":"x"},"deny":{"type":"plain_text","text":"x"}}`), "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]"},
		{"incomplete confirm", button(`,"confirm":{"title":{"type":"plain_text","text":"x"}}`), "missing required field: text"},
		{"26 actions", `{"type":"actions","elements":[` + strings.TrimSuffix(strings.Repeat(`{"type":"button","text":{"type":"plain_text","text":"x"}},`, 26), ",") + `]}`, "no more than 25 items allowed"},
		{"text input in actions", `{"type":"actions","elements":[{"type":"plain_text_input","action_id":"a"}]}`, "unsupported type: plain_text_input"},
		{"select with 100 options", sel(options(100)), ""},
		{"select with 101 options", sel(options(101)), "no more than 100 items allowed"},
		{"select without options", sel(""), "must provide either options or option_groups"},
		{"overflow with 5 options", `{"type":"section","text":{"type":"mrkdwn","text":"x"},"accessory":{"type":"overflow","action_id":"a"` + options(5) + `}}`, ""},
		{"overflow with 6 options", `{"type":"section","text":{"type":"mrkdwn","text":"x"},"accessory":{"type":"overflow","action_id":"a"` + options(6) + `}}`, "no more than 5 items allowed"},
		{"an option's value at the limit", sel(`,"options":[{"text":{"type":"plain_text","text":"o"},"value":"` + long(150) + `"}]`), ""},
		{"an option's value over the limit", sel(`,"options":[{"text":{"type":"plain_text","text":"o"},"value":"` + long(151) + `"}]`), "must be less than 151 characters"},
		{"image without alt_text", `{"type":"image","image_url":"https://example.com/a.png"}`, "missing required field: alt_text"},
		{"context with a button", `{"type":"context","elements":[{"type":"button","text":{"type":"plain_text","text":"x"}}]}`, "unsupported type: button"},
		{"bad date", `{"type":"actions","elements":[{"type":"datepicker","action_id":"a","initial_date":"1.2.2026"}]}`, "must be a date"},
		{"alert in a message", `{"type":"alert","text":{"type":"mrkdwn","text":"x"}}`, "unsupported type: alert"},
		{"one block_id twice", `{"type":"divider","block_id":"x"},{"type":"divider","block_id":"x"}`, "already exists [json-pointer:/blocks/1/block_id]"},
		{"51 blocks", strings.TrimSuffix(strings.Repeat(`{"type":"divider"},`, 51), ","), "no more than 50 items allowed [json-pointer:/blocks]"},
	} {
		answer := call(t, sim, "chat.postMessage", `{"channel":"C0OPS","text":"x","blocks":[`+c.blocks+`]}`)
		got, _ := json.Marshal(answer["response_metadata"])
		switch {
		case c.problem == "" && answer["ok"] != true:
			t.Errorf("%s: refused with %s %s, want it accepted", c.name, answer["error"], got)
		case c.problem != "" && (answer["error"] != "invalid_blocks" || !strings.Contains(string(got), "[ERROR] ") || !strings.Contains(string(got), c.problem)):
			t.Errorf("%s: answered %v %s, want %q", c.name, answer["error"], got, c.problem)
		}
	}
}

func TestViewsAreChecked(t *testing.T) {
	t.Parallel()
	_, sim := bench(t, slacksim.Options{})
	title := `"title":{"type":"plain_text","text":"Page"}`
	input := `{"type":"input","block_id":"b","label":{"type":"plain_text","text":"Why"},"element":{"type":"plain_text_input","action_id":"a"}}`
	for _, c := range []struct{ name, view, problem string }{
		{"no title", `{"type":"modal","blocks":[]}`, "missing required field: title"},
		{"long title", `{"type":"modal","title":{"type":"plain_text","text":"` + strings.Repeat("x", 25) + `"},"blocks":[]}`, "must be less than 25 characters [json-pointer:/view/title/text]"},
		{"input without submit", `{"type":"modal",` + title + `,"blocks":[` + input + `]}`, "/view/submit"},
		{"long private_metadata", `{"type":"modal",` + title + `,"blocks":[],"private_metadata":"` + strings.Repeat("x", 3001) + `"}`, "/view/private_metadata"},
		{"a home as a modal", `{"type":"home","blocks":[]}`, "/view/type"},
		{"a bad block", `{"type":"modal",` + title + `,"blocks":[{"type":"header"}]}`, "[json-pointer:/view/blocks/0]"},
	} {
		trigger := newTrigger(t, sim)
		answer := call(t, sim, "views.open", `{"trigger_id":"`+trigger+`","view":`+c.view+`}`)
		got, _ := json.Marshal(answer)
		if answer["error"] != "invalid_arguments" || !strings.Contains(string(got), c.problem) {
			t.Errorf("%s: answered %s, want %q", c.name, got, c.problem)
		}
	}
}
