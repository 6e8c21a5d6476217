package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// readRules loads the form of the notification rules, with the current input.
func (b *Bot) readRules(ctx context.Context, user oncall.UserID, v slack.View) (view.RulesForm, error) {
	f, err := readLines(v)
	if err == nil {
		f.Contacts, err = b.reachView(ctx, user)
	}
	return f, err
}

// readLines reads the rules from the form.
func readLines(v slack.View) (f view.RulesForm, err error) {
	if err := json.Unmarshal([]byte(v.PrivateMetadata), &f.Meta); err != nil {
		return f, oncall.Refuse("This form is from another version of Watchbill. Please open it again.")
	}
	held := formOf(v)
	for i, line := range f.Meta.Lines {
		chosen := held[string(f.Meta.Block(i))]
		if id, err := strconv.ParseInt(chosen[string(view.ActionRuleContact)].SelectedOption.Value, 10, 64); err == nil {
			line.Contact = oncall.ContactID(id)
		}
		if s, err := strconv.ParseInt(chosen[string(view.ActionRuleAfter)].SelectedOption.Value, 10, 64); err == nil {
			line.After = oncall.Seconds(s)
		}
		f.Lines = append(f.Lines, line)
	}
	return f, nil
}

// rulesEdit opens the form of the rules for one urgency.
func (b *Bot) rulesEdit(ctx context.Context, p press) (string, error) {
	v, err := b.reachView(ctx, p.user)
	if err != nil {
		return "", err
	}
	f := view.RulesForm{Contacts: v, Meta: view.RulesMeta{Low: p.value == "low"}}
	f.Lines = v.Reach.Rules(f.Meta.Low)
	return "", b.pushModal(ctx, p.trigger, f.Draw())
}

// rulePress returns the handler of a button that changes the form's rules.
func rulePress(change func(f *view.RulesForm, value string)) func(b *Bot, ctx context.Context, p press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		f, err := b.readRules(ctx, p.user, p.view)
		if err != nil {
			return "", err
		}
		if change != nil {
			change(&f, p.value)
			f.Meta.Drawn++
		}
		err = b.updateModal(ctx, p.view, f.Draw())
		if _, late := errors.AsType[oncall.Refusal](err); late && change == nil {
			return "", nil // a later choice redraws it, too
		}
		return "", err
	}
}

// addLine adds a rule, preferably with a contact method that has none yet.
func addLine(f *view.RulesForm, _ string) {
	if len(f.Lines) >= view.MaxRules {
		return
	}
	next := oncall.Rule{}
	if n := len(f.Lines); n > 0 {
		next.After = f.Lines[n-1].After
	}
	for _, c := range f.Reach.Contacts {
		uses := func(r oncall.Rule) bool { return r.Contact == c.ID }
		if c.Usable() && slices.Contains(f.Context.Methods, c.Method) && !slices.ContainsFunc(f.Lines, uses) {
			next.Contact = c.ID
			break
		}
	}
	if slices.Contains(f.Lines, next) { // same method, later
		for _, s := range view.Afters {
			if s > next.After {
				next.After = s
				break
			}
		}
	}
	f.Lines = append(f.Lines, next)
}

func removeLine(f *view.RulesForm, value string) {
	if i, err := strconv.Atoi(value); err == nil && i >= 0 && i < len(f.Lines) {
		f.Lines = slices.Delete(f.Lines, i, i+1)
	}
}

func defaultLines(f *view.RulesForm, _ string) { f.Lines = defaultsOf(*f) }

// defaultsOf returns the rules that apply if a person has set none.
func defaultsOf(f view.RulesForm) []oncall.Rule {
	return oncall.ContactSettings{Contacts: f.Reach.Contacts}.Rules(f.Meta.Low)
}

// submitRules saves the rules. Default rules aren't stored, so that they keep following the person's contact
// methods.
func (b *Bot) submitRules(ctx context.Context, s submission) (modalResponse, error) {
	f, err := b.readRules(ctx, s.user, s.view)
	if err != nil {
		return modalResponse{}, err
	}
	slices.SortStableFunc(f.Lines, func(x, y oncall.Rule) int { return cmp.Compare(x.After, y.After) })
	lines := f.Lines
	if len(lines) == 0 || slices.Equal(lines, defaultsOf(f)) {
		lines = nil
	}
	preferences := f.Reach.Preferences
	if f.Meta.Low {
		preferences.Low = lines
	} else {
		preferences.High = lines
	}
	return b.savePreferences(ctx, s, preferences)
}

// savePreferences saves the person's preferences, and redraws the view below.
func (b *Bot) savePreferences(ctx context.Context, s submission, p oncall.Preferences) (modalResponse, error) {
	if err := b.store.SetPreferences(ctx, s.by(), s.user, p, b.clock()); err != nil {
		return modalResponse{}, fmt.Errorf("save the rules of %s: %w", s.user, err)
	}
	b.redrawReach(ctx, s.user, s.view, "Saved.")
	return modalResponse{}, nil
}

// hoursEdit opens the form for the hours of low-severity pages.
func (b *Bot) hoursEdit(ctx context.Context, p press) (string, error) {
	v, err := b.reachView(ctx, p.user)
	if err != nil {
		return "", err
	}
	return "", b.pushModal(ctx, p.trigger, v.HoursForm())
}

// submitHours saves the hours.
func (b *Bot) submitHours(ctx context.Context, s submission) (modalResponse, error) {
	windows, err := schedule.ParseWindows(s.form.text(view.BlockWindows))
	if err != nil {
		return correct(fieldErrors{view.BlockWindows: sentence(err)}), nil
	}
	v, err := b.reachView(ctx, s.user)
	if err != nil {
		return modalResponse{}, err
	}
	preferences := v.Reach.Preferences
	preferences.Hours = windows
	if schedule.WindowsText(windows) == schedule.WindowsText(oncall.WorkingHours) {
		preferences.Hours = nil
	}
	return b.savePreferences(ctx, s, preferences)
}
