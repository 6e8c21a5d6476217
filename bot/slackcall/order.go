package slackcall

import (
	"cmp"
	"slices"
	"time"
)

// A Want is a waiting drawing: a message that is older than the stored state. Each incident or bundle has at most
// one, however much has changed.
type Want struct {
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
func (w Want) premature() bool { return w.Coming && w.Channel != "" && w.BelowWorst > 0 && !w.Asked }

// replies reports whether at most replies in a thread are waiting.
func (w Want) replies() bool { return w.Channel == "" && !w.Edits }

// largeBacklog is the number of waiting drawings from which a team counts as loud. Drawings of loud teams go after those of
// quiet teams, which have so few that this costs almost nothing.
const largeBacklog = 10

// Priority returns the priority of a drawing's calls. The message that a person pressed is not among them: it is
// redrawn at once by its response_url.
func (w Want) Priority() Priority {
	switch crowded := w.Backlog > largeBacklog; {
	case w.Asked && !crowded:
		return ForAnswer
	case w.Asked:
		return ForRoot // a person acted on many incidents at once
	case w.Count:
		return ForCount
	case w.Over:
		return ForUpdate
	case crowded:
		return ForBacklog
	}
	return ForRoot
}

// compare orders waiting drawings: by priority, then open before resolved, more severe before less severe, incidents
// worse than anything their channel shows before others, quiet teams before loud ones, and last by age.
func compare(a, b Want) int {
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
func (c *Client) Choose(wants []Want, n int) []int {
	now := present()
	return c.queue.choose(wants, n, func(channel string) bool { return c.aside.closed(channel, now) })
}

// choose goes by the present level of each bucket, less the calls that are queued for it.
func (q *queue) choose(wants []Want, n int, aside func(channel string) bool) []int {
	order := make([]int, len(wants))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(wants[a], wants[b]) })
	q.mu.Lock()
	defer q.mu.Unlock()
	taken := map[*bucket]int{}
	for _, t := range q.waiting {
		method, channel := q.buckets(t.call)
		taken[method]++
		if channel != nil {
			taken[channel]++
		}
	}
	q.roots = roots(wants, aside)
	var chosen []int
	for _, i := range order {
		if len(chosen) >= n {
			break
		}
		if wants[i].premature() {
			continue
		}
		k := call{method: methodUpdate, priority: wants[i].Priority()}
		if wants[i].replies() {
			k = call{method: methodPost, priority: ForThread}
		}
		if channel := wants[i].Channel; channel != "" {
			switch refuses := aside(channel); {
			case refuses && !wants[i].Edits:
				continue
			case !refuses:
				k.method, k.channel = methodPost, channel
			}
		}
		method, channel := q.buckets(k)
		if method.pause(k.priority, taken[method]+q.ahead(k)) > 0 || channel.pause(k.priority, taken[channel]) > 0 {
			continue
		}
		taken[method]++
		if channel != nil {
			taken[channel]++
		}
		chosen = append(chosen, i)
	}
	return chosen
}

// roots counts the channels with a message to post.
func roots(wants []Want, aside func(channel string) bool) int {
	seen := map[string]bool{}
	for _, w := range wants {
		if w.Channel != "" && !w.Over && !w.Count && !seen[w.Channel] && !aside(w.Channel) {
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
