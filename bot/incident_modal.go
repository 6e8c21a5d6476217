package bot

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// submitActs returns the handler of a form about an incident. The function read returns the requested
// acts, or the errors of the inputs.
func submitActs(read func(f form, now time.Time) ([]oncall.Act, fieldErrors)) func(*Bot, context.Context, submission) (modalResponse, error) {
	return func(b *Bot, ctx context.Context, s submission) (modalResponse, error) {
		id, known := readIncidentValue(s.meta())
		if !known {
			return modalResponse{}, oncall.Refuse("This version of Watchbill doesn't know that form, and nothing was changed.")
		}
		acts, wrong := read(s.form, b.clock())
		if len(wrong) > 0 {
			return correct(wrong), nil
		}
		if err := b.acts(ctx, id, s.user, acts); err != nil {
			return modalResponse{}, err
		}
		return closeAll(), nil
	}
}

// acts performs several acts in order, and reports which were refused.
func (b *Bot) acts(ctx context.Context, id oncall.IncidentID, user oncall.UserID, acts []oncall.Act) error {
	var refused []string
	for _, a := range acts {
		if a.User != "" { // may be unknown to the store
			if _, err := b.user(ctx, a.User); err != nil {
				return err
			}
		}
		err := b.act(ctx, id, user, a)
		if refusal, ok := errors.AsType[oncall.Refusal](err); ok {
			refused = append(refused, view.Sentence(refusal.Sentence))
		} else if err != nil {
			return err
		}
	}
	if len(refused) > 0 {
		return oncall.Refuse("%s", strings.Join(refused, " "))
	}
	return nil
}

func readSnooze(f form, now time.Time) ([]oncall.Act, fieldErrors) {
	if at := f.instant(view.BlockUntil); !at.IsZero() {
		if !at.After(now) {
			return nil, fieldErrors{view.BlockUntil: "That is in the past."}
		}
		return []oncall.Act{{Do: oncall.ActSnooze, Until: at}}, nil
	}
	return nil, fieldErrors{view.BlockUntil: "Choose an end, or press one of the buttons above."}
}

// snoozeFor returns a snooze with the end that an option's value stands for.
func snoozeFor(value string, now time.Time) oncall.Act {
	switch value {
	case view.SnoozeWork:
		return oncall.Act{Do: oncall.ActSnooze, Till: oncall.TillWork}
	case view.SnoozeHandoff:
		return oncall.Act{Do: oncall.ActSnooze, Till: oncall.TillHandoff}
	}
	d, _ := time.ParseDuration(value) // the values are constants
	return oncall.Act{Do: oncall.ActSnooze, Until: now.Add(d)}
}

func readReassign(f form, _ time.Time) ([]oncall.Act, fieldErrors) {
	user, policy := f.user(view.BlockPerson), oncall.PolicyID(f.number(view.BlockPolicy))
	switch {
	case user == "" && policy == 0:
		return nil, fieldErrors{view.BlockPerson: "Choose a person or a policy."}
	case user != "" && policy != 0:
		return nil, fieldErrors{view.BlockPolicy: "Choose either a person or a policy, not both."}
	}
	return []oncall.Act{{Do: oncall.ActReassign, User: user, Policy: policy}}, nil
}

func readAsk(f form, _ time.Time) ([]oncall.Act, fieldErrors) {
	var acts []oncall.Act
	for _, u := range f.input(view.BlockPeople).SelectedUsers {
		acts = append(acts, oncall.Act{Do: oncall.ActAsk, User: oncall.UserID(u), Text: strings.TrimSpace(f.text(view.BlockText))})
	}
	kind, id, _ := strings.Cut(f.choice(view.BlockOnCall), "/")
	if n, err := strconv.ParseInt(id, 10, 64); err == nil {
		act := oncall.Act{Do: oncall.ActAsk, Text: strings.TrimSpace(f.text(view.BlockText))}
		if kind == "team" {
			act.Team = oncall.TeamID(n)
		} else {
			act.Schedule = oncall.ScheduleID(n)
		}
		acts = append(acts, act)
	}
	if len(acts) == 0 {
		return nil, fieldErrors{view.BlockPeople: "Choose somebody."}
	}
	return acts, nil
}

func readNote(f form, _ time.Time) ([]oncall.Act, fieldErrors) {
	text := strings.TrimSpace(f.text(view.BlockText))
	if text == "" {
		return nil, fieldErrors{view.BlockText: "Write something."}
	}
	return []oncall.Act{{Do: oncall.ActNote, Text: text}}, nil
}

func readSeverity(f form, _ time.Time) ([]oncall.Act, fieldErrors) {
	return []oncall.Act{{Do: oncall.ActSeverity, Severity: oncall.Severity(f.choice(view.BlockSeverity))}}, nil
}

func readVerdict(f form, _ time.Time) ([]oncall.Act, fieldErrors) {
	act := oncall.Act{Do: oncall.ActVerdict, Verdict: oncall.Verdict(f.choice(view.BlockVerdict)), Text: f.text(view.BlockText)}
	if act.Verdict == oncall.NoVerdict && strings.TrimSpace(act.Text) == "" {
		return nil, fieldErrors{view.BlockVerdict: "Say what it was, or what helped."}
	}
	return []oncall.Act{act}, nil
}

func readUpdate(f form, _ time.Time) ([]oncall.Act, fieldErrors) {
	act := oncall.Act{Do: oncall.ActUpdate, Text: strings.TrimSpace(f.text(view.BlockText))}
	for _, o := range f.input(view.BlockUpdateTo).SelectedOptions {
		act.Channels = append(act.Channels, o.Value)
	}
	switch {
	case act.Text == "":
		return nil, fieldErrors{view.BlockText: "Write something."}
	case len(act.Channels) == 0 && len(f[string(view.BlockUpdateTo)]) > 0: // the team has some
		return nil, fieldErrors{view.BlockUpdateTo: "Choose a channel."}
	}
	return []oncall.Act{act}, nil
}

func readMerge(f form, _ time.Time) ([]oncall.Act, fieldErrors) {
	other := oncall.IncidentID(f.number(view.BlockOther))
	if other == 0 {
		return nil, fieldErrors{view.BlockOther: "Choose an incident."}
	}
	return []oncall.Act{{Do: oncall.ActKind(f.choice(view.BlockHow)), Other: other}}, nil
}
