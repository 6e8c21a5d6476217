package slackcall

import (
	"cmp"
	"slices"
	"time"
)

// A Want is a drawing that waits: a message that doesn't show what is stored. There is one for each
// incident or bundle, however much has changed.
type Want struct {
	Asked   bool      // a person has acted on it, and looks at it
	Over    bool      // nothing of it is open any more
	Count   bool      // nothing has changed but a count
	Better  int       // how much less severe it is than the worst can be
	Crowd   int       // how many drawings like it wait for the same team, with this one
	Since   time.Time // when it began to wait
	Channel string    // where a message is to be posted first; empty: there is one
	Edits   bool      // messages that are there are to be edited
	First   bool      // it is the worst of a team whose channel shows nothing as bad
	Coming  bool      // more is about to be known of it
}

// premature reports whether a message had better be posted a moment later: it is about to be wrong, and there is room
// for far fewer edits than posts. What is critical can't become worse.
func (w Want) premature() bool { return w.Coming && w.Channel != "" && w.Better > 0 && !w.Asked }

// replies reports whether nothing waits but replies in a thread, if anything.
func (w Want) replies() bool { return w.Channel == "" && !w.Edits }

// aCrowd is how many waiting drawings make a team a loud one: they go after those of the quiet teams,
// whom that costs nearly nothing as they have few.
const aCrowd = 10

// Priority returns with what priority a drawing's calls are made. The message that a person has
// pressed is not among these: it is redrawn at once by its response_url.
func (w Want) Priority() Priority {
	switch crowded := w.Crowd > aCrowd; {
	case w.Asked && !crowded:
		return ForAnswer
	case w.Asked:
		return ForRoot // somebody has acted on a great many at once
	case w.Count:
		return ForCount
	case w.Over:
		return ForUpdate
	case crowded:
		return ForCrowd
	}
	return ForRoot
}

// compare orders two drawings that wait, the one that goes first before the other: by priority, then
// open ones before what is over, worse ones before better ones, those of which the channel shows nothing as bad yet,
// those of a quiet team before those of a loud one, and at last by age.
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
		cmp.Compare(a.Better, b.Better),
		cmp.Compare(last(!a.First), last(!b.First)),
		cmp.Compare(a.Crowd, b.Crowd),
		a.Since.Compare(b.Since),
	)
}

// Choose returns which of the drawings that wait can be made now, at most n, in their order. What it
// leaves out has to wait for Slack's limits, or for a channel that refuses messages.
func (c *Client) Choose(wants []Want, n int) []int {
	now := present()
	return c.queue.choose(wants, n, func(channel string) bool { return c.aside.closed(channel, now) })
}

// choose looks at each bucket as it is, without the calls that stand in line for it.
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

// roots counts the channels in which something is to be posted.
func roots(wants []Want, aside func(channel string) bool) int {
	seen := map[string]bool{}
	for _, w := range wants {
		if w.Channel != "" && !w.Over && !w.Count && !seen[w.Channel] && !aside(w.Channel) {
			seen[w.Channel] = true
		}
	}
	return len(seen)
}

// ahead is how many messages that are still to be chosen go before a call: a reply can wait, a channel that shows nothing
// can't. Its caller has locked q.
func (q *queue) ahead(c call) int {
	if c.method == methodPost && c.priority >= ForThread {
		return q.roots
	}
	return 0
}
