package main

import (
	"context"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// liveDoctorCmd is the doctor, with an optional live test in Slack.
type liveDoctorCmd struct {
	doctorCmd `embed:""`

	Live    bool   `help:"Only try in a scratch channel what Slack does: docs/first-hour.md."`
	Channel string `placeholder:"C…" help:"The id of the scratch channel, which no team or policy names."`
}

func (c *liveDoctorCmd) Run(p process, command *kong.Context) error {
	if c.Live != oncall.IsChannelID(c.Channel) {
		return wrongUse{"--live needs --channel with the id of a scratch channel, such as C0123456789, and --channel needs --live"}
	}
	if !c.Live && c.Organisations {
		return c.organisations(p, command.Selected().Flags)
	}
	if !c.Live {
		return c.doctorCmd.Run(p)
	}
	if c.Organisations {
		return wrongUse{"--live is tried in the Slack of one organisation: watchbill org run NAME doctor --live --channel C…"}
	}
	if wrong := append(c.databaseFlags.problems(), c.slackFlags.problems()...); len(wrong) > 0 {
		return wrongUse(wrong)
	}
	r := &report{process: p}
	c.live(r)
	return r.end()
}

// live tests Slack in the scratch channel.
func (c *liveDoctorCmd) live(r *report) {
	ctx, cancel := context.WithTimeout(r.ctx, 2*namesLimit)
	defer cancel()
	db, err := store.Open(ctx, c.DatabaseURL, store.Options{Log: zerolog.Nop()})
	if err != nil {
		r.fail("database", briefly(err), "Check DATABASE_URL.")
		return
	}
	defer db.Close()
	directory, err := db.Directory(ctx)
	if err != nil {
		r.failQuery(ctx, "live", err, "Check the database's log.")
		return
	}
	for _, named := range directory.ChannelsNamed() {
		if directory.Channel(named) == c.Channel {
			r.fail("live", c.Channel+" is "+named+" of the set-up", "Give the id of a channel that is good for nothing else.")
			return
		}
	}
	b, err := c.bot(r)
	if err != nil {
		r.fail("slack", err.Error(), "Check the SLACK_ settings.")
		return
	}
	r.each("live", b.CheckLive(ctx, c.Channel))
}
