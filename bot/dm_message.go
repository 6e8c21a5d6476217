package bot

import (
	"context"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/notify"
)

// sendWords sends what is no page of one incident: a test, a code, a bundle.
func (b *Bot) sendWords(ctx context.Context, m notify.Message) notify.Receipt {
	ctx, cancel := context.WithTimeout(ctx, longestPage)
	defer cancel()
	at, err := b.post(ctx, posting{channel: m.To, delivery: m.Key, priority: forPage, hasty: true}, drawMessage(m))
	if err != nil {
		return failedReceipt(fmt.Errorf("send a %s to %s: %w", m.Purpose, m.To, err))
	}
	if m.Attempt > 1 {
		b.tidy(ctx, at, m.Key)
	}
	return notify.Receipt{Outcome: notify.Accepted, Reference: at.Channel + " " + at.TS}
}

// drawMessage draws a message that is no picture of one incident.
func drawMessage(m notify.Message) drawing {
	var lines []string
	switch m.Purpose {
	case notify.ForVerify:
		lines = []string{
			"Write this to the bot in Telegram, from your own account:", fmt.Sprintf("`/start %s`", foreign(m.Verify, maxName)),
			"It answers when you are verified. Did you not ask for this? Then ignore it.",
		}
	case notify.ForTest:
		lines = []string{":test_tube: *Test page.* This is how Watchbill reaches you here; nothing has happened."}
	case notify.ForCheck:
		lines = []string{"Can Watchbill still reach you here? Nothing has happened."}
	case notify.ForAnswer:
		lines = []string{foreign(m.Title, maxBody)}
	default:
		lines = []string{fmt.Sprintf(":rotating_light: *%s*", count(m.Count, "more incident"))}
		if m.Why != "" {
			lines = append(lines, fmt.Sprintf("You are paged because %s.", foreign(m.Why, maxBody)))
		}
		for _, l := range m.Lines {
			lines = append(lines, "• "+foreign(l, maxAlertTitle))
		}
		if more := m.Count - len(m.Lines); more > 0 {
			lines = append(lines, fmt.Sprintf("and %d more", more))
		}
	}
	text := foreignSection(strings.Join(lines, "\n"))
	return drawing{text: text, blocks: []slack.Block{section(text)}}
}
