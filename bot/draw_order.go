package bot

import (
	"cmp"
	"context"
	"slices"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Choose returns which of what waits to be drawn can be drawn now, the first n in order. The order is
// slackcall's.
func (b *Bot) Choose(ctx context.Context, waiting []store.WaitingDraw, n int) []store.WaitingDraw {
	wants := make([]slackcall.Want, len(waiting))
	crowds := map[store.WaitingDraw]int{}
	for _, w := range waiting {
		crowds[crowd(w)]++
	}
	firsts := firstsOf(waiting)
	for i, w := range waiting {
		wants[i] = want(w, crowds[crowd(w)])
		if firsts[w.Team] == w.Job && w.First {
			wants[i].First, wants[i].Backlog = true, 1
		}
		if w.Channel != "" {
			wants[i].Channel = b.channel(ctx, w.Channel) // as the message will be posted
		}
	}
	var chosen []store.WaitingDraw
	for _, i := range b.slack.Choose(wants, n) {
		w := waiting[i]
		w.Backlog = wants[i].Backlog
		chosen = append(chosen, w)
	}
	return chosen
}

// firstsOf returns the job of each team's worst incident that waits to be posted. Where its channel shows nothing as
// bad yet, it doesn't wait in the crowd.
func firstsOf(waiting []store.WaitingDraw) map[string]int64 {
	worst := map[string]store.WaitingDraw{}
	for _, w := range waiting {
		if !w.First || w.Channel == "" {
			continue
		}
		old, known := worst[w.Team]
		if order := cmp.Or(cmp.Compare(belowWorst(w.Severity), belowWorst(old.Severity)), w.Since.Compare(old.Since)); !known || order < 0 {
			worst[w.Team] = w
		}
	}
	jobs := make(map[string]int64, len(worst))
	for team, w := range worst {
		jobs[team] = w.Job
	}
	return jobs
}

// crowd is the key by which drawings are counted together: one team, for the same reason.
func crowd(w store.WaitingDraw) store.WaitingDraw {
	return store.WaitingDraw{Team: w.Team, Asked: w.Asked, Count: w.Count, Over: w.Over}
}

// want is a drawing as far as the order goes.
func want(w store.WaitingDraw, crowd int) slackcall.Want {
	return slackcall.Want{
		Asked: w.Asked, Over: w.Over, Count: w.Count, BelowWorst: belowWorst(w.Severity), Backlog: crowd, Since: w.Since,
		Channel: w.Channel, Edits: w.Edits, Coming: w.Coming,
	}
}

// priority is that of the calls for a drawing.
func priority(w store.WaitingDraw) slackcall.Priority { return want(w, w.Backlog).Priority() }

// edit is how a message of a drawing is edited. What was chosen because there is room for a post doesn't keep others
// waiting until there is room for an edit.
func edit(w store.WaitingDraw) slackcall.Edit {
	return slackcall.Edit{Priority: priority(w), Beside: w.Channel != ""}
}

// belowWorst says how much less severe a severity is than the worst.
func belowWorst(s oncall.Severity) int {
	return max(0, slices.Index(oncall.Severities(), s))
}

// Share tells how many instances draw in the same workspace.
func (b *Bot) Share(instances int) { b.slack.Share(instances) }

// Settle says that we are stopping: calls that can be made later are no longer waited for.
func (b *Bot) Settle() { b.slack.Settle() }
