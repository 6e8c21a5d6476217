package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/watchbill/watchbill/oncall/schedule"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// readRules loads the form of the rules as it is filled in.
func (b *Bot) readRules(ctx context.Context, user oncall.UserID, v slack.View) (rulesForm, error) {
	f, err := readLines(v)
	if err == nil {
		f.reachView, err = b.reachView(ctx, user)
	}
	return f, err
}

// readLines takes the lines from the form.
func readLines(v slack.View) (f rulesForm, err error) {
	if err := json.Unmarshal([]byte(v.PrivateMetadata), &f.meta); err != nil {
		return f, oncall.Refuse("This form is from another version of Watchbill. Please open it again.")
	}
	held := formOf(v)
	for i, line := range f.meta.Lines {
		chosen := held[f.meta.block(i)]
		if id, err := strconv.ParseInt(chosen[actionRuleContact].SelectedOption.Value, 10, 64); err == nil {
			line.Contact = oncall.ContactID(id)
		}
		if s, err := strconv.ParseInt(chosen[actionRuleAfter].SelectedOption.Value, 10, 64); err == nil {
			line.After = oncall.Seconds(s)
		}
		f.lines = append(f.lines, line)
	}
	return f, nil
}

// rulesEdit opens the form of the rules of one urgency.
func (b *Bot) rulesEdit(ctx context.Context, p press) (string, error) {
	v, err := b.reachView(ctx, p.user)
	if err != nil {
		return "", err
	}
	f := rulesForm{reachView: v, meta: rulesMeta{Low: p.value == "low"}}
	f.lines = v.reach.Rules(f.meta.Low)
	return "", b.pushModal(ctx, p.trigger, drawRules(f))
}

// rulePress changes the lines of the form, which is then drawn anew.
func rulePress(change func(f *rulesForm, value string)) func(b *Bot, ctx context.Context, p press) (string, error) {
	return func(b *Bot, ctx context.Context, p press) (string, error) {
		f, err := b.readRules(ctx, p.user, p.view)
		if err != nil {
			return "", err
		}
		if change != nil {
			change(&f, p.value)
			f.meta.Drawn++
		}
		err = b.updateModal(ctx, p.view, drawRules(f))
		if _, late := errors.AsType[oncall.Refusal](err); late && change == nil {
			return "", nil // something else was chosen since, which draws it as well
		}
		return "", err
	}
}

// addLine adds what the rules do not use yet.
func addLine(f *rulesForm, _ string) {
	if len(f.lines) >= maxRules {
		return
	}
	next := oncall.Rule{}
	if n := len(f.lines); n > 0 {
		next.After = f.lines[n-1].After
	}
	for _, c := range f.reach.Contacts {
		uses := func(r oncall.Rule) bool { return r.Contact == c.ID }
		if c.Usable() && slices.Contains(f.facts.Methods, c.Method) && !slices.ContainsFunc(f.lines, uses) {
			next.Contact = c.ID
			break
		}
	}
	if slices.Contains(f.lines, next) { // the same again, but later
		for _, s := range afters {
			if s > next.After {
				next.After = s
				break
			}
		}
	}
	f.lines = append(f.lines, next)
}

func removeLine(f *rulesForm, value string) {
	if i, err := strconv.Atoi(value); err == nil && i >= 0 && i < len(f.lines) {
		f.lines = slices.Delete(f.lines, i, i+1)
	}
}

func defaultLines(f *rulesForm, _ string) { f.lines = defaultsOf(*f) }

// defaultsOf are the lines of somebody who has chosen none.
func defaultsOf(f rulesForm) []oncall.Rule {
	return oncall.Reach{Contacts: f.reach.Contacts}.Rules(f.meta.Low)
}

// submitRules saves the lines. The defaults are not saved, so that they follow when a
// contact method is added.
func (b *Bot) submitRules(ctx context.Context, s submission) (answer, error) {
	f, err := b.readRules(ctx, s.user, s.view)
	if err != nil {
		return answer{}, err
	}
	slices.SortStableFunc(f.lines, func(x, y oncall.Rule) int { return cmp.Compare(x.After, y.After) })
	lines := f.lines
	if len(lines) == 0 || slices.Equal(lines, defaultsOf(f)) {
		lines = nil
	}
	preferences := f.reach.Preferences
	if f.meta.Low {
		preferences.Low = lines
	} else {
		preferences.High = lines
	}
	return b.savePreferences(ctx, s, preferences)
}

// savePreferences saves how somebody is reached, and shows it below.
func (b *Bot) savePreferences(ctx context.Context, s submission, p oncall.Preferences) (answer, error) {
	if err := b.store.SetPreferences(ctx, s.user, p, b.clock()); err != nil {
		return answer{}, fmt.Errorf("save the rules of %s: %w", s.user, err)
	}
	b.redrawReach(ctx, s.user, s.view, "Saved.")
	return answer{}, nil
}

// hoursEdit opens the form of the hours for low severity.
func (b *Bot) hoursEdit(ctx context.Context, p press) (string, error) {
	v, err := b.reachView(ctx, p.user)
	if err != nil {
		return "", err
	}
	return "", b.pushModal(ctx, p.trigger, drawHours(v))
}

// submitHours saves them.
func (b *Bot) submitHours(ctx context.Context, s submission) (answer, error) {
	windows, err := schedule.ParseWindows(s.form.text(blockWindows))
	if err != nil {
		return correct(map[string]string{blockWindows: sentence(err)}), nil
	}
	v, err := b.reachView(ctx, s.user)
	if err != nil {
		return answer{}, err
	}
	preferences := v.reach.Preferences
	preferences.Hours = windows
	if schedule.WindowsText(windows) == schedule.WindowsText(oncall.WorkingHours) {
		preferences.Hours = nil
	}
	return b.savePreferences(ctx, s, preferences)
}
