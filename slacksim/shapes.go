package slacksim

import (
	"maps"
	"regexp"
	"slices"
)

// The lengths and fields below follow Slack's published types and reference pages.

// interactive are the elements that send block_actions.
var interactive = map[string]bool{
	"button": true, "overflow": true, "static_select": true, "external_select": true, "users_select": true,
	"conversations_select": true, "channels_select": true, "multi_static_select": true,
	"multi_external_select": true, "multi_users_select": true, "multi_conversations_select": true,
	"multi_channels_select": true, "datepicker": true, "timepicker": true, "datetimepicker": true,
	"checkboxes": true, "radio_buttons": true, "plain_text_input": true, "number_input": true,
	"email_text_input": true, "url_text_input": true, "rich_text_input": true, "file_input": true,
}

var (
	pickers = []string{
		"static_select", "external_select", "users_select", "conversations_select", "channels_select",
		"datepicker", "timepicker", "datetimepicker", "checkboxes", "radio_buttons",
	}
	multis = []string{
		"multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select",
		"multi_channels_select",
	}
	writers = []string{
		"plain_text_input", "number_input", "email_text_input", "url_text_input", "rich_text_input", "file_input",
	}
	inAccessory = slices.Concat([]string{"button", "overflow", "image", "workflow_button"}, pickers, multis)
	inActions   = slices.Concat([]string{"button", "overflow", "workflow_button", "rich_text_input"}, pickers, multis)
	inInput     = slices.Concat(pickers, multis, writers)
)

func allowedOn(kind string, where surface) bool {
	switch kind {
	case "alert":
		return where == onModal
	case "file", "markdown", "table", "data_visualization":
		return where == onMessage
	default:
		return true
	}
}

var confirmShape = shape{
	need: []string{"title", "text", "confirm", "deny"},
	fields: map[string]rule{
		"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30), "style": oneOf("primary", "danger"),
	},
}

func optionShape(label rule) shape {
	return shape{
		need:   []string{"text", "value"},
		fields: map[string]rule{"text": label, "value": str(150), "description": text(75), "url": webURL},
	}
}

var (
	plainOption = optionShape(plain(75)).apply
	textOption  = optionShape(text(75)).apply
	group       = shape{
		need:   []string{"label", "options"},
		fields: map[string]rule{"label": plain(75), "options": list(1, 100, plainOption)},
	}
	confirm    = confirmShape.apply
	date       = matching(`^\d{4}-\d{2}-\d{2}$`, "must be a date such as 2026-01-31")
	clockTime  = matching(`^([01]\d|2[0-3]):[0-5]\d$`, "must be a time such as 09:30")
	dispatch   = shape{fields: map[string]rule{"trigger_actions_on": list(1, 2, oneOf("on_enter_pressed", "on_character_entered"))}}
	convFilter = shape{fields: map[string]rule{
		"include": list(1, 4, oneOf("im", "mpim", "private", "public")), "exclude_external_shared_channels": boolean,
		"exclude_bot_users": boolean,
	}}
	slackFile = shape{fields: map[string]rule{"id": str(255), "url": webURL}}
)

func matching(pattern, complaint string) rule {
	expr := regexp.MustCompile(pattern)
	return func(c *checker, v any, ptr string) {
		if !expr.MatchString(textOf(v)) {
			c.say(ptr, "%s", complaint)
		}
	}
}

// with merges an element's own fields with those that all such elements have.
func with(common, own map[string]rule) map[string]rule {
	out := maps.Clone(common)
	maps.Copy(out, own)
	return out
}

var (
	acting = map[string]rule{"action_id": str(255)}
	asking = with(acting, map[string]rule{"confirm": confirm, "focus_on_load": boolean})
	hinted = with(asking, map[string]rule{"placeholder": plain(150)})
	typed  = with(acting, map[string]rule{
		"placeholder": plain(150), "focus_on_load": boolean, "dispatch_action_config": dispatch.apply,
	})
	choices = with(hinted, map[string]rule{"options": list(1, 100, plainOption), "option_groups": list(1, 100, group.apply)})
	several = map[string]rule{"max_selected_items": number}
	ids     = list(0, 100, str(255))
)

// optionsOrGroups requires exactly one of the two.
func optionsOrGroups(c *checker, o obj, ptr string) {
	if (o["options"] == nil) == (o["option_groups"] == nil) {
		c.say(ptr, "must provide either options or option_groups")
	}
}

func imageSource(c *checker, o obj, ptr string) {
	if (o["image_url"] == nil) == (o["slack_file"] == nil) {
		c.say(ptr, "must provide either image_url or slack_file")
	}
}

var elementShapes = map[string]shape{
	"button": {need: []string{"text"}, fields: with(acting, map[string]rule{
		"text": plain(75), "value": str(2000), "url": webURL, "style": oneOf("primary", "danger"),
		"confirm": confirm, "accessibility_label": str(75), "visible_to_user_ids": ids,
		"agent_prompt": anything, "agent_prompt_display": anything,
	})},
	"workflow_button": {need: []string{"text", "workflow"}, fields: with(acting, map[string]rule{
		"text": plain(75), "workflow": anything, "style": oneOf("primary", "danger"), "accessibility_label": str(75),
	})},
	"overflow": {need: []string{"options"}, fields: with(acting, map[string]rule{
		"options": list(1, 5, plainOption), "confirm": confirm,
	})},
	"image": {need: []string{"alt_text"}, check: imageSource, fields: map[string]rule{
		"image_url": webURL, "alt_text": filled(2000), "slack_file": slackFile.apply,
	}},
	"static_select": {check: optionsOrGroups, fields: with(choices, map[string]rule{"initial_option": plainOption})},
	"multi_static_select": {check: optionsOrGroups, fields: with(with(choices, several), map[string]rule{
		"initial_options": list(1, 100, plainOption),
	})},
	"external_select": {fields: with(hinted, map[string]rule{"min_query_length": number, "initial_option": plainOption})},
	"multi_external_select": {fields: with(with(hinted, several), map[string]rule{
		"min_query_length": number, "initial_options": list(1, 100, plainOption),
	})},
	"users_select":       {fields: with(hinted, map[string]rule{"initial_user": str(255)})},
	"multi_users_select": {fields: with(with(hinted, several), map[string]rule{"initial_users": ids})},
	"conversations_select": {fields: with(hinted, map[string]rule{
		"initial_conversation": str(255), "default_to_current_conversation": boolean, "response_url_enabled": boolean,
		"filter": convFilter.apply,
	})},
	"multi_conversations_select": {fields: with(with(hinted, several), map[string]rule{
		"initial_conversations": ids, "default_to_current_conversation": boolean, "filter": convFilter.apply,
	})},
	"channels_select":       {fields: with(hinted, map[string]rule{"initial_channel": str(255), "response_url_enabled": boolean})},
	"multi_channels_select": {fields: with(with(hinted, several), map[string]rule{"initial_channels": ids})},
	"datepicker":            {fields: with(hinted, map[string]rule{"initial_date": date})},
	"timepicker":            {fields: with(hinted, map[string]rule{"initial_time": clockTime, "timezone": str(255)})},
	"datetimepicker":        {fields: with(asking, map[string]rule{"initial_date_time": number})},
	"checkboxes": {need: []string{"options"}, fields: with(asking, map[string]rule{
		"options": list(1, 10, textOption), "initial_options": list(1, 10, textOption),
	})},
	"radio_buttons": {need: []string{"options"}, fields: with(asking, map[string]rule{
		"options": list(1, 10, textOption), "initial_option": textOption,
	})},
	"plain_text_input": {fields: with(typed, map[string]rule{
		"initial_value": str(3000), "multiline": boolean, "min_length": number, "max_length": number,
	})},
	"number_input": {need: []string{"is_decimal_allowed"}, fields: with(typed, map[string]rule{
		"is_decimal_allowed": boolean, "initial_value": str(255), "min_value": str(255), "max_value": str(255),
	})},
	"email_text_input": {fields: with(typed, map[string]rule{"initial_value": str(3000)})},
	"url_text_input":   {fields: with(typed, map[string]rule{"initial_value": str(3000)})},
	"rich_text_input": {fields: with(typed, map[string]rule{
		"initial_value": anything, "min_lines": number, "max_lines": number,
	})},
	"file_input": {fields: with(acting, map[string]rule{"filetypes": ids, "max_files": number})},
}

var named = map[string]rule{"block_id": str(255)}

func sectionCheck(c *checker, o obj, ptr string) {
	if o["text"] == nil && o["fields"] == nil {
		c.say(ptr, "must provide either text or fields")
	}
}

var blockShapes = map[string]shape{
	"section": {check: sectionCheck, fields: with(named, map[string]rule{
		"text": text(3000), "fields": list(1, 10, text(2000)), "accessory": element(inAccessory...), "expand": boolean,
	})},
	"divider": {fields: named},
	"header":  {need: []string{"text"}, fields: with(named, map[string]rule{"text": plain(150)})},
	"context": {need: []string{"elements"}, fields: with(named, map[string]rule{
		"elements": list(1, 10, element("plain_text", "mrkdwn", "image")),
	})},
	"actions": {need: []string{"elements"}, fields: with(named, map[string]rule{
		"elements": list(1, 25, element(inActions...)),
	})},
	"image": {need: []string{"alt_text"}, check: imageSource, fields: with(named, map[string]rule{
		"image_url": webURL, "alt_text": filled(2000), "title": plain(2000), "slack_file": slackFile.apply,
	})},
	"input": {need: []string{"label", "element"}, fields: with(named, map[string]rule{
		"label": plain(2000), "hint": plain(2000), "optional": boolean, "dispatch_action": boolean,
		"element": element(inInput...),
	})},
	"markdown": {need: []string{"text"}, fields: with(named, map[string]rule{"text": filled(12000)})},
	"alert": {need: []string{"text"}, fields: with(named, map[string]rule{
		"text": text(2000), "level": oneOf("default", "info", "warning", "error", "success"), "title": plain(150),
	})},
	"rich_text": {need: []string{"elements"}, fields: with(named, map[string]rule{"elements": list(0, 1000, anything)})},
	"table": {need: []string{"rows"}, fields: with(named, map[string]rule{
		"rows": list(1, 100, list(1, 20, anything)), "column_settings": list(0, 20, anything),
	})},
	"data_visualization": {need: []string{"title", "chart"}, fields: with(named, map[string]rule{
		"title": str(50), "chart": anything,
	})},
	"video": {need: []string{"title", "video_url", "thumbnail_url", "alt_text"}, fields: with(named, map[string]rule{
		"title": plain(200), "video_url": webURL, "thumbnail_url": webURL, "alt_text": str(2000),
		"title_url": webURL, "description": plain(200), "author_name": str(50), "provider_name": str(50),
		"provider_icon_url": webURL,
	})},
	"file": {need: []string{"external_id", "source"}, fields: with(named, map[string]rule{
		"external_id": str(255), "source": oneOf("remote"),
	})},
}

var viewCommon = map[string]rule{
	"blocks": list(0, 100, anything), "private_metadata": str(3000), "callback_id": str(255), "external_id": str(255),
}

var viewShapes = map[surface]shape{
	onHome: {need: []string{"blocks"}, fields: with(viewCommon, map[string]rule{
		// Clients send these although the home tab ignores them.
		"title": anything, "submit": anything, "close": anything, "clear_on_close": boolean, "notify_on_close": boolean,
	})},
	onModal: {need: []string{"title", "blocks"}, fields: with(viewCommon, map[string]rule{
		"title": plain(24), "submit": plain(24), "close": plain(24), "clear_on_close": boolean,
		"notify_on_close": boolean, "submit_disabled": boolean,
	})},
}
