package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
)

// Channel returns the id of a channel by its name in the set-up. For a channel that wasn't looked up yet, it returns
// the name in Slack's form.
func (d *Directory) Channel(named string) string {
	if c, known := d.channels[named]; known {
		return c.ID
	}
	if named == "" || oncall.IsChannelID(named) || strings.HasPrefix(named, "#") {
		return named
	}
	return "#" + named
}

// ChannelBefore returns the stored channel of a name in the set-up, if the channel was looked up.
func (d *Directory) ChannelBefore(named string) (oncall.NamedChannel, bool) {
	c, known := d.channels[named]
	return c, known
}

// PersonBefore returns the person whom the set-up named by an address, even if the address now belongs to somebody else.
func (d *Directory) PersonBefore(address string) (oncall.UserID, bool) {
	id, known := d.named[strings.ToLower(address)]
	return id, known
}

// GroupBefore returns the id of a user group by its handle in the set-up, if the group was seen.
func (d *Directory) GroupBefore(handle string) string {
	for _, g := range d.UserGroups {
		if g.Handle == handle {
			return g.SlackID
		}
	}
	return ""
}

// ChannelCalled returns a channel's name in Slack, "" if unknown.
func (d *Directory) ChannelCalled(id string) string {
	for _, c := range d.channels {
		if c.ID == id {
			return c.Name
		}
	}
	return ""
}

// ChannelsNamed lists the names of the channels that teams and policies use.
func (d *Directory) ChannelsNamed() []string {
	var names []string
	for _, t := range d.Teams {
		names = append(append(names, t.Channel), t.Updates...)
	}
	for _, p := range d.Policies {
		if p.Removed {
			continue
		}
		for _, s := range p.Steps {
			for _, t := range s.Targets {
				names = append(names, t.Channel)
			}
		}
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == "" })
	slices.Sort(names)
	return slices.Compact(names)
}

// ChannelsUnknown lists the channels of ChannelsNamed that have not been looked up.
func (d *Directory) ChannelsUnknown() []string {
	return slices.DeleteFunc(d.ChannelsNamed(), func(n string) bool {
		_, known := d.channels[n]
		return known || oncall.IsChannelID(n)
	})
}

// ChannelsOfPrivate lists the channels that private teams and their policies use. Whether these channels are private
// matters, so they are looked up repeatedly.
func (d *Directory) ChannelsOfPrivate() []string {
	var names []string
	for _, t := range d.Teams {
		if t.Private {
			names = append(names, d.placesOf(t.ID)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// placesOf returns the channels that a team and its policies use.
func (d *Directory) placesOf(team oncall.TeamID) []string {
	names := append([]string{d.teams[team].Channel}, d.teams[team].Updates...)
	for _, p := range d.Policies {
		if p.TeamID != team {
			continue
		}
		for _, s := range p.Steps {
			for _, t := range s.Targets {
				names = append(names, t.Channel)
			}
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}

// Veiled reports whether a channel, given by name or id, may show only numbers and states of a team's incidents. Until
// Slack has said that a channel is private, the channel counts as public.
func (d *Directory) Veiled(team oncall.TeamID, channel string) bool {
	if !d.teams[team].Private {
		return false
	}
	id := d.Channel(channel)
	own := slices.ContainsFunc(d.placesOf(team), func(n string) bool { return d.Channel(n) == id })
	private := false
	for _, c := range d.channels {
		private = private || c.ID == id && c.Private
	}
	return d.teams[team].Veils(own, private)
}

// VeiledPlace is Veiled for a channel that is some private team's own channel.
func (d *Directory) VeiledPlace(channel string) bool {
	id := d.Channel(channel)
	return slices.ContainsFunc(d.Teams, func(t oncall.Team) bool { return t.Private && d.Channel(t.Channel) == id && d.Veiled(t.ID, channel) })
}

// VeiledWebhook is Veiled for the URL that a policy's step calls.
func (d *Directory) VeiledWebhook(team oncall.TeamID, address string) bool {
	own := false
	for _, p := range d.Policies {
		for _, s := range p.Steps {
			own = own || p.TeamID == team && slices.ContainsFunc(s.Targets, func(t oncall.Target) bool { return t.Webhook == address })
		}
	}
	return d.teams[team].Veils(own, true)
}

// dutyAhead is how far ahead people on call count as named by the set-up.
const dutyAhead = 8 * 7 * 24 * time.Hour

// SlackNames lists the channels, user groups and people that the set-up names. People are included if they may be paged.
func (d *Directory) SlackNames(now time.Time) setup.SlackNames {
	var n setup.SlackNames
	var people []oncall.UserID
	for _, t := range d.Teams {
		n.Channels = append(n.Channels, setup.SlackName{Where: "team " + t.Name, Named: t.Channel, Secret: t.Private})
		for _, channel := range t.Updates {
			n.Channels = append(n.Channels, setup.SlackName{Where: "team " + t.Name, Named: channel, Secret: t.Private})
		}
		people = slices.Concat(people, d.Members[t.ID], t.Fallback)
	}
	for _, id := range slices.Sorted(maps.Keys(d.Policies)) {
		p := d.Policies[id]
		if p.Removed {
			continue
		}
		of := setup.NamesOfPolicy(p, d.teams[p.TeamID].Private)
		n.Channels, n.Groups = append(n.Channels, of.Channels...), append(n.Groups, of.Groups...)
		for _, s := range p.Steps {
			for _, t := range s.Targets {
				people = append(people, t.User)
			}
		}
	}
	for i, c := range n.Channels {
		n.Channels[i].Before = d.channels[c.Named].ID
	}
	for _, g := range d.UserGroups {
		n.Groups = append(n.Groups, setup.SlackName{Where: "user group " + g.Handle, Named: g.Handle, Before: g.SlackID})
		people = append(people, g.Fallback)
	}
	for _, s := range d.Schedules {
		for _, role := range s.Roles() {
			for _, shift := range s.Shifts(now, now.Add(dutyAhead), role) {
				people = append(people, shift.Users...)
			}
		}
		// Shifts leave out people who can't be paged, but these are the ones to warn about.
		for _, id := range d.onCall[s.TeamID()] {
			if d.Users[id].Unpageable() != "" {
				people = append(people, id)
			}
		}
	}
	slices.Sort(people)
	for _, id := range slices.Compact(people) {
		if id != "" {
			n.People = append(n.People, setup.SlackName{Where: "user " + cmp.Or(d.Users[id].Name, string(id)), Named: string(id), NoTeam: !d.Users[id].InTeam})
		}
	}
	return n
}

// NamedElsewhere reports whether a team outside of a list names a person, or any team does through the user group of
// its managers.
func (d *Directory) NamedElsewhere(id oncall.UserID, but []string) bool {
	for _, t := range d.Teams {
		if !slices.Contains(but, t.Name) && slices.Contains(d.Members[t.ID], id) ||
			t.ManagedBy != "" && slices.Contains(d.groups[t.ManagedBy], id) {
			return true
		}
	}
	return false
}

// PeopleNamed returns the people named by a team, a policy or a schedule.
func (d *Directory) PeopleNamed() []oncall.UserID {
	var people []oncall.UserID
	for _, t := range d.Teams {
		of := d.access.Teams[t.ID]
		people = slices.Concat(people, of.Members, of.Managers, of.OnCall, t.Fallback)
	}
	for _, p := range d.Policies {
		for _, s := range p.Steps {
			for _, t := range s.Targets {
				if t.User != "" && !p.Removed {
					people = append(people, t.User)
				}
			}
		}
	}
	slices.Sort(people)
	return slices.Compact(people)
}

func (d *Directory) loadSlackChannels(ctx context.Context, tx pgx.Tx) error {
	d.channels, d.named = map[string]oncall.NamedChannel{}, map[string]oncall.UserID{}
	rows, _ := tx.Query(ctx, `SELECT named, id FROM users WHERE named <> ''`)
	var address string
	var id oncall.UserID
	if _, err := pgx.ForEachRow(rows, []any{&address, &id}, func() error {
		d.named[address] = id
		return nil
	}); err != nil {
		return err
	}
	rows, _ = tx.Query(ctx, `SELECT named, id, name, private FROM slack_channels`)
	var c oncall.NamedChannel
	_, err := pgx.ForEachRow(rows, []any{&c.Named, &c.ID, &c.Name, &c.Private}, func() error {
		d.channels[c.Named] = c
		return nil
	})
	return err
}

// SaveChannels stores which channels names stand for. A name that is already stored keeps its channel, because the first
// lookup found the channel that was meant.
func (s *Store) SaveChannels(ctx context.Context, found []oncall.NamedChannel, now time.Time) error {
	return s.changeChannels(ctx, func(ctx context.Context, tx pgx.Tx) (int64, error) {
		return saveChannels(ctx, tx, found, now)
	})
}

func saveChannels(ctx context.Context, tx pgx.Tx, found []oncall.NamedChannel, now time.Time) (int64, error) {
	const insert = `
		INSERT INTO slack_channels (named, id, name, seen_at, private)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (named) DO UPDATE SET private = $5
		WHERE slack_channels.id = $2 AND slack_channels.private <> $5`
	var n int64
	for _, c := range found {
		tag, err := tx.Exec(ctx, insert, c.Named, c.ID, c.Name, now, c.Private)
		if err != nil {
			return 0, err
		}
		n += tag.RowsAffected()
	}
	return n, nil
}

// ChannelRenamed stores a channel's new name.
func (s *Store) ChannelRenamed(ctx context.Context, id, name string, now time.Time) error {
	const update = `UPDATE slack_channels SET name = $2, seen_at = $3 WHERE id = $1 AND name <> $2`
	return s.changeChannels(ctx, func(ctx context.Context, tx pgx.Tx) (int64, error) {
		tag, err := tx.Exec(ctx, update, id, name, now)
		return tag.RowsAffected(), err
	})
}

// ChannelMoved stores that Slack has given a channel another id.
func (s *Store) ChannelMoved(ctx context.Context, from, to string, now time.Time) error {
	const update = `UPDATE slack_channels SET id = $2, seen_at = $3 WHERE id = $1`
	return s.changeChannels(ctx, func(ctx context.Context, tx pgx.Tx) (int64, error) {
		tag, err := tx.Exec(ctx, update, from, to, now)
		return tag.RowsAffected(), err
	})
}

func (s *Store) changeChannels(ctx context.Context, change func(context.Context, pgx.Tx) (int64, error)) error {
	var n int64
	err := s.transact(ctx, func(tx pgx.Tx) (err error) {
		if n, err = change(ctx, tx); err != nil || n == 0 {
			return err
		}
		return announce(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("keep the ids of channels: %w", err)
	}
	if n > 0 {
		s.cache.drop()
	}
	return nil
}

// forgetChannels deletes the channels that nothing names any more, so that the name can stand for another channel later.
func (a *applier) forgetChannels(ctx context.Context) error {
	const forget = `
		DELETE FROM slack_channels
		WHERE NOT named IN (
			SELECT channel FROM teams WHERE removed_at IS NULL
			UNION
			SELECT jsonb_path_query(steps, '$[*].targets[*].channel') #>> '{}' FROM policies WHERE removed_at IS NULL
		)`
	_, err := a.tx.Exec(ctx, forget)
	return err
}
