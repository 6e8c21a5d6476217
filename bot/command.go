package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// A request is one `/oncall` command, as its handler sees it.
type request struct {
	user      oncall.User
	words     []string // after the subcommand
	now       time.Time
	zone      *schedule.Zone // the person's time zone
	location  *time.Location
	directory *store.Directory
	trigger   string           // trigger id; valid for three seconds
	channel   string           // channel in which it was typed
	place     store.MessageRef // where it was typed; TS is the thread of a message
	asker     oncall.Actor
}

// by returns the person who sent the command and who reads the answer.
func (r request) by() oncall.Actor { return r.asker }

// noneVisible completes "No incident is open" and the like if some incidents may be hidden from the reader.
func (r request) noneVisible() string {
	switch {
	case r.directory.Hides && r.asker.Via == oncall.ViaChannel:
		return " that everybody here may see; `/oncall` shows what you may see"
	case r.directory.Hides:
		return view.YouMaySee
	}
	return ""
}

// A command is a subcommand of `/oncall`. run returns the answer, which may be empty.
type command struct {
	name string
	run  func(b *Bot, ctx context.Context, r request) (view.Drawing, error)
}

// textCommand adapts a handler whose answer is plain text.
func textCommand(run func(b *Bot, ctx context.Context, r request) (string, error)) func(*Bot, context.Context, request) (view.Drawing, error) {
	return func(b *Bot, ctx context.Context, r request) (view.Drawing, error) {
		text, err := run(b, ctx, r)
		return view.Drawing{Text: text}, err
	}
}

// commands returns all commands. It is a function because the help command lists them.
func commands() []command {
	return slices.Concat([]command{
		{"who", textCommand((*Bot).who)},
		{"teams", textCommand((*Bot).teams)},
		{"users", textCommand((*Bot).people)},
		{"me", textCommand((*Bot).me)},
		{"next", textCommand((*Bot).next)},
		{"schedule", textCommand((*Bot).scheduleCommand)},
		{"shift", textCommand((*Bot).shift)},
		{"override", (*Bot).override},
		{"swap", (*Bot).swap},
		{"cover", (*Bot).cover},
		{"away", (*Bot).away},
		{"leaver", (*Bot).leaver},
		{"calendar", textCommand((*Bot).calendar)},
		{"remind", textCommand((*Bot).remind)},
		{"contact", textCommand((*Bot).contact)},
		{"history", textCommand((*Bot).history)},
		{"report", textCommand((*Bot).report)},
		{"web", textCommand((*Bot).web)},
		{"page", (*Bot).raiseCommand},
	}, incidentCommands, []command{
		{"setup", (*Bot).setup},
		{"integrations", (*Bot).integrations},
		{"payloads", (*Bot).payloads},
		{"routes", (*Bot).routes},
		{"heartbeats", (*Bot).heartbeats},
		{"key", (*Bot).key},
		{"apikey", (*Bot).apiKey},
		{"mute", (*Bot).mute},
		{"unmute", (*Bot).unmute},
		{"maintenance", (*Bot).maintenance},
		{"help", textCommand((*Bot).help)},
	})
}

// command handles a slash command.
func (b *Bot) command(ctx context.Context, c slack.SlashCommand) (view.Drawing, error) {
	words := rephrase(strings.Fields(c.Text))
	if err := b.admit(ctx, slack.User{ID: c.UserID, TeamID: c.TeamID}); err != nil {
		return view.Drawing{}, err
	}
	known, rest := command{run: textCommand((*Bot).startHere)}, []string(nil)
	if len(words) > 0 {
		var err error
		if known, rest, err = findCommand(words); err != nil {
			return b.whoInNamed(ctx, c, words, err)
		}
	}
	r, err := b.request(ctx, oncall.UserID(c.UserID), rest)
	if err != nil {
		return view.Drawing{}, err
	}
	r.trigger, r.channel, r.place.Channel = c.TriggerID, c.ChannelID, c.ChannelID
	d, err := known.run(b, ctx, r)
	return drawQuestion(r, store.MessageRef{}, nil, d, err)
}

// whoInNamed says who is on call if words that are no command begin with the name of a team or schedule, or are a time;
// a cry for help is asked whom to page. Otherwise it returns the refusal.
func (b *Bot) whoInNamed(ctx context.Context, c slack.SlashCommand, words []string, refusal error) (view.Drawing, error) {
	r, err := b.request(ctx, oncall.UserID(c.UserID), words)
	if err != nil {
		return view.Drawing{}, err
	}
	if r.onlyTime() {
		text, err := b.who(ctx, r)
		return view.Drawing{Text: text}, err
	}
	for n := min(len(r.words), maxObjectNameWords); n > 0; n-- {
		if _, known := lookUp(r.directory, strings.Join(r.words[:n], " ")); known {
			if text, err := b.who(ctx, r); err == nil {
				return view.Drawing{Text: text}, nil
			}
		}
	}
	if criesForHelp(words) {
		refusal = r.offerPage(strings.Join(words, " "), c.ChannelID)
	}
	return drawQuestion(r, store.MessageRef{}, nil, view.Drawing{}, refusal)
}

// onlyTime reports whether the words are just a date or a time: "24 dec" asks who is on call then.
func (r request) onlyTime() bool {
	_, n, err := r.reader().Moment(r.words)
	return err == nil && n > 0 && n == len(r.words) && (n > 1 || !isNumber(r.words[0]))
}

// request loads what every handler needs for an answer that only the person sees.
func (b *Bot) request(ctx context.Context, id oncall.UserID, words []string) (request, error) {
	return b.requestBy(ctx, oncall.ByUser(id), words)
}

func (b *Bot) requestBy(ctx context.Context, by oncall.Actor, words []string) (request, error) {
	user, err := b.user(ctx, by.User)
	if err != nil {
		return request{}, err
	}
	directory, err := b.store.DirectoryFor(ctx, by)
	if err != nil {
		return request{}, fmt.Errorf("load the directory: %w", err)
	}
	zone, location := zoneOf(user)
	return request{
		user: user, words: typedWords(strings.Join(words, " "), directory), now: b.clock(), zone: zone, location: location, directory: directory,
		asker: by,
	}, nil
}
