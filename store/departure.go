package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/setup"
)

// Departures returns where teams still depend on a person, for the teams whose schedules the actor may edit, and whether
// other teams depend on them, too.
func (s *Store) Departures(ctx context.Context, by oncall.Actor, user oncall.UserID, now time.Time) (mine []oncall.Departure, others bool, err error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, false, err
	}
	if err := g.may(access.See, access.Object{}); err != nil {
		return nil, false, err
	}
	var all []oncall.Departure
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`); err != nil {
			return err
		}
		in, err := installation(ctx, tx, now)
		if err != nil {
			return err
		}
		if in.Work, err = leftWork(ctx, tx, user); err != nil {
			return err
		}
		all, err = in.Departures(user, now)
		return err
	})
	if err != nil {
		return nil, false, wrap(err, "find where %s is counted on", user)
	}
	for _, d := range all {
		if g.dir.access.May(by, access.EditSchedule, access.Object{Team: d.Team}) == nil {
			mine = append(mine, d)
		} else if g.dir.access.May(by, access.See, access.Object{Team: d.Team}) == nil {
			others = true
		}
	}
	return mine, others, nil
}

// notifyOfLeavers notifies managers of people who have left Slack while their teams still depend on them, and keeps earlier
// notices up to date. Each manager gets one notice a person.
func (s *Store) notifyOfLeavers(ctx context.Context, tx pgx.Tx, dir *Directory, now time.Time) error {
	left := slices.ContainsFunc(slices.Collect(maps.Values(dir.Users)), func(u oncall.User) bool { return u.DeactivatedAt != nil })
	sent, err := loadLeaverNotices(ctx, tx, oncall.NoticeLeaver, now)
	if err != nil {
		return err
	}
	void, err := loadLeaverNotices(ctx, tx, oncall.NoticeVoid, now)
	if err != nil || !left && len(sent)+len(void) == 0 {
		return err
	}
	in, err := installation(ctx, tx, now)
	if err != nil {
		return err
	}
	if in.Work, err = leftWork(ctx, tx, ""); err != nil {
		return err
	}
	named := dir.leavers(in)
	if err := s.notifyVoid(ctx, tx, dir, in, named, void, now); err != nil {
		return err
	}
	wanted, err := dir.newLeaverNotices(in, named, now)
	if err != nil {
		return err
	}
	for _, n := range sent {
		next, news, err := dir.leaverChange(in, n, wanted, now)
		if err != nil {
			return err
		}
		if news.Key != "" {
			wanted = append(wanted, news)
		}
		if err := s.updateDetail(ctx, tx, n, next, now); err != nil {
			return err
		}
	}
	return s.saveNotices(ctx, tx, now, wanted)
}

// leavers lists the people who have left Slack and whom a team, a policy, a schedule or an override names, or who leave work
// behind.
func (d *Directory) leavers(in setup.Installation) []oncall.UserID {
	named := d.PeopleNamed()
	for _, s := range in.Schedules {
		named = append(named, s.People()...)
		for _, o := range s.Overrides {
			named = append(named, o.From)
		}
	}
	for _, w := range in.Work {
		named = append(named, w.User)
	}
	slices.Sort(named)
	return slices.DeleteFunc(slices.Compact(named), func(id oncall.UserID) bool { return d.Users[id].DeactivatedAt == nil })
}

// notifyVoid notifies the people whose swaps, covers and overrides became void because somebody left,
// and again if that person is back.
func (s *Store) notifyVoid(
	ctx context.Context, tx pgx.Tx, dir *Directory, in setup.Installation, left []oncall.UserID, sent []oncall.Notice, now time.Time,
) error {
	var notices []oncall.Notice
	for _, id := range left {
		of, err := oncall.VoidNotices(in.Schedules, dir.Users[id], now)
		if err != nil {
			return err
		}
		notices = append(notices, of...)
	}
	for _, n := range sent {
		if dir.Users[n.Detail.Users[0]].DeactivatedAt != nil {
			continue
		}
		next := n.Detail
		next.State, next.StateAt = oncall.LeaverBack, now
		if err := s.updateDetail(ctx, tx, n, next, now); err != nil {
			return err
		}
		if news, matters := n.ReturnNotice(now); matters {
			notices = append(notices, news)
		}
	}
	if err := inZones(ctx, tx, notices); err != nil {
		return err
	}
	return s.saveNotices(ctx, tx, now, notices)
}

// loadLeaverNotices loads the notices of a kind about people who have left and not come back.
func loadLeaverNotices(ctx context.Context, tx pgx.Tx, kind oncall.NoticeKind, now time.Time) ([]oncall.Notice, error) {
	const load = `
		SELECT id, key, recipient AS "to", kind, facts AS detail
		FROM notices
		WHERE kind = $1 AND created_at > $2 AND facts ->> 'state' IS DISTINCT FROM $3
		ORDER BY id
		FOR UPDATE`
	rows, _ := tx.Query(ctx, load, kind, now.Add(-fixedNoticeWithin), oncall.LeaverBack)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[oncall.Notice])
	if err != nil {
		return nil, fmt.Errorf("load notices of leavers: %w", err)
	}
	return slices.DeleteFunc(found, func(n oncall.Notice) bool { return len(n.Detail.Users) != 1 }), nil
}

// updateDetail saves a notice's changed detail and queues a redraw of its message.
func (s *Store) updateDetail(ctx context.Context, tx pgx.Tx, notice oncall.Notice, next oncall.NoticeDetail, now time.Time) error {
	was, err := json.Marshal(notice.Detail)
	if err != nil {
		return err
	}
	is, err := json.Marshal(next)
	if err != nil || string(was) == string(is) {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE notices SET facts = $2, version = version + 1 WHERE id = $1`, notice.ID, next); err != nil {
		return fmt.Errorf("save notice %d: %w", notice.ID, err)
	}
	return s.enqueue(ctx, tx, now, []oncall.Task{{Args: oncall.DrawNotice{Notice: notice.ID}}})
}

// newLeaverNotices makes the notices about people who have left, one for each manager.
func (d *Directory) newLeaverNotices(in setup.Installation, left []oncall.UserID, now time.Time) ([]oncall.Notice, error) {
	var out []oncall.Notice
	for _, id := range left {
		all, err := in.Departures(id, now)
		if err != nil {
			return nil, err
		}
		for _, departure := range all {
			if !departure.Matters() {
				continue
			}
			for _, to := range d.leaverWatchers(departure.Team) {
				key := fmt.Sprintf("leaver/%s/%d/%s", id, d.Users[id].DeactivatedAt.Unix(), to)
				i := slices.IndexFunc(out, func(n oncall.Notice) bool { return n.Key == key })
				if i < 0 {
					i = len(out)
					out = append(out, oncall.Notice{Key: key, To: to, Kind: oncall.NoticeLeaver, Detail: oncall.NoticeDetail{
						Users: []oncall.UserID{id}, TimeZone: d.Users[oncall.UserID(to)].TimeZone,
					}})
				}
				out[i].Detail.Departures = append(out[i].Detail.Departures, departure)
			}
		}
	}
	return out, nil
}

// leaverWatchers returns who can find replacements in a team: its watchers, or the admins if all of its managers have
// left.
func (d *Directory) leaverWatchers(id oncall.TeamID) []string {
	to := d.Watchers(id)
	if channel := d.teams[id].Channel; len(d.access.Teams[id].Managers) > 0 && len(to) == 1 && to[0] == channel {
		admins := slices.DeleteFunc(d.InstallationAdmins(), func(u string) bool { return d.Users[oncall.UserID(u)].Unpageable() != "" })
		if len(admins) > 0 {
			return admins
		}
	}
	return to
}

// leaverChange returns the notice's new detail. If the person is back in Slack, it returns one more notice, because Slack
// doesn't notify people of edited messages.
func (d *Directory) leaverChange(in setup.Installation, notice oncall.Notice, wanted []oncall.Notice, now time.Time) (next oncall.NoticeDetail, news oncall.Notice, err error) {
	next = notice.Detail
	user := next.Users[0]
	if i := slices.IndexFunc(wanted, func(w oncall.Notice) bool { return w.Key == notice.Key }); i >= 0 {
		next.State, next.StateAt, next.Departures = "", time.Time{}, wanted[i].Detail.Departures
		return next, news, nil
	}
	all, err := in.Departures(user, now)
	if err != nil {
		return next, news, err
	}
	var rest []oncall.Departure // for the notice's teams
	for _, of := range all {
		if slices.ContainsFunc(next.Departures, func(o oncall.Departure) bool { return o.Team == of.Team }) {
			rest = append(rest, of)
		}
	}
	switch {
	case d.Users[user].DeactivatedAt == nil:
		next.State, next.StateAt = oncall.LeaverBack, now
		news = notice
		news.ID, news.Kind, news.Key, news.Detail = 0, oncall.NoticeLeaver, "back/"+strings.TrimPrefix(notice.Key, "leaver/"), next
		news.Detail.Departures = rest
	case next.State == "" && !slices.ContainsFunc(rest, oncall.Departure.Matters):
		next.State, next.StateAt = oncall.LeaverReplaced, now
	}
	return next, news, nil
}
