package bot

import "context"

const examples = "`/oncall who`\n`/oncall who payments tomorrow 9:00`\n`/oncall override @ann today 18:00 to 22:00`"

const helpText = "*Who is on call*\n" +
	"`/oncall who` — everywhere, now\n" +
	"`/oncall who payments` — in a team or a schedule\n" +
	"`/oncall who payments fri 18:00` — at another time\n" +
	"*Cover for somebody*\n" +
	"`/oncall override @ann today 18:00 to 22:00` — Ann is on call instead of whoever would be\n" +
	"`/oncall override @ann 2026-12-24 to 2026-12-27 payments` — in a certain schedule\n" +
	"Times are in your own time zone: `9:00`, `6pm`, `tomorrow 9:00`, `fri 18:00`, `2026-12-24 09:00`, `in 2 hours`."

const directHelp = "I don't read messages, but I answer commands in any channel.\n" + helpText

// help shows what can be typed.
func (b *Bot) help(context.Context, request) (string, error) { return helpText, nil }
