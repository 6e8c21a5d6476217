package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/watchbill/watchbill/bot/slackcall"
	"github.com/watchbill/watchbill/notify"
)

// A liveStep is one call to try on the real Slack, with the simulator's result: Slack's error code, or
// empty for success.
type liveStep struct {
	what, want string
	try        func(ctx context.Context) (code string, err error)
}

// CheckLive tries in a scratch channel how the real Slack behaves, to check the simulator's
// assumptions. It deletes what it posts.
func (b *Bot) CheckLive(ctx context.Context, channel string) []notify.CheckResult {
	var root, reply slackcall.MessageID
	post := func(thread string) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) {
			at, err := b.slack.Post(ctx, slackcall.Message{
				Channel: channel, Thread: thread, Delivery: "live/" + thread, Priority: slackcall.ForRest,
			}, "Watchbill tries what Slack does. This goes by itself.", nil)
			if thread == "" {
				root = at
			} else {
				reply = at
			}
			return slackcall.CodeOf(err), err
		}
	}
	edit := func(ctx context.Context) (string, error) {
		err := b.slack.Update(ctx, root, "Edited.", nil, slackcall.Edit{Priority: slackcall.ForRest})
		return slackcall.CodeOf(err), err
	}
	var results []notify.CheckResult
	run := func(steps ...liveStep) bool {
		for _, s := range steps {
			code, err := s.try(ctx)
			r := notify.CheckResult{Text: s.what, OK: code == s.want && (err == nil || code != "")}
			if !r.OK {
				r.Note = true
				r.Remedy = fmt.Sprintf("Expected %s, and got %s. Please tell us.", outcome(s.want), outcome(code))
			}
			results = append(results, r)
			if err != nil && code == "" {
				results[len(results)-1].Remedy = "It got no answer: " + err.Error()
				return false
			}
		}
		return true
	}
	if !run(liveStep{"post in the scratch channel", "", post("")}) || root.TS == "" {
		return results
	}
	defer func() {
		for _, at := range []slackcall.MessageID{reply, root} {
			if at.TS != "" {
				_ = b.slack.Delete(context.WithoutCancel(ctx), at) // it may be gone already
			}
		}
	}()
	run(b.liveSteps(channel, &root, &reply, post, edit)...)
	return results
}

// liveSteps returns the calls to try once there is a message. The arguments root and reply are the
// first two messages.
func (b *Bot) liveSteps(channel string, root, reply *slackcall.MessageID, post func(thread string) func(context.Context) (string, error),
	edit func(context.Context) (string, error),
) []liveStep {
	return []liveStep{
		{"edit a message", "", edit},
		{"reply in a thread", "", func(ctx context.Context) (string, error) { return post(root.TS)(ctx) }},
		{"find a reply by its delivery id", "", func(ctx context.Context) (string, error) {
			at, found, err := b.slack.Find(ctx, slackcall.Message{Channel: channel, Thread: root.TS, Delivery: "live/" + root.TS}, b.clock().Add(-lookBackLive))
			if err == nil && (!found || at != *reply) {
				return "not found", nil
			}
			return slackcall.CodeOf(err), err
		}},
		{"delete a message that has a reply", "", func(ctx context.Context) (string, error) {
			err := b.slack.Delete(ctx, *root)
			return slackcall.CodeOf(err), err
		}},
		{"edit what is left of it", "cant_update_message", edit},
		{"reply to a message that never was", "shown in the channel", func(ctx context.Context) (string, error) {
			_, err := b.slack.Post(ctx, slackcall.Message{Channel: channel, Thread: "1000000000.000001", Priority: slackcall.ForRest}, "This goes by itself.", nil)
			if slackcall.OutcomeOf(err) == slackcall.Gone && slackcall.CodeOf(err) == "" {
				return "shown in the channel", nil
			}
			return slackcall.CodeOf(err), err
		}},
		{"disable a user group that doesn't exist", "no_such_subteam", func(ctx context.Context) (string, error) {
			err := b.slack.EnableGroup(ctx, "S0000000000", false)
			return slackcall.CodeOf(err), err
		}},
	}
}

// lookBackLive is how far back to look for a message that was just posted.
const lookBackLive = time.Minute

func outcome(code string) string {
	if code == "" {
		return "that it is done"
	}
	return code
}
