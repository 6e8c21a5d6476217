package bot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

// A form is the inputs of a view, by block id. Each is alone in its block.
type form map[string]map[string]slack.BlockAction

func formOf(v slack.View) form {
	if v.State == nil {
		return form{}
	}
	return v.State.Values
}

func (f form) input(block view.Block) slack.BlockAction {
	for _, a := range f[string(block)] {
		return a
	}
	return slack.BlockAction{}
}

// text is what was typed, as it can be stored.
func (f form) text(block view.Block) string {
	return oncall.Storable(f.input(block).Value)
}

// choice is the value of the option that was chosen, "" if none was.
func (f form) choice(block view.Block) string { return f.input(block).SelectedOption.Value }

// number is the id that is the value of the option chosen, 0 if none was.
func (f form) number(block view.Block) int64 {
	id, _ := strconv.ParseInt(f.choice(block), 10, 64) // no id is 0 as well
	return id
}

// checked reports whether the option with a value is ticked.
func (f form) checked(block view.Block, value string) bool {
	for _, o := range f.input(block).SelectedOptions {
		if o.Value == value {
			return true
		}
	}
	return false
}

// user is the person chosen, "" if nobody was.
func (f form) user(block view.Block) oncall.UserID {
	return oncall.UserID(f.input(block).SelectedUser)
}

// instant is the date and time chosen, zero if none was.
func (f form) instant(block view.Block) time.Time {
	if at := f.input(block).SelectedDateTime; at != 0 {
		return time.Unix(at, 0).UTC()
	}
	return time.Time{}
}

// users are the people chosen.
func (f form) users(block view.Block) []oncall.UserID {
	var users []oncall.UserID
	for _, u := range f.input(block).SelectedUsers {
		users = append(users, oncall.UserID(u))
	}
	return users
}

// has reports whether a view shows an input.
func (f form) has(block view.Block) bool { return len(f[string(block)]) > 0 }

// digest changes when anything in the form does.
func (f form) digest() string {
	held := map[string][]string{}
	for block := range f {
		in := f.input(view.Block(block))
		held[block] = append([]string{in.Value, in.SelectedOption.Value, in.SelectedUser, strconv.FormatInt(in.SelectedDateTime, 10)}, in.SelectedUsers...)
	}
	data, _ := json.Marshal(held) // strings only, in the order of the keys
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// date is the day that was chosen; without one it adds a mistake.
func (f form) date(block view.Block, wrong fieldErrors) schedule.Date {
	d, err := schedule.ParseDate(f.input(block).SelectedDate)
	if err != nil {
		wrong[block] = "Choose a day."
	}
	return d
}

// clock is the time of the day that was chosen; none is 0.
func (f form) clock(block view.Block, wrong fieldErrors) schedule.TimeOfDay {
	text := f.input(block).SelectedTime
	if text == "" {
		return 0
	}
	t, err := schedule.ParseTimeOfDay(text)
	if err != nil {
		wrong[block] = "That is not a time of day."
	}
	return t
}
