package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// noticeContact labels a notice's contact method. Only its owner sees the address.
func noticeContact(n oncall.Notice) (name string, own bool) {
	f := n.Detail
	own = slices.Contains(f.Users, oncall.UserID(n.To))
	c := oncall.Contact{Method: f.Method}
	if own {
		c.Address = f.Address
	}
	return ContactLabel(c), own
}

// noticeReason returns why a notice was sent, in words for its person or for others.
func noticeReason(f oncall.NoticeDetail, own bool) string {
	why := Foreign(f.Note, maxBody)
	if rest, found := strings.CutPrefix(why, "you "); found && !own {
		why = "they " + rest
	}
	return strings.TrimSuffix(why, ".")
}

// withSettings draws a text with a button that opens the contact settings.
func withSettings(text string, own bool) Drawing {
	blocks := []slack.Block{section(text)}
	if own {
		blocks = append(blocks, slack.NewActionBlock("contact_notice", button(ActionContacts, "", "How you are reached")))
	}
	return Drawing{Text: text, Blocks: blocks}
}

// drawContactOff says that a contact method no longer pages its person.
func drawContactOff(n oncall.Notice) Drawing {
	name, own := noticeContact(n)
	if !own {
		return withSettings(fmt.Sprintf(":warning: %s is no longer paged by %s: it is switched off because %s.", mention(n.Detail.Users...), name, noticeReason(n.Detail, own)), own)
	}
	text := fmt.Sprintf(":warning: You are no longer paged by %s: it is switched off because %s.", name, noticeReason(n.Detail, own))
	if restart := n.Detail.Method.Info().Restart; restart != "" {
		text += " " + restart
	}
	return withSettings(text, own)
}

// drawContactOn says that a contact method pages its person again.
func drawContactOn(n oncall.Notice) Drawing {
	name, own := noticeContact(n)
	return withSettings(fmt.Sprintf(":white_check_mark: You are paged by %s again.", name), own)
}

// drawContactSilent says that the probe before a shift was not answered.
func drawContactSilent(n oncall.Notice) Drawing {
	name, own := noticeContact(n)
	if !own {
		return withSettings(fmt.Sprintf(":warning: %s is on call soon, and has not answered by %s when Watchbill asked whether it still reaches them.", mention(n.Detail.Users...), name), own)
	}
	return withSettings(fmt.Sprintf(":warning: You are on call soon, and nobody has answered by %s when Watchbill asked whether it still reaches you. "+
		"`/oncall contact test` sends you a test page; any answer to it will do.", name), own)
}

// drawPhoneRests says that a phone isn't called for a while, because it has rung too often in vain.
func drawPhoneRests(n oncall.Notice) Drawing {
	name, own := noticeContact(n)
	return withSettings(fmt.Sprintf(":warning: Your phone has rung %d times in vain within an hour, so you are not called by %s before %s, unless something worse happens: "+
		"more calls could get our number blocked. You are still paged by your other contact methods.", n.Detail.Count, name, noticeInstant(n.Detail.End, n.Detail.TimeZone)), own)
}

// drawContactUnsent says that a code or a test could not be sent.
func drawContactUnsent(n oncall.Notice) Drawing {
	name, own := noticeContact(n)
	return withSettings(fmt.Sprintf(":warning: What you asked for could not be sent by %s: %s.", name, noticeReason(n.Detail, own)), own)
}

// drawProof says what to send to the bot in another messenger.
func drawProof(n oncall.Notice) Drawing {
	return Text(fmt.Sprintf("Write this to the bot in %s, from your own account:\n`/start %s`\nIt answers when you are verified. Did you not ask for this? Then ignore it.",
		n.Detail.Method.Info().Title, Name(n.Detail.Note)))
}

// drawTest shows that direct messages arrive.
func drawTest(oncall.Notice) Drawing {
	return Text(":white_check_mark: *Test page.* This is how Watchbill reaches you here; nothing has happened.")
}

// drawBlocked warns an admin that a method can't page anybody until they act.
func drawBlocked(n oncall.Notice) Drawing {
	if len(n.Detail.Lines) > 0 {
		return Text(fmt.Sprintf(":warning: Some pages by %s don't arrive, or can't be answered, until an admin acts: %s.",
			n.Detail.Method.Name(), Foreign(n.Detail.Lines[0], maxTitle)))
	}
	return Text(fmt.Sprintf(":warning: Nobody can be paged by %s until an admin acts: %s. Pages go by other ways meanwhile.",
		n.Detail.Method.Name(), noticeReason(n.Detail, true)))
}

// drawUnreached warns an admin that a page reached nobody.
func drawUnreached(n oncall.Notice) Drawing {
	return Text(fmt.Sprintf(":warning: Incident %s, %s: delivery failed. Nobody who was paged could be reached by any contact method.",
		List(incidentNames(n.Detail.Incidents)), Foreign(n.Detail.Note, maxTitle)))
}

func incidentNames(ids []oncall.IncidentID) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id.String()
	}
	return names
}

// drawChannelRefused warns an admin that a team's channel refuses messages.
func drawChannelRefused(n oncall.Notice) Drawing {
	where := Foreign(n.Detail.Address, maxTitle)
	if !strings.HasPrefix(n.Detail.Address, "#") {
		where = "<#" + Foreign(n.Detail.Address, maxTitle) + ">"
	}
	return Text(fmt.Sprintf(":warning: Slack refuses the messages of team %s in %s: %s. People are paged as before, but the team's incidents "+
		"have no message in the channel until that is mended. They will be posted then.",
		Foreign(n.Detail.Team, maxTitle), where, channelTrouble(n.Detail.Note)))
}

// channelTrouble explains Slack's error code for a channel.
func channelTrouble(code string) string {
	switch code {
	case "is_archived":
		return "the channel is archived. Unarchive it, or give the team another one"
	case "channel_not_found":
		return "there is no such channel, or it is private and the app isn't in it. Invite the app there, or give the team another channel"
	case "not_in_channel":
		return "the app isn't in the channel. Invite it there"
	}
	if strings.HasPrefix(code, "restricted_action") {
		return "the app may not post there. Let it, in the channel's settings"
	}
	return "it says " + Foreign(code, maxTitle)
}
