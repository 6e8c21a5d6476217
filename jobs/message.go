package jobs

import (
	"cmp"
	"context"
	"crypto/rand"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

const (
	// bundleLines is how many incidents of a bundle a message lists.
	bundleLines = 5
	// usefulFor is the minimum time for which a page is useful.
	usefulFor = 10 * time.Minute
	// actPath is the path below the public address where the holder of a token can act.
	actPath = "/v1/act/"
)

// message returns the text that a page shows its person.
func (j *Jobs) message(ctx context.Context, order oncall.PageOrder) notify.Message {
	dir := j.directory(ctx)
	names, zone := namesIn(dir), zoneIn(dir, order.Page.UserID)
	in := order.Incidents[0]
	message := notify.Message{
		Purpose: notify.ForPage, Key: order.Page.MessageKey(), Attempt: order.Attempt, Code: order.Code, OneWay: order.OneWay,
		To:       cmp.Or(order.Address, order.Page.To, string(order.Page.UserID)),
		Incident: int64(in.ID), Title: in.Title, Severity: string(in.Severity), Team: order.Team,
		Why: order.Page.Why.Shown(names), Reason: order.Page.Why, Opened: in.OpenedAt, Since: schedule.ZonedStamp(in.OpenedAt, zone), Expires: j.clock().Add(usefulFor),
	}
	if order.AskedBy != (oncall.Actor{}) {
		message.AskedBy, message.AskedFor = order.AskedBy.Shown(names), order.AskedFor
	} else {
		message.Joined = oncall.JoinedAlert(order.Page.Why)
	}
	if in.NextAt != nil && in.NextAt.After(message.Expires) {
		message.Expires = *in.NextAt
	}
	message.Until = schedule.ZonedStamp(message.Expires, zone)
	stepsWebhook := order.Page.Method == oncall.MethodWebhook && order.Page.Contact == 0
	if stepsWebhook && (dir == nil || dir.VeiledWebhook(in.TeamID, message.To)) { // other people may read the webhook's messages, so they contain only the incident's number and state
		message.Title, message.Team, message.Why, message.Reason, message.Joined, message.Severity = in.ID.String()+" of a private team", "", "", nil, "", ""
	}
	if n := len(order.Incidents); n > 1 {
		message.Count, message.Lines = n, oncall.BundleLines(order.Incidents, bundleLines)
	}
	if order.Page.Contact != 0 {
		message.Token, message.Link = j.token(ctx, order.Page.ID, order.Page.UserID)
	}
	return message
}

// directory loads the directory. If that fails it returns nil, because a page with ids instead of
// names, and with times in UTC, is better than no page.
func (j *Jobs) directory(ctx context.Context) *store.Directory {
	dir, err := j.store.Directory(ctx)
	if err != nil {
		j.log.Error().Err(err).Msg("can't load the people; a page goes out with their ids")
		return nil
	}
	return dir
}

// namesIn returns people's names; without a directory, their ids.
func namesIn(dir *store.Directory) func(oncall.UserID) string {
	if dir == nil {
		return func(u oncall.UserID) string { return string(u) }
	}
	return dir.Name
}

// zoneIn returns the zone in which a person reads times; without a directory, UTC.
func zoneIn(dir *store.Directory, user oncall.UserID) *time.Location {
	if dir == nil {
		return time.UTC
	}
	zone, err := time.LoadLocation(dir.Users[user].TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// token makes the token with which the person can answer. If that fails it returns an empty token, because a page
// without a token is better than no page.
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
