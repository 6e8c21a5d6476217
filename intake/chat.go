package intake

import (
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isChat(o object) bool {
	attachments := o.list("attachments")
	embeds := o.list("embeds")
	return len(attachments) > 0 && !o.has("alerts") && (attachments[0].any("title", "text", "fallback", "pretext") || len(attachments[0].list("blocks")) > 0) ||
		len(embeds) > 0 && embeds[0].any("title", "description") || isCard(o) || o.any("text") && o.any("username", "channel", "icon_emoji") ||
		o.any("text") && len(o.list("blocks")) > 0
}

// chat reads a chat message in Slack's or Discord's format. It has no key and no state, so both are
// derived from the title and the colour.
func chat(o object) ([]oncall.Signal, error) {
	var about object
	if attachments := append(o.list("attachments"), o.list("embeds")...); len(attachments) > 0 {
		about = attachments[0]
	}
	color := first(about.str("color"), o.str("themeColor"))
	text := about.str("text", "description", "fallback")
	d := draft{
		title: first(about.str("title"), about.str("pretext"), o.str("text"), o.str("content")), body: first(text, o.str("text")),
		link: about.str("title_link", "url"), labels: map[string]string{},
	}
	if isCard(o) {
		readCard(&d, o)
	}
	all := append([]string{o.str("text", "content"), text, d.title, about.str("fallback")}, cardTexts("attachments", o.at("attachments"))...)
	if says := stateLine(append(all, cardTexts("blocks", o.at("blocks"))...)); says != "" {
		d.title = stem(says)
		d.key = hash(d.title)
		if d.action, _ = actionInTitle(says); kumaState(says) != nil && d.action == oncall.Trigger {
			d.title += " is down"
		}
	}
	if d.title == "" {
		d.title, _, _ = strings.Cut(d.body, "\n")
	}
	if d.title == "" {
		return nil, problem("text", "text is missing; a message needs it, or an attachment with a title.")
	}
	if d.action == "" {
		var known bool
		if d.action, known = actionInTitle(d.title); !known {
			d.action = actionOfColor(color)
		}
	}
	if strings.EqualFold(color, "warning") {
		d.level = "warning"
	}
	for _, field := range about.list("fields") {
		d.detail(field.str("title", "name"), field.str("value"))
	}
	return single(d)
}

// stateLine returns the first line in which Uptime Kuma or Gatus reports a status, or "" if there is
// none.
func stateLine(texts []string) string {
	for _, text := range texts {
		for line := range strings.SplitSeq(text, "\n") {
			if line = trim(line); kumaSays.MatchString(line) || gatusSays.MatchString(line) {
				return line
			}
		}
	}
	return ""
}

// actionOfColor treats green as resolved.
func actionOfColor(color string) oncall.Action {
	if strings.EqualFold(color, "good") {
		return oncall.Clear
	}
	hex, base := strings.TrimPrefix(color, "#"), 16
	if n, err := strconv.Atoi(color); err == nil && n > 999_999 || len(color) > 0 && len(color) < 6 {
		hex, base = color, 10 // Discord's
	}
	n, err := strconv.ParseUint(hex, base, 32)
	if err != nil {
		return oncall.Trigger
	}
	r, g, b := n>>16&0xff, n>>8&0xff, n&0xff
	if g > r+r/4 && g >= b {
		return oncall.Clear
	}
	return oncall.Trigger
}
