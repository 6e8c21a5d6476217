package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/notify"
)

// A scope is an OAuth scope in the manifest, and what doesn't work without it.
type scope struct {
	name     string
	optional bool
	why      string
}

// scopes repeats manifest.yaml; a test compares the two.
var scopes = []scope{
	{"commands", false, "people can't type /oncall"},
	{"chat:write", false, "nobody can be paged and no incident is shown"},
	{"chat:write.public", false, "incidents only show in channels to which the bot was invited"},
	{"im:history", false, "the bot doesn't answer direct messages"},
	{"users:read", false, "names, time zones and deactivated people are unknown"},
	{"users:read.email", false, "people can't be named by their e-mail address in the configuration"},
	{"files:write", true, "a schedule is shown in words only, without its picture"},
	{"im:write", true, "a schedule is shown in words only, without its picture, and after a broken connection a page may be sent twice"},
	{"channels:history", true, "after a broken connection an incident may be posted twice"},
	{"channels:join", true, "after a broken connection an incident may be posted twice in channels where the bot is not a member"},
	{"channels:read", true, "channels can't be looked up: one that is renamed is lost, unless an incident was posted in it before, and one that is archived is not reported"},
	{"groups:history", true, "after a broken connection an incident may be posted twice in private channels"},
	{"groups:read", true, "private channels can't be looked up: one that is renamed is lost, unless an incident was posted in it before"},
	{"usergroups:read", true, "user groups can't follow who is on call"},
	{"usergroups:write", true, "user groups can't follow who is on call"},
	{"app_mentions:read", true, "the bot doesn't answer where it is mentioned in a channel"},
	{"channels:write.topic", true, "a channel's topic can't say who is on call"},
	{"groups:write.topic", true, "a private channel's topic can't say who is on call"},
	{"channels:manage", true, "incidents can't get a channel of their own"},
	{"groups:write", true, "incidents of private teams can't get a channel of their own"},
	{"bookmarks:read", true, "the channel of an incident has no bookmarks"},
	{"bookmarks:write", true, "the channel of an incident has no bookmarks"},
	{"canvases:write", true, "a review is drafted as a file only, not as a canvas"},
}

// Check tests what Watchbill needs from Slack, and says how to fix each problem. A missing scope that
// Watchbill can do without is only a note. Instances says how many run with this database; below 0 it is unknown.
func (b *Bot) Check(ctx context.Context, instances int) []notify.CheckResult {
	answer, err := b.slack.Auth(ctx)
	var findings []notify.CheckResult
	switch {
	case err == nil:
		findings = append(findings, notify.CheckResult{OK: true, Text: fmt.Sprintf("bot token of %s in %s", answer.User, answer.Team)})
		findings = append(findings, checkScopes(answer.Header.Get("X-OAuth-Scopes"))...)
	case slackcall.Refused(err):
		findings = append(findings, notify.CheckResult{Text: "bot token", Remedy: fmt.Sprintf(
			"Slack refuses SLACK_BOT_TOKEN (%s). Copy the Bot User OAuth Token from OAuth & Permissions in the app's settings.", slackcall.CodeOf(err))})
	default:
		return []notify.CheckResult{{Text: fmt.Sprintf("reach Slack: %v", err), Remedy: "Check that this machine reaches slack.com over HTTPS."}}
	}
	if b.slack.HasUserToken() {
		findings = append(findings, b.checkUserToken(ctx))
	}
	return append(findings, b.checkSocket(ctx, instances))
}

// checkUserToken tests the token that changes user groups.
func (b *Bot) checkUserToken(ctx context.Context) notify.CheckResult {
	f := notify.CheckResult{Text: "user token"}
	err := b.slack.TryUserToken(ctx)
	switch {
	case err == nil:
		f.OK = true
	case slackcall.Refused(err):
		f.Remedy = fmt.Sprintf("Slack refuses SLACK_USER_TOKEN (%s). Copy the User OAuth Token of an admin from OAuth & Permissions "+
			"in the app's settings, or leave it out unless user groups need it.", slackcall.CodeOf(err))
	default:
		f.Remedy = fmt.Sprintf("Slack gave no answer about SLACK_USER_TOKEN (%v). Try again.", err)
	}
	return f
}

// checkScopes compares the granted scopes with the manifest's.
func checkScopes(header string) []notify.CheckResult {
	if header == "" {
		return []notify.CheckResult{{Note: true, Text: "scopes", Remedy: "Slack didn't say which scopes it has granted."}}
	}
	granted := strings.FieldsFunc(header, func(r rune) bool { return r == ',' || r == ' ' })
	var findings []notify.CheckResult
	for _, s := range scopes {
		if slices.Contains(granted, s.name) {
			continue
		}
		findings = append(findings, notify.CheckResult{
			Text: "scope " + s.name, Note: s.optional,
			Remedy: fmt.Sprintf("Without it %s. Add %s under OAuth & Permissions in the app's settings, then reinstall the app.", s.why, s.name),
		})
	}
	// Granted scopes share a line, because a long list would bury the missing one.
	has := notify.CheckResult{OK: true, Text: fmt.Sprintf("scopes: all %d", len(scopes))}
	if n := len(findings); n > 0 {
		has.Text = fmt.Sprintf("scopes: %d of %d", len(scopes)-n, len(scopes))
	}
	return append([]notify.CheckResult{has}, findings...)
}

// checkSocket opens a connection as Run does and waits for Slack's greeting.
func (b *Bot) checkSocket(ctx context.Context, instances int) notify.CheckResult {
	f := notify.CheckResult{Text: "app token"}
	ctx, cancel := context.WithTimeout(ctx, slackcall.Timeout)
	defer cancel()
	client := b.slack.Socket()
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	var last error
	dialled := 0
	for {
		select {
		case e := <-client.Events():
			if e.Type == socketmode.EventTypeHello {
				f.OK = true
				if e.Request != nil {
					f = countConnections(f, e.Request.NumConnections-1, instances)
				}
				cancel()
			}
			if e.Type == socketmode.EventTypeConnecting {
				if dialled++; dialled > stormDials {
					last = errTooMany
					cancel()
				}
			}
			if failed, ok := e.Data.(*slack.ConnectionErrorEvent); ok && !errors.Is(last, errTooMany) {
				last, dialled = failed.ErrorObj, 0
				if slackcall.Classify(last).Outcome == notify.Misconfigured {
					cancel() // otherwise slack-go would keep trying
				}
			}
		case err := <-ended:
			switch {
			case errors.Is(last, errTooMany):
				f.Remedy = "Slack hangs up without a greeting, as it does at the eleventh connection of an app. " +
					"Run fewer instances, and see that no other installation uses SLACK_APP_TOKEN; dead connections end by themselves."
			case !f.OK && !f.Note:
				f.Remedy = socketAdvice(slackcall.Classify(cmp.Or(last, err)))
			}
			return f
		}
	}
}

// usualInstances is how many run where nobody knows.
const usualInstances = 2

// countConnections adds the number of this app's other connections.
func countConnections(f notify.CheckResult, others, instances int) notify.CheckResult {
	f.Text = fmt.Sprintf("app token, with %d other connections of this app", others)
	known := "Each running instance has two. If there are fewer instances"
	switch {
	case instances == 1:
		known = "Each running instance has two, and one runs with this database. If no other does"
	case instances >= 0:
		known = fmt.Sprintf("Each running instance has two, and %d run with this database. If no other does", instances)
	default:
		instances = usualInstances
	}
	if others > 2*instances {
		f.OK, f.Note = false, true
		f.Remedy = known + ", the others are dead and end by themselves, or another installation uses this app " +
			"and swallows its share of clicks and commands: make an app of its own for each."
	}
	return f
}

func socketAdvice(e *slackcall.Error) string {
	if slackcall.Refused(e) {
		return fmt.Sprintf("Slack refuses SLACK_APP_TOKEN (%s). Make an app-level token with the scope connections:write "+
			"under Basic Information in the app's settings, and see that Socket Mode is on.", e.Code)
	}
	return fmt.Sprintf("No Socket Mode connection could be opened (%s). Watchbill must be able to reach wss://*.slack.com on port 443.", e)
}
