package jobs

import (
	"cmp"
	"context"
	"crypto/rand"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	// bundleLines is how many incidents of a bundle a message lists.
	bundleLines = 5
	// neededFor is how long a page is useful at least, whatever happens next.
	neededFor = 10 * time.Minute
	// actPath is where the holder of a token can act, below the public address.
	actPath = "/v1/act/"
)

// message is what to tell the person.
func (j *Jobs) message(ctx context.Context, order oncall.PageOrder) notify.Message {
	names, zone := j.names(ctx), j.zone(ctx, order.Page.UserID)
	in := order.Incidents[0]
	m := notify.Message{
		Purpose: notify.ForPage, Key: order.Page.MessageKey(), Attempt: order.Attempt, Code: order.Code, OneWay: order.OneWay,
		To:       cmp.Or(order.Address, order.Page.To, string(order.Page.UserID)),
		Incident: int64(in.ID), Title: in.Title, Severity: string(in.Severity), Team: order.Team,
		Why: order.Page.Why.Shown(names), Reason: order.Page.Why, Opened: in.OpenedAt, Since: schedule.ZonedStamp(in.OpenedAt, zone), Expires: j.clock().Add(neededFor),
	}
	if order.AskedBy != (oncall.Actor{}) {
		m.AskedBy, m.AskedFor = order.AskedBy.Shown(names), order.AskedFor
	}
	if in.NextAt != nil && in.NextAt.After(m.Expires) {
		m.Expires = *in.NextAt
	}
	m.Until = schedule.ZonedStamp(m.Expires, zone)
	if order.Page.Method == oncall.MethodWebhook && order.Page.Contact == 0 && j.veiled(ctx, in.TeamID, m.To) {
		m.Title, m.Team, m.Why, m.Reason, m.Severity = in.ID.String()+" of a private team", "", "", nil, ""
	}
	if n := len(order.Incidents); n > 1 {
		m.Count, m.Lines = n, oncall.BundleLines(order.Incidents, bundleLines)
	}
	if order.Page.Contact != 0 {
		m.Token, m.Link = j.token(ctx, order.Page.ID, order.Page.UserID)
	}
	return m
}

// veiled reports whether the webhook of a step may get only the number of a private team's incident.
func (j *Jobs) veiled(ctx context.Context, team oncall.TeamID, address string) bool {
	dir, err := j.store.Directory(ctx)
	if err != nil {
		return true
	}
	return dir.VeiledWebhook(team, address)
}

// names returns what people are called. A page with their ids is better than none.
func (j *Jobs) names(ctx context.Context) func(oncall.UserID) string {
	dir, err := j.store.Directory(ctx)
	if err != nil {
		j.log.Error().Err(err).Msg("can't load the people; a page goes out with their ids")
		return func(u oncall.UserID) string { return string(u) }
	}
	return dir.Name
}

// zone is the zone in which a person reads times; UTC if that is not known.
func (j *Jobs) zone(ctx context.Context, user oncall.UserID) *time.Location {
	dir, err := j.store.Directory(ctx)
	if err != nil {
		return time.UTC // names says so in the log
	}
	zone, err := time.LoadLocation(dir.Users[user].TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// token makes the token with which the person can answer. If that fails the page goes without,
// because that is better than no page.
func (j *Jobs) token(ctx context.Context, page oncall.PageID, user oncall.UserID) (token, link string) {
	var random [32]byte
	rand.Read(random[:])
	token, err := j.store.Token(ctx, page, user, random, j.clock())
	if err != nil {
		j.outages.Error().Err(err).Msg("can't sign the link of a page; it goes out without")
		return "", ""
	}
	if j.publicURL != "" {
		link = j.publicURL + actPath + token
	}
	return token, link
}
