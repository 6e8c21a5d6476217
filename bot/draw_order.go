package bot

import (
	"cmp"
	"context"
	"slices"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// Choose returns at most n waiting drawings that can be made now, in slackcall's order.
func (b *Bot) Choose(ctx context.Context, waiting []store.WaitingDraw, n int) []store.WaitingDraw {
	pending := make([]slackcall.PendingDraw, len(waiting))
	backlogs := map[store.WaitingDraw]int{}
	for _, w := range waiting {
		backlogs[backlogKey(w)]++
	}
	worst := worstPerTeam(waiting)
	for i, w := range waiting {
		pending[i] = pendingDraw(w, backlogs[backlogKey(w)])
		if worst[w.Team] == w.Job && w.First {
			pending[i].First, pending[i].Backlog = true, 1
		}
		if w.Channel != "" {
			pending[i].Channel = b.channel(ctx, w.Channel) // where the message will be posted
		}
	}
	var chosen []store.WaitingDraw
	for _, i := range b.slack.Choose(pending, n) {
		w := waiting[i]
		w.Backlog = pending[i].Backlog
		chosen = append(chosen, w)
	}
	return chosen
}

// worstPerTeam returns, for each team, the job that posts its most severe waiting incident. It goes ahead of the
// team's backlog if the channel shows nothing as severe yet.
func worstPerTeam(waiting []store.WaitingDraw) map[string]int64 {
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

// backlogKey returns the key of a drawing's backlog: same team, same kind of change.
func backlogKey(w store.WaitingDraw) store.WaitingDraw {
	return store.WaitingDraw{Team: w.Team, Asked: w.Asked, Count: w.Count, Over: w.Over}
}

// pendingDraw describes a drawing to slackcall.
func pendingDraw(w store.WaitingDraw, backlogKey int) slackcall.PendingDraw {
	return slackcall.PendingDraw{
		Asked: w.Asked, Over: w.Over, Count: w.Count, BelowWorst: belowWorst(w.Severity), Backlog: backlogKey, Since: w.Since,
		Channel: w.Channel, Edits: w.Edits, Coming: w.Coming,
	}
}

// drawPriority returns the priority of a drawing's calls.
func drawPriority(w store.WaitingDraw) slackcall.Priority {
	return pendingDraw(w, w.Backlog).Priority()
}

// editOptions returns the options of a drawing's edits. A drawing chosen for a post must not block others while it
// waits for room to edit.
func editOptions(w store.WaitingDraw) slackcall.Edit {
	return slackcall.Edit{Priority: drawPriority(w), Immediate: w.Channel != ""}
}

// belowWorst returns how many levels a severity is below the worst.
func belowWorst(s oncall.Severity) int {
	return max(0, slices.Index(oncall.Severities(), s))
}

// SetInstances sets the number of instances that share the workspace's rate limits.
func (b *Bot) SetInstances(instances int) { b.slack.SetInstances(instances) }

// StopWaiting stops waiting for calls that can be made later, because the process is shutting down.
func (b *Bot) StopWaiting() { b.slack.StopWaiting() }
