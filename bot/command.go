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

// A request is one `/oncall` as a subcommand gets it.
type request struct {
	user      oncall.User
	words     []string // what follows the subcommand
	now       time.Time
	zone      *schedule.Zone // in which the person reads and writes times
	location  *time.Location
	directory *store.Directory
	trigger   string // opens a modal, within three seconds
	channel   string // where it was typed
	asker     oncall.Actor
}

// by is who asks, and who reads the answer.
func (r request) by() oncall.Actor { return r.asker }

// none completes "No incident is open" and the like, if there may be some that the reader may not see.
func (r request) none() string {
	switch {
	case r.directory.Hides && r.asker.Via == oncall.ViaChannel:
		return " that everybody here may see; `/oncall` shows what you may see"
	case r.directory.Hides:
		return view.YouMaySee
	}
	return ""
}

// A command is a subcommand of `/oncall`. run returns what the person is shown, if
// anything.
type command struct {
	name string
	run  func(b *Bot, ctx context.Context, r request) (view.Drawing, error)
}

// inWords makes a command of a function whose answer is plain text.
func inWords(run func(b *Bot, ctx context.Context, r request) (string, error)) func(*Bot, context.Context, request) (view.Drawing, error) {
	return func(b *Bot, ctx context.Context, r request) (view.Drawing, error) {
		text, err := run(b, ctx, r)
		return view.Drawing{Text: text}, err
	}
}

// commands are all commands. It is a function because the help is one of them and lists them all.
func commands() []command {
	return slices.Concat([]command{
		{"who", inWords((*Bot).who)},
		{"teams", inWords((*Bot).teams)},
		{"users", inWords((*Bot).people)},
		{"me", inWords((*Bot).me)},
		{"next", inWords((*Bot).next)},
		{"schedule", inWords((*Bot).scheduleCommand)},
		{"shift", inWords((*Bot).shift)},
		{"override", (*Bot).override},
		{"swap", inWords((*Bot).swap)},
		{"cover", inWords((*Bot).cover)},
		{"away", (*Bot).away},
		{"calendar", inWords((*Bot).calendar)},
		{"remind", inWords((*Bot).remind)},
		{"contact", inWords((*Bot).contact)},
		{"history", inWords((*Bot).history)},
		{"report", inWords((*Bot).report)},
		{"web", inWords((*Bot).web)},
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
		{"help", inWords((*Bot).help)},
	})
}

// command runs `/oncall`.
func (b *Bot) command(ctx context.Context, c slack.SlashCommand) (view.Drawing, error) {
	words := rephrase(strings.Fields(c.Text))
	if err := b.admit(ctx, slack.User{ID: c.UserID, TeamID: c.TeamID}); err != nil {
		return view.Drawing{}, err
	}
	if len(words) == 0 {
		words = []string{"help"}
	}
	known, rest, err := findCommand(words)
	if err != nil {
		return view.Drawing{}, err
	}
	r, err := b.request(ctx, oncall.UserID(c.UserID), rest)
	if err != nil {
		return view.Drawing{}, err
	}
	r.trigger, r.channel = c.TriggerID, c.ChannelID
	return known.run(b, ctx, r)
}

// request loads what every subcommand needs, for an answer that only the person reads.
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
