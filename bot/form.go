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

// A form holds the inputs of a view by block id. Each block has one input.
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

// text returns the text of an input, cleaned for storage.
func (f form) text(block view.Block) string {
	return oncall.Storable(f.input(block).Value)
}

// choice returns the value of the chosen option; empty if none is chosen.
func (f form) choice(block view.Block) string { return f.input(block).SelectedOption.Value }

// number returns the chosen option's value as an id; 0 if none is chosen.
func (f form) number(block view.Block) int64 {
	id, _ := strconv.ParseInt(f.choice(block), 10, 64) // not a number: 0
	return id
}

// checked reports whether the checkbox with a value is ticked.
func (f form) checked(block view.Block, value string) bool {
	for _, o := range f.input(block).SelectedOptions {
		if o.Value == value {
			return true
		}
	}
	return false
}

// user returns the chosen person; empty if nobody is chosen.
func (f form) user(block view.Block) oncall.UserID {
	return oncall.UserID(f.input(block).SelectedUser)
}

// instant returns the chosen date and time; zero if none is chosen.
func (f form) instant(block view.Block) time.Time {
	if at := f.input(block).SelectedDateTime; at != 0 {
		return time.Unix(at, 0).UTC()
	}
	return time.Time{}
}

// users returns the chosen people.
func (f form) users(block view.Block) []oncall.UserID {
	var users []oncall.UserID
	for _, u := range f.input(block).SelectedUsers {
		users = append(users, oncall.UserID(u))
	}
	return users
}

// has reports whether the view has an input.
func (f form) has(block view.Block) bool { return len(f[string(block)]) > 0 }

// digest returns a hash of all inputs.
func (f form) digest() string {
	held := map[string][]string{}
	for block := range f {
		in := f.input(view.Block(block))
		held[block] = append([]string{in.Value, in.SelectedOption.Value, in.SelectedUser, strconv.FormatInt(in.SelectedDateTime, 10)}, in.SelectedUsers...)
	}
	data, _ := json.Marshal(held) // strings only, with sorted keys
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// date returns the chosen day, or adds an error if none is chosen.
func (f form) date(block view.Block, wrong fieldErrors) schedule.Date {
	d, err := schedule.ParseDate(f.input(block).SelectedDate)
	if err != nil {
		wrong[block] = "Choose a day."
	}
	return d
}

// clock returns the chosen time of day; 0 if none is chosen.
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
