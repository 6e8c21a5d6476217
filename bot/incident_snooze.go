package bot

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// snooze answers `/oncall snooze [12] 2h [note]`, also with several numbers or "all".
func (b *Bot) snooze(ctx context.Context, r request) (view.Drawing, error) {
	var remark []oncall.Act
	if n := r.noteAt(); n > 0 {
		remark = []oncall.Act{{Do: oncall.ActNote, Text: view.CutPlain(unescape(strings.Join(r.words[n:], " ")), view.MaxTyped)}}
		r.words = r.words[:n]
	}
	ids, left, rest, err := b.toSnooze(ctx, r)
	if err != nil {
		return view.Drawing{}, err
	}
	if len(ids) == 0 {
		return snoozeOne(remark).run(b, ctx, r)
	}
	r.words = rest
	acts, err := r.readSnooze()
	if err != nil {
		return view.Drawing{}, err
	}
	return b.actOnSeveral(ctx, r, ids, left, append(acts, remark...)...)
}

// snoozeOne snoozes one incident, and adds a remark.
func snoozeOne(remark []oncall.Act) command {
	return wordyCommand("snooze", "12 2h", view.ActionSnooze, inRequest(func(r request) ([]oncall.Act, error) {
		acts, err := r.readSnooze()
		return append(acts, remark...), err
	}))
}

// noteAt returns where the note begins in "1 2h waiting for the vendor"; 0: there is none.
func (r request) noteAt() int {
	words := r.words[:min(len(r.words), maxSeveral+maxLengthWords)]
	whole := func(words []string) bool {
		for n := range words {
			if _, ok := readNumbers(words[:n]); ok && r.endsSnooze(words[n:]) {
				return true
			}
		}
		return len(withoutAll(words)) > 0
	}
	if whole(words) {
		return 0
	}
	for n := len(words) - 1; n > 0; n-- {
		if first, _ := utf8.DecodeRuneInString(words[n]); unicode.IsLetter(first) && isNote(r.words[n:]) && whole(words[:n]) {
			return n
		}
	}
	return 0
}

// toSnooze parses a command about several incidents into their ids and the words of the duration. It returns
// none for a command about one. left are incidents that others hold.
func (b *Bot) toSnooze(ctx context.Context, r request) (ids, left []oncall.IncidentID, rest []string, err error) {
	words := withoutWord(withoutWord(r.words, "incident"), "incidents")
	if len(words) == 0 || len(words) > maxSeveral+maxLengthWords {
		return nil, nil, nil, nil
	}
	if rest := withoutAll(words); len(rest) > 0 {
		ids, left, err := b.allOf(ctx, r, oncall.ActSnooze)
		return ids, left, rest, err
	}
	if all, ok := readNumbers(words); ok && len(all) > 2 {
		return nil, nil, nil, oncall.Refuse("Say for how long: `/oncall snooze %s 2h`.", strings.Join(words, " "))
	}
	var found [][]string
	for n := 1; n < len(words); n++ { // numbers first: "1 2 2h"; but "1 2 hours" is one number and a duration
		if some, ok := readNumbers(words[:n]); ok && len(some) > 0 && r.endsSnooze(words[n:]) {
			ids, found = some, append(found, words[n:])
		}
	}
	switch {
	case len(found) == 1:
		rest = found[0]
	case len(found) > 1:
		return nil, nil, nil, oncall.Refuse("Which are the numbers, and how long? Write it like `/oncall snooze 1, 2 for 2h`.")
	default: // numbers last: "2h 1 2"
		if ids, rest = r.numbersLast(words); len(ids) == 0 {
			return nil, nil, nil, nil
		}
	}
	if len(ids) > maxSeveral {
		return nil, nil, nil, oncall.Refuse("At most %d incidents at once.", maxSeveral)
	}
	if len(ids) == 1 && len(found) == 1 {
		return nil, nil, nil, nil // the usual order: one incident
	}
	return ids, nil, rest, nil
}

// maxLengthWords is the maximum number of words in a duration, because every split of the words is tried.
const maxLengthWords = 10

// numbersLast parses "2h 1 2" and "tomorrow #1": the words before the numbers are an end, and all words
// together are not.
func (r request) numbersLast(words []string) (ids []oncall.IncidentID, rest []string) {
	if r.endsSnooze(words) {
		return nil, nil
	}
	for n := 1; n < len(words); n++ {
		if !strings.HasPrefix(words[n], "#") && (n > 1 || !r.onlyLengthOf(words[:1])) {
			continue // "tomorrow 9" and "2 hours 30" may mean something else
		}
		if some, ok := readNumbers(words[n:]); ok && len(some) > 0 && r.endsSnooze(words[:n]) {
			return some, words[:n]
		}
	}
	return nil, nil
}

func (r request) onlyLengthOf(words []string) bool {
	r.words = words
	return r.onlyLength()
}

// endsSnooze reports whether the words are the end of a snooze.
func (r request) endsSnooze(words []string) bool {
	if isNumber(words[0]) && len(words) == 1 {
		return false // "2" is no duration
	}
	r.words = words
	_, err := r.readSnooze()
	return err == nil
}

// withoutAll returns the rest of "all 2h" or "2h all"; nil without "all".
func withoutAll(words []string) []string {
	last := len(words) - 1
	switch {
	case last < 1:
		return nil
	case oneOf(words, 0, "all", "everything"):
		return words[1:]
	case oneOf(words, last, "all", "everything"):
		return words[:last]
	}
	return nil
}
