package bot

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/slacksim"
)

// fuzzHandlerLimit is how long a handler may take. It is long because many calls to Slack have to
// wait.
const fuzzHandlerLimit = 300 * time.Millisecond

// envelopeOf parses an envelope as slack-go does.
func envelopeOf(data []byte) any {
	var r socketmode.Request
	if json.Unmarshal(data, &r) != nil {
		return nil
	}
	switch r.Type {
	case socketmode.RequestTypeEventsAPI:
		if e, err := slackevents.ParseEvent(r.Payload, slackevents.OptionNoVerifyToken()); err == nil {
			return e
		}
	case socketmode.RequestTypeSlashCommands:
		var c slack.SlashCommand
		if json.Unmarshal(r.Payload, &c) == nil {
			return c
		}
	case socketmode.RequestTypeInteractive:
		var c slack.InteractionCallback
		if json.Unmarshal(r.Payload, &c) == nil {
			return c
		}
	}
	return nil
}

// markup returns all parts of a drawing that Slack reads as markup.
func markup(shown any) string {
	data, _ := json.Marshal(shown)
	var v any
	_ = json.Unmarshal(data, &v)
	return strings.Join(markedUp(v), "\n")
}

func markedUp(v any) (texts []string) {
	switch v := v.(type) {
	case []any:
		for _, inner := range v {
			texts = append(texts, markedUp(inner)...)
		}
	case map[string]any:
		if text, ok := v["text"].(string); ok && v["type"] == "mrkdwn" {
			texts = append(texts, text)
		}
		for _, inner := range v {
			texts = append(texts, markedUp(inner)...)
		}
	}
	return texts
}

// handmadeEnvelopes returns an envelope for each button and form, by a member and by a stranger, with values
// that no client of Slack would send.
func handmadeEnvelopes() [][]byte {
	odd := "a\x00b <!channel> <@U0EVE> \u202e" + strings.Repeat("é", 300)
	values := map[string]any{}
	for _, block := range []view.Block{
		view.BlockPerson, view.BlockOnCall, view.BlockPolicy, view.BlockText, view.BlockSeverity, view.BlockOther, view.BlockHow, view.BlockGive, view.BlockWith,
		view.BlockShift, view.BlockWhom, view.BlockNote, view.BlockSchedule, view.BlockWho, view.BlockFrom, view.BlockTo, view.BlockInstead, view.BlockLeaves,
		view.BlockReason, view.BlockDays, view.BlockDayFrom, view.BlockDayTo, view.BlockTeam, view.BlockName, view.BlockTurns, view.BlockPeople, view.BlockPeriod,
		view.BlockStart, view.BlockInForce, view.BlockRole, view.BlockZone, view.BlockWindows, view.BlockPriority, view.BlockAdvance, view.BlockUntil,
		view.BlockMethod, view.BlockCode, "address", "take",
	} {
		values[string(block)] = map[string]any{"x": map[string]any{
			"value": odd, "selected_option": map[string]any{"value": "1"}, "selected_user": "U0CY", "selected_users": []string{"U0BO", odd},
			"selected_date_time": 1_772_500_000, "selected_date": "2026-03-04", "selected_time": "09:00",
		}}
	}
	var out [][]byte
	add := func(user, team string, payload map[string]any) {
		payload["user"], payload["team"], payload["trigger_id"] = map[string]any{"id": user, "team_id": team}, map[string]any{"id": team}, "1.2"
		envelope, _ := json.Marshal(map[string]any{"envelope_id": "x", "type": "interactive", "payload": payload})
		out = append(out, envelope)
	}
	meta := []string{"1", "", `{"schedule":1,"version":1,"rotation":1,"incident":1}`, `{"schedule":-1,"rotations":[null]}`, odd}
	for _, modal := range slices.Sorted(maps.Keys(modals)) {
		for _, m := range meta {
			form := map[string]any{"id": "V1", "type": "modal", "callback_id": modal, "private_metadata": m, "state": map[string]any{"values": values}}
			add("U0BO", "T0SIM", map[string]any{"type": "view_submission", "view": form})
		}
		add("U0EVE", "T0ELSE", map[string]any{"type": "view_submission", "view": map[string]any{"callback_id": modal, "private_metadata": "1", "state": map[string]any{"values": values}}})
	}
	buttons := slices.Sorted(maps.Keys(presses))
	buttons = append(buttons, []view.Action{view.ActionAck, view.ActionSnooze, view.ActionEscalate, view.ActionReassign, view.ActionAsk, view.ActionNote, view.ActionSeverity, view.ActionMerge, view.ActionStillOn, view.ActionMore, view.ActionTimeline, view.ActionDetails}...)
	for _, action := range buttons {
		for _, value := range append(meta, "1/0/0", "1/2", "9223372036854775807/-1/9", "snooze/1", "1 2 3") {
			add("U0BO", "T0SIM", map[string]any{"type": "block_actions", "actions": []any{map[string]any{"action_id": action, "value": value}}})
		}
		add("U0EVE", "T0ELSE", map[string]any{"type": "block_actions", "actions": []any{map[string]any{"action_id": action, "value": "1"}}})
	}
	return out
}

// Whatever arrives on a socket, no handler panics, no answer notifies a channel, and people from outside the
// workspace change nothing.
func FuzzEnvelopes(f *testing.F) {
	w := &world{t: f, ctx: context.Background(), now: noon, log: &lines{}}
	w.startSlack(slacksim.Options{})
	w.openStore()
	b, err := New(Config{
		BotToken: "xoxb-sim", AppToken: "xapp-sim", APIURL: w.sim.APIURL(), Store: w.store.Store, Clock: w.clock,
		Log: zerolog.New(w.log), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(b.slack.Close)
	w.bot = b
	id := w.incident().Incident.ID
	members := map[string]bool{string(ann): true, string(bo): true, string(cy): true}
	for _, seed := range handmadeEnvelopes() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before, err := w.store.Picture(w.ctx, oncall.ByTimer(), id, w.clock())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(w.ctx, fuzzHandlerLimit)
		defer cancel()
		var said, user string
		switch e := envelopeOf(data).(type) {
		case slack.SlashCommand:
			user = e.UserID
			said, err = b.guard(ctx, "", func() (string, error) {
				shown, err := b.command(ctx, e)
				return shown.Text + "\n" + markup(shown.Blocks), err
			})
		case slack.InteractionCallback:
			user = e.User.ID
			said, err = b.guard(ctx, "", func() (string, error) {
				if e.Type != slack.InteractionTypeViewSubmission {
					shown, err := b.interaction(ctx, e)
					return shown.Text + "\n" + markup(shown.Blocks), err
				}
				if err := b.admit(ctx, e.User); err != nil {
					return "", err
				}
				a, err := b.submitted(ctx, e)
				return markup(a.payload()), err
			})
		case slackevents.EventsAPIEvent:
			user = "U" // none of an event is an act by somebody
			_, err = b.guard(ctx, "", func() (string, error) { return "", b.event(ctx, e) })
		default:
			return
		}
		if err != nil && strings.Contains(err.Error(), "panic:") {
			t.Fatal(err)
		}
		for _, call := range []string{"<!channel", "<!here", "<!everyone", "<!subteam"} {
			if strings.Contains(said, call) {
				t.Fatalf("%s is in the answer %q, want it escaped", call, said)
			}
		}
		after, err := w.store.Picture(w.ctx, oncall.ByTimer(), id, w.clock())
		if err != nil {
			t.Fatal(err)
		}
		if !members[user] && after.Incident.Version != before.Incident.Version {
			t.Fatalf("%q, who is no member, changed the incident to %+v", user, after.Incident)
		}
	})
}
