package report

import (
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	digestAt    = schedule.TimeOfDay(9 * 60)
	digestUntil = schedule.TimeOfDay(20 * 60) // later it isn't worth posting
	// digestSpread is over how many minutes the digests of a zone's teams are spread, so that they
	// aren't all computed at once.
	digestSpread = 30
)

// A DueDigest is a digest to post in a team's channel.
type DueDigest struct {
	Team  oncall.TeamID
	Week  Period
	Key   string    // of the notice: unique per team and week
	Until time.Time // not posted later than this
}

// DigestDue returns the digest of last week that a team is due: on Mondays from 9:00 in its zone,
// each team at a minute of its own.
func DigestDue(team oncall.TeamID, timeZone string, now time.Time) (DueDigest, bool) {
	zone := Period{TimeZone: timeZone}.zone()
	day, at := zone.Local(now)
	from := digestAt + schedule.TimeOfDay(int64(team)%digestSpread)
	if day.Weekday() != schedule.Monday || at < from || at >= digestUntil {
		return DueDigest{}, false
	}
	return DueDigest{
		Team: team, Week: Week(zone.Name(), day.AddDays(-7)), Key: fmt.Sprintf("digest/%d/%s", team, day), Until: zone.Instant(day, digestUntil),
	}, true
}

// Notice returns the message for the team's channel.
func (d DueDigest) Notice(channel string, t Comparison) oncall.Notice {
	return oncall.Notice{
		Key: d.Key, To: channel, Kind: oncall.NoticeDigest, About: int64(d.Team), Until: &d.Until,
		Detail: oncall.NoticeDetail{Team: t.Name, Start: t.Now.Period.From, End: t.Now.Period.To, TimeZone: t.Now.Period.TimeZone, Lines: t.Digest()},
	}
}
