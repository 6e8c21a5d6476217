package slacksim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// valueField maps each kind of element to the field of its value, in states and actions.
var valueField = map[string]string{
	"plain_text_input": "value", "number_input": "value", "email_text_input": "value", "url_text_input": "value",
	"rich_text_input": "rich_text_value", "static_select": "selected_option", "external_select": "selected_option",
	"overflow": "selected_option", "radio_buttons": "selected_option", "users_select": "selected_user",
	"conversations_select": "selected_conversation", "channels_select": "selected_channel",
	"multi_static_select": "selected_options", "multi_external_select": "selected_options",
	"checkboxes": "selected_options", "multi_users_select": "selected_users",
	"multi_conversations_select": "selected_conversations", "multi_channels_select": "selected_channels",
	"datepicker": "selected_date", "timepicker": "selected_time", "datetimepicker": "selected_date_time",
	"file_input": "files",
}

// initialField returns the field of an element's initial value.
func initialField(kind string) string {
	if kind == "rich_text_input" {
		return "initial_value"
	}
	field := valueField[kind]
	if field == "value" {
		return "initial_value"
	}
	return strings.Replace(field, "selected_", "initial_", 1)
}

// initialState returns the state of untouched blocks.
func initialState(blocks []any, origin string) map[string]map[string]obj {
	state := map[string]map[string]obj{}
	for _, b := range blocks {
		block, _ := b.(obj)
		for _, e := range elementsOf(block) {
			kind := textOf(e["type"])
			if kind == "button" || kind == "overflow" || valueField[kind] == "" {
				continue
			}
			id := textOf(block["block_id"])
			if state[id] == nil {
				state[id] = map[string]obj{}
			}
			value := e[initialField(kind)]
			if value == nil && e["default_to_current_conversation"] == true && origin != "" {
				value = origin
			}
			state[id][textOf(e["action_id"])] = stateOf(e, value)
		}
	}
	return state
}

// stateOf returns an element's entry in a state.
func stateOf(e obj, value any) obj {
	kind := textOf(e["type"])
	if value == nil && strings.HasPrefix(valueField[kind], "selected_") && strings.HasSuffix(valueField[kind], "s") {
		value = []any{}
	}
	o := obj{"type": kind, valueField[kind]: value}
	if kind == "timepicker" && e["timezone"] != nil {
		o["timezone"] = e["timezone"]
	}
	return o
}

// valueFor converts a caller's value (a string, a list, a number, or the option itself) into the element's
// value. Options are found by value or label, among those of the element and those that the app offered
// last for an external select.
func valueFor(e obj, given any, offered []obj) (any, error) {
	kind := textOf(e["type"])
	field := valueField[kind]
	switch {
	case given == nil:
		return nil, nil
	case field == "selected_option":
		return pickOption(e, given, offered)
	case field == "selected_options":
		out := []any{}
		for _, g := range asList(given) {
			option, err := pickOption(e, g, offered)
			if err != nil {
				return nil, err
			}
			out = append(out, option)
		}
		return out, nil
	case strings.HasSuffix(field, "s") && field != "files":
		return asList(given), nil
	case field == "selected_date_time":
		n, err := strconv.ParseInt(fmt.Sprint(given), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s wants unix seconds, not %v", kind, given)
		}
		return n, nil
	case field == "value":
		if text, ok := given.(string); ok && text == "" {
			return nil, nil // Slack sends null for an empty field
		}
		return fmt.Sprint(given), nil
	default:
		return given, nil
	}
}

func asList(given any) []any {
	switch v := given.(type) {
	case []any:
		return v
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	default:
		return []any{given}
	}
}

// pickOption finds an option by its value or label; options of external selects are used as given.
func pickOption(e obj, given any, offered []obj) (any, error) {
	if o, ok := given.(obj); ok {
		if strings.Contains(textOf(e["type"]), "external") {
			return o, nil
		}
		given = textOf(o["value"])
	}
	for _, option := range slices.Concat(optionsOf(e), offered) {
		label, _ := option["text"].(obj)
		if textOf(option["value"]) == given || textOf(label["text"]) == given {
			return option, nil
		}
	}
	return nil, fmt.Errorf("%s %q has no option %v", e["type"], e["action_id"], given)
}

func optionsOf(e obj) []obj {
	var out []obj
	add := func(v any) {
		list, _ := v.([]any)
		for _, item := range list {
			if o, ok := item.(obj); ok {
				out = append(out, o)
			}
		}
	}
	add(e["options"])
	groups, _ := e["option_groups"].([]any)
	for _, g := range groups {
		if o, ok := g.(obj); ok {
			add(o["options"])
		}
	}
	return out
}

// complaints returns the errors that Slack's own client shows before it submits.
func complaints(v *view) map[string]string {
	out := map[string]string{}
	for _, b := range v.blocks() {
		block, _ := b.(obj)
		if textOf(block["type"]) != "input" {
			continue
		}
		e, _ := block["element"].(obj)
		id := textOf(block["block_id"])
		value := v.State[id][textOf(e["action_id"])][valueField[textOf(e["type"])]]
		if list, ok := value.([]any); value == nil || ok && len(list) == 0 {
			if block["optional"] != true {
				out[id] = "Please complete this required field."
			}
			continue
		}
		if text, ok := value.(string); ok {
			if problem := badText(e, text); problem != "" {
				out[id] = problem
			}
		}
	}
	return out
}

func badText(e obj, text string) string {
	n := utf8.RuneCountInString(text)
	switch kind := textOf(e["type"]); {
	case n < intOf(e["min_length"]):
		return fmt.Sprintf("Please enter at least %d characters.", intOf(e["min_length"]))
	case e["max_length"] != nil && n > intOf(e["max_length"]), n > 3000:
		return "This is too long."
	case kind == "number_input":
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return "Please enter a number."
		}
	case kind == "email_text_input" && !strings.Contains(text, "@"):
		return "Please enter an e-mail address."
	case kind == "url_text_input" && !strings.Contains(text, "://"):
		return "Please enter a link."
	}
	return ""
}

func intOf(v any) int {
	switch n := v.(type) {
	case float64:
		return int(n)
	case json.Number:
		i, _ := n.Int64() // 0 if it is no integer, which the check of the view refuses
		return int(i)
	default:
		return 0
	}
}

// setState writes values, keyed by "block_id/action_id", by action_id or by block_id.
func (v *view) setState(values map[string]any, offered map[string][]obj) error {
	used := map[string]bool{}
	for _, b := range v.blocks() {
		block, _ := b.(obj)
		for _, e := range elementsOf(block) {
			id, action := textOf(block["block_id"]), textOf(e["action_id"])
			for _, key := range []string{id + "/" + action, action, id} {
				given, ok := values[key]
				if !ok || valueField[textOf(e["type"])] == "" || v.State[id] == nil {
					continue
				}
				value, err := valueFor(e, given, offered[v.User+action])
				if err != nil {
					return err
				}
				v.State[id][action] = stateOf(e, value)
				used[key] = true
				break
			}
		}
	}
	for key := range values {
		if !used[key] {
			return fmt.Errorf("the view has no input %q; it has %s", key, strings.Join(v.inputs(), ", "))
		}
	}
	return nil
}

func (v *view) inputs() []string {
	var out []string
	for block, actions := range v.State {
		for action := range actions {
			out = append(out, block+"/"+action)
		}
	}
	slices.Sort(out)
	return out
}
