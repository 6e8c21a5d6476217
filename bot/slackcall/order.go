package slackcall

import (
	"cmp"
	"slices"
	"time"
)

// A PendingDraw is a waiting drawing: a message that is older than the stored state. Each incident or bundle
// has at most one, however much has changed.
type PendingDraw struct {
	Asked      bool      // a person acted on the incident and is looking at it
	Over       bool      // no incident in it is open any more
	Count      bool      // only a count has changed
	BelowWorst int       // how many levels its severity is below the worst
	Backlog    int       // how many such drawings wait for the same team, this one included
	Since      time.Time // when the drawing began to wait
	Channel    string    // the channel of the first message to post; empty: there is nothing to post
	Edits      bool      // whether existing messages are to be edited
	First      bool      // it is the most severe incident of a team whose channel shows none of that severity
	Coming     bool      // more facts about it are about to arrive
}

// premature reports whether a message is better posted a moment later, because it is about to become outdated and
// Slack allows far fewer edits than posts. Critical incidents are never delayed, because they can't become more
// severe.
func (d PendingDraw) premature() bool {
	return d.Coming && d.Channel != "" && d.BelowWorst > 0 && !d.Asked
}

// replies reports whether at most replies in a thread are waiting.
func (d PendingDraw) replies() bool { return d.Channel == "" && !d.Edits }

// largeBacklog is the number of waiting drawings from which a team counts as loud. Drawings of loud teams go after those of
// quiet teams, which have so few that this costs almost nothing.
const largeBacklog = 10

// Priority returns the priority of a drawing's calls. The message that a person pressed is not among them: it is
// redrawn at once by its response_url.
func (d PendingDraw) Priority() Priority {
	switch loud := d.Backlog > largeBacklog; {
	case d.Asked && !loud:
		return ForAnswer
	case d.Asked:
		return ForRoot // a person acted on many incidents at once
	case d.Count:
		return ForCount
	case d.Over:
		return ForUpdate
	case loud:
		return ForBacklog
	}
	return ForRoot
}

// compare orders waiting drawings: by priority, then open before resolved, more severe before less severe, incidents
// worse than anything their channel shows before others, quiet teams before loud ones, and last by age.
func compare(a, b PendingDraw) int {
	last := func(x bool) int {
		if x {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(a.Priority(), b.Priority()),
		cmp.Compare(last(a.Over), last(b.Over)),
		cmp.Compare(a.BelowWorst, b.BelowWorst),
		cmp.Compare(last(!a.First), last(!b.First)),
		cmp.Compare(a.Backlog, b.Backlog),
		a.Since.Compare(b.Since),
	)
}

// Choose returns the waiting drawings that can be made now, at most n, in order. The others must wait for Slack's
// limits, or for a channel that refuses messages.
func (c *Client) Choose(pending []PendingDraw, n int) []int {
	now := realNow()
	return c.queue.choose(pending, n, func(channel string) bool { return c.backoff.active(channel, now) })
}

// choose goes by the present level of each bucket, less the calls that are queued for it.
func (q *queue) choose(pending []PendingDraw, n int, backingOff func(channel string) bool) []int {
	order := make([]int, len(pending))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(pending[a], pending[b]) })
	q.mu.Lock()
	defer q.mu.Unlock()
	booked := map[*bucket]int{}
	for _, t := range q.waiting {
		method, channel := q.buckets(t.call)
		booked[method]++
		if channel != nil {
			booked[channel]++
		}
	}
	q.roots = roots(pending, backingOff)
	var chosen []int
	for _, i := range order {
		if len(chosen) >= n {
			break
		}
		if pending[i].premature() {
			continue
		}
		k := call{method: methodUpdate, priority: pending[i].Priority()}
		if pending[i].replies() {
			k = call{method: methodPost, priority: ForThread}
		}
		if channel := pending[i].Channel; channel != "" {
			switch refuses := backingOff(channel); {
			case refuses && !pending[i].Edits:
				continue
			case !refuses:
				k.method, k.channel = methodPost, channel
			}
		}
		method, channel := q.buckets(k)
		if method.pause(k.priority, booked[method]+q.ahead(k)) > 0 || channel.pause(k.priority, booked[channel]) > 0 {
			continue
		}
		booked[method]++
		if channel != nil {
			booked[channel]++
		}
		chosen = append(chosen, i)
	}
	return chosen
}

// roots counts the channels with a message to post.
func roots(pending []PendingDraw, backingOff func(channel string) bool) int {
	seen := map[string]bool{}
	for _, w := range pending {
		if w.Channel != "" && !w.Over && !w.Count && !seen[w.Channel] && !backingOff(w.Channel) {
			seen[w.Channel] = true
		}
	}
	return len(seen)
}

// ahead returns how many messages yet to be chosen go before a call: a channel that shows nothing goes before
// replies. The caller has locked q.
func (q *queue) ahead(c call) int {
	if c.method == methodPost && c.priority >= ForThread {
		return q.roots
	}
	return 0
}
