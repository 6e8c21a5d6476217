package bot

import (
	"context"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/notify"
)

// CheckAdmins looks up the admins of the installation, by id or e-mail address. It reports those who can't use
// their rights, because nobody else would ever notice.
func (b *Bot) CheckAdmins(ctx context.Context, admins []string) (findings []notify.CheckResult) {
	for _, named := range admins {
		var u *slack.User
		var err error
		if strings.Contains(named, "@") {
			u, err = b.slack.UserByEmail(ctx, named)
		} else {
			u, err = b.slack.User(ctx, named, slackcall.ForRest)
		}
		f := notify.CheckResult{Remedy: "Correct WATCHBILL_ADMINS: the address that the person has in Slack, or in their profile, ⋮, Copy member ID."}
		switch {
		case slackcall.NoUser(err):
			f.Text = "nobody in this workspace is the admin " + named
		case err != nil:
			f.Note, f.Text, f.Remedy = true, "the admin "+named+" could not be looked up", fmt.Sprintf("Slack gave no answer (%v). Try again.", err)
		case u.Deleted:
			f.Text = "the admin " + named + " has left the workspace"
		case u.IsBot:
			f.Text = "the admin " + named + " is a bot"
		case u.IsStranger:
			f.Text = "the admin " + named + " is of another organisation"
		default:
			continue
		}
		findings = append(findings, f)
	}
	if len(admins) > 0 && len(findings) == 0 {
		findings = append(findings, notify.CheckResult{OK: true, Text: fmt.Sprintf("Slack has all %d of WATCHBILL_ADMINS", len(admins))})
	}
	return findings
}
