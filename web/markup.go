package web

import (
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// Markup renders a sentence in the Slack markup of package view: people by name, times in the
// reader's zone, links that a browser can open safely. Formatting stays as typed, since others'
// text may look like it.
func (rd reader) Markup(text string) template.HTML {
	var out strings.Builder
	for text != "" {
		before, rest, found := strings.Cut(text, "<")
		out.WriteString(template.HTMLEscapeString(unescape(before)))
		if !found {
			break
		}
		reference, after, closed := strings.Cut(rest, ">")
		if !closed {
			out.WriteString(template.HTMLEscapeString("<" + unescape(rest)))
			break
		}
		out.WriteString(string(rd.reference(reference)))
		text = after
	}
	return template.HTML(out.String()) //nolint:gosec // every piece is escaped
}

// unescape reverses Slack's escaping.
func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// reference renders the contents of angle brackets.
func (rd reader) reference(ref string) template.HTML {
	what, label, labelled := strings.Cut(ref, "|")
	escaped := func(s string) template.HTML { return template.HTML(template.HTMLEscapeString(unescape(s))) } //nolint:gosec // escaped
	switch {
	case strings.HasPrefix(what, "@"):
		return "<b>" + escaped(rd.Name(oncall.UserID(what[1:]))) + "</b>"
	case strings.HasPrefix(what, "#"):
		if rd.dir != nil {
			if name := rd.dir.ChannelCalled(what[1:]); name != "" {
				return escaped("#" + name)
			}
		}
		return escaped(what)
	case strings.HasPrefix(what, "!date^"):
		parts := strings.Split(what, "^")
		if seconds, err := strconv.ParseInt(parts[1], 10, 64); err == nil && rd.zone != nil {
			if len(parts) > 2 && strings.Contains(parts[2], "date") {
				return rd.Time(time.Unix(seconds, 0))
			}
			return rd.Clock(time.Unix(seconds, 0))
		}
		return escaped(label)
	case strings.HasPrefix(what, "!"):
		return "" // @here and the like
	case labelled:
		return renderLink(unescape(what), unescape(label))
	}
	return renderLink(unescape(what), unescape(what))
}

// renderLink returns a link, if a browser can open its address safely.
func renderLink(address, label string) template.HTML {
	shown := template.HTMLEscapeString(label)
	if !safeLink(address) {
		return template.HTML(shown) //nolint:gosec // escaped
	}
	return template.HTML(`<a rel="noreferrer noopener" href="` + template.HTMLEscapeString(address) + `">` + shown + `</a>`) //nolint:gosec // escaped
}

func safeLink(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// renderQuotes renders a plain sentence, with text in backquotes as code.
func renderQuotes(text string) template.HTML {
	var out strings.Builder
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			out.WriteString("<code>" + template.HTMLEscapeString(part) + "</code>")
		} else {
			out.WriteString(template.HTMLEscapeString(part))
		}
	}
	return template.HTML(out.String()) //nolint:gosec // every piece is escaped
}
