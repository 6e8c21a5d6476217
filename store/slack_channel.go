package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
)

// Channel returns the id of the channel that the set-up names; if it isn't known yet, the name as
// Slack takes it.
func (d *Directory) Channel(named string) string {
	if c, known := d.channels[named]; known {
		return c.ID
	}
	if named == "" || oncall.IsChannelID(named) || strings.HasPrefix(named, "#") {
		return named
	}
	return "#" + named
}

// ChannelBefore returns what is kept of a channel that the set-up names, if it was looked up.
func (d *Directory) ChannelBefore(named string) (oncall.NamedChannel, bool) {
	c, known := d.channels[named]
	return c, known
}

// ChannelCalled returns what Slack calls a channel, "" if that isn't known.
func (d *Directory) ChannelCalled(id string) string {
	for _, c := range d.channels {
		if c.ID == id {
			return c.Name
		}
	}
	return ""
}

// ChannelsNamed lists the channels that teams and policies name, by their names.
func (d *Directory) ChannelsNamed() []string {
	var names []string
	for _, t := range d.Teams {
		names = append(names, t.Channel)
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

// ChannelsUnknown lists those that are named and have not been looked up.
func (d *Directory) ChannelsUnknown() []string {
	return slices.DeleteFunc(d.ChannelsNamed(), func(n string) bool {
		_, known := d.channels[n]
		return known || oncall.IsChannelID(n)
	})
}

func (d *Directory) loadSlackChannels(ctx context.Context, tx pgx.Tx) error {
	d.channels = map[string]oncall.NamedChannel{}
	rows, _ := tx.Query(ctx, `SELECT named, id, name FROM slack_channels`)
	var c oncall.NamedChannel
	_, err := pgx.ForEachRow(rows, []any{&c.Named, &c.ID, &c.Name}, func() error {
		d.channels[c.Named] = c
		return nil
	})
	return err
}

// SaveChannels keeps which channels names stand for. Where something is kept of a name already, it
// stays: whoever looked first found the one that was meant.
func (s *Store) SaveChannels(ctx context.Context, found []oncall.NamedChannel, now time.Time) error {
	return s.changeChannels(ctx, func(ctx context.Context, tx pgx.Tx) (int64, error) {
		return saveChannels(ctx, tx, found, now)
	})
}

func saveChannels(ctx context.Context, tx pgx.Tx, found []oncall.NamedChannel, now time.Time) (int64, error) {
	const insert = `
		INSERT INTO slack_channels (named, id, name, seen_at)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (named) DO NOTHING`
	var n int64
	for _, c := range found {
		tag, err := tx.Exec(ctx, insert, c.Named, c.ID, c.Name, now)
		if err != nil {
			return 0, err
		}
		n += tag.RowsAffected()
	}
	return n, nil
}

// ChannelRenamed keeps what a channel is called now.
func (s *Store) ChannelRenamed(ctx context.Context, id, name string, now time.Time) error {
	const update = `UPDATE slack_channels SET name = $2, seen_at = $3 WHERE id = $1 AND name <> $2`
	return s.changeChannels(ctx, func(ctx context.Context, tx pgx.Tx) (int64, error) {
		tag, err := tx.Exec(ctx, update, id, name, now)
		return tag.RowsAffected(), err
	})
}

// ChannelMoved keeps that Slack has given a channel another id.
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

// forgetChannels forgets the channels that nothing names any more, so that a name may come to mean
// another channel.
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
