package slacksim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// surface is where blocks are shown, which determines which blocks are allowed and how many.
type surface string

const (
	onMessage surface = "message"
	onModal   surface = "modal"
	onHome    surface = "home"
)

// checker collects problems, each with a pointer to its place.
type checker struct {
	problems []string
	where    surface
}

func (c *checker) say(ptr, format string, values ...any) {
	c.problems = append(c.problems, fmt.Sprintf("[ERROR] %s [json-pointer:%s]", fmt.Sprintf(format, values...), ptr))
}

// rule checks one value.
type rule func(c *checker, v any, ptr string)

// shape describes an object: the rules of its fields, and the required ones.
type shape struct {
	need   []string
	fields map[string]rule
	check  func(c *checker, o obj, ptr string) // rules across fields
}

func (sh shape) apply(c *checker, v any, ptr string) {
	o, ok := v.(obj)
	if !ok {
		c.say(ptr, "must provide an object")
		return
	}
	for _, name := range sh.need {
		if o[name] == nil {
			c.say(ptr, "missing required field: %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		check, known := sh.fields[name]
		switch {
		case name == "type":
		case !known:
			c.say(ptr, "invalid additional property: %s", name)
		case o[name] != nil:
			check(c, o[name], ptr+"/"+name)
		}
	}
	if sh.check != nil {
		sh.check(c, o, ptr)
	}
}

// str returns a string of at most n characters.
func str(n int) rule {
	return func(c *checker, v any, ptr string) {
		text, ok := v.(string)
		if !ok {
			c.say(ptr, "must provide a string")
		} else if utf8.RuneCountInString(text) > n {
			c.say(ptr, "must be less than %d characters", n+1)
		}
	}
}

// filled returns a string of 1 to n characters.
func filled(n int) rule {
	return func(c *checker, v any, ptr string) {
		if v == "" {
			c.say(ptr, "must be more than 0 characters")
			return
		}
		str(n)(c, v, ptr)
	}
}

func boolean(c *checker, v any, ptr string) {
	if _, ok := v.(bool); !ok {
		c.say(ptr, "must provide a boolean")
	}
}

func number(c *checker, v any, ptr string) {
	switch v.(type) {
	case float64, int, int64, json.Number:
	default:
		c.say(ptr, "must provide a number")
	}
}

func anything(*checker, any, string) {}

// oneOf is one of a few words.
func oneOf(words ...string) rule {
	return func(c *checker, v any, ptr string) {
		if text, _ := v.(string); !slices.Contains(words, text) {
			c.say(ptr, "must be a valid enum value")
		}
	}
}

// list returns an array of least to most values that all follow one rule.
func list(least, most int, item rule) rule {
	return func(c *checker, v any, ptr string) {
		values, ok := v.([]any)
		switch {
		case !ok:
			c.say(ptr, "must provide an array")
			return
		case len(values) < least:
			c.say(ptr, "no fewer than %d items allowed", least)
		case len(values) > most:
			c.say(ptr, "no more than %d items allowed", most)
		}
		for i, value := range values {
			item(c, value, ptr+"/"+strconv.Itoa(i))
		}
	}
}

// text requires a text object, plain or mrkdwn.
func text(n int) rule {
	return func(c *checker, v any, ptr string) {
		o, _ := v.(obj)
		switch textOf(o["type"]) {
		case "plain_text":
			shape{need: []string{"text"}, fields: map[string]rule{"text": filled(n), "emoji": boolean}}.apply(c, v, ptr)
		case "mrkdwn":
			shape{need: []string{"text"}, fields: map[string]rule{"text": filled(n), "verbatim": boolean}}.apply(c, v, ptr)
		default:
			c.say(ptr+"/type", "must be one of plain_text, mrkdwn")
		}
	}
}

// plain returns a plain_text object.
func plain(n int) rule {
	return func(c *checker, v any, ptr string) {
		if o, _ := v.(obj); textOf(o["type"]) != "plain_text" {
			c.say(ptr+"/type", "must be plain_text")
			return
		}
		text(n)(c, v, ptr)
	}
}

// element is one of the named elements.
func element(kinds ...string) rule {
	return func(c *checker, v any, ptr string) {
		o, _ := v.(obj)
		kind := textOf(o["type"])
		sh, known := elementShapes[kind]
		switch {
		case kind == "plain_text" || kind == "mrkdwn":
			if slices.Contains(kinds, kind) {
				text(2000)(c, v, ptr)
				return
			}
			c.say(ptr, "unsupported type: %s", kind)
		case !known || !slices.Contains(kinds, kind):
			c.say(ptr, "unsupported type: %s", kind)
		default:
			sh.apply(c, v, ptr)
		}
	}
}

// checkBlocks returns what Slack would refuse about blocks; nil if nothing.
func checkBlocks(blocks []any, where surface, ptr string) []string {
	c := &checker{where: where}
	limit := 100
	if where == onMessage {
		limit = 50
	}
	if len(blocks) > limit {
		c.say(ptr, "no more than %d items allowed", limit)
	}
	seen := map[string]bool{}
	for i, b := range blocks {
		at := ptr + "/" + strconv.Itoa(i)
		block, ok := b.(obj)
		if !ok {
			c.say(at, "must provide an object")
			continue
		}
		kind := textOf(block["type"])
		sh, known := blockShapes[kind]
		if !known || !allowedOn(kind, where) {
			c.say(at+"/type", "unsupported type: %s", kind)
			continue
		}
		sh.apply(c, block, at)
		if id := textOf(block["block_id"]); id != "" {
			if seen[id] {
				c.say(at+"/block_id", "block_id %q already exists", id)
			}
			seen[id] = true
		}
		c.uniqueActions(block, at)
	}
	return c.problems
}

// uniqueActions requires unique action_ids in a block.
func (c *checker) uniqueActions(block obj, ptr string) {
	seen := map[string]bool{}
	for _, e := range elementsOf(block) {
		id := textOf(e["action_id"])
		if id != "" && seen[id] {
			c.say(ptr, "action_id %q already exists", id)
		}
		seen[id] = true
	}
}

// elementsOf lists the elements of a block that can carry an action, in order.
func elementsOf(block obj) []obj {
	var out []obj
	add := func(v any) {
		if e, ok := v.(obj); ok {
			out = append(out, e)
		}
	}
	add(block["accessory"])
	if textOf(block["type"]) == "input" {
		add(block["element"])
	}
	for _, name := range []string{"elements", "actions"} {
		if list, ok := block[name].([]any); ok {
			for _, e := range list {
				add(e)
			}
		}
	}
	return out
}

// checkView returns the problems with a view to be shown as a modal or the home tab.
func checkView(v any, where surface) []string {
	o, ok := v.(obj)
	if !ok {
		return []string{"[ERROR] must provide an object [json-pointer:/view]"}
	}
	c := &checker{where: where}
	if textOf(o["type"]) != string(where) {
		c.say("/view/type", "must be %s", where)
		return c.problems
	}
	viewShapes[where].apply(c, o, "/view")
	blocks, _ := o["blocks"].([]any)
	c.problems = append(c.problems, checkBlocks(blocks, where, "/view/blocks")...)
	if where == onModal && o["submit"] == nil && slices.ContainsFunc(blocks, isInput) {
		c.say("/view/submit", "missing required field: submit, as the view has an input block")
	}
	return c.problems
}

func isInput(b any) bool {
	block, _ := b.(obj)
	return textOf(block["type"]) == "input"
}

// webURL accepts addresses that a client would open.
func webURL(c *checker, v any, ptr string) {
	if address, _ := v.(string); !strings.Contains(address, ":") {
		c.say(ptr, "must be a valid URL")
		return
	}
	filled(3000)(c, v, ptr)
}
