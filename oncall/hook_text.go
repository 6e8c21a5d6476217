package oncall

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// maxTicketText is how many characters of what a monitor wrote stand in a ticket; each system takes so many.
var maxTicketText = map[HookTemplate]int{HookJira: 30_000, HookGitHub: 60_000, HookGitLab: 60_000, HookServiceNow: 3_500}

var (
	jiraEnd        = regexp.MustCompile(`(?i)\{noformat`)
	serviceNowCode = regexp.MustCompile(`(?i)\[(/?code)`)
	backticks      = regexp.MustCompile("`{3,}")
)

// ticketText returns the description of a ticket. The monitor's text is kept verbatim: it mentions nobody, formats
// nothing, and gives no orders, such as GitLab's /close.
func ticketText(t HookTemplate, about, body, link string) string {
	most, isTicket := maxTicketText[t]
	if !isTicket {
		return ""
	}
	parts := []string{about}
	if body = cutLines(shownLines(body), most); strings.TrimSpace(body) != "" {
		switch t {
		case HookJira:
			body = "{noformat}\n" + jiraEnd.ReplaceAllString(body, "{ noformat") + "\n{noformat}"
		case HookGitHub, HookGitLab:
			// Each line is a blank further in: GitLab looks for its orders, and for the end of the block, where a line begins.
			fence := "```"
			for _, run := range backticks.FindAllString(body, -1) {
				if len(run) >= len(fence) {
					fence = run + "`"
				}
			}
			body = fence + "text\n " + strings.ReplaceAll(body, "\n", "\n ") + "\n" + fence
		default:
			body = serviceNowCode.ReplaceAllString(body, "[ $1")
		}
		parts = append(parts, body)
	}
	if u, err := url.Parse(link); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && !strings.ContainsFunc(u.String(), unsafeInLink) {
		parts = append(parts, u.String())
	}
	return strings.Join(parts, "\n\n")
}

// unsafeInLink reports what could end a link, or begin something else, in the markup of some ticket system.
func unsafeInLink(r rune) bool {
	return !unicode.IsPrint(r) || strings.ContainsRune(" <>[]{}|\\^`\"'!*~", r)
}

// shownLines returns a text without invisible characters and those that reverse the direction of a line.
func shownLines(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n", "\t", "    ").Replace(Storable(text))
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\u200d' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, text)
}

// cutLines cuts a text of several lines.
func cutLines(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
