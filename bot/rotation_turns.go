package bot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// nameOf returns a person's name for a form, or the id if the name isn't unique.
func nameOf(d *store.Directory, id oncall.UserID) string {
	u := d.Users[id]
	if found := peopleCalled(d, "", u.Name); u.Name == "" || len(found) != 1 || strings.ContainsAny(u.Name, "+\n") {
		return string(id)
	}
	return u.Name
}

// readTurns parses turns, separated by line breaks or semicolons.
func readTurns(dir *store.Directory, me oncall.UserID, text string, mayBeEmpty bool) ([][]oncall.UserID, error) {
	turns := [][]oncall.UserID{}
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if strings.EqualFold(line, view.Nobody) {
			turns = append(turns, []oncall.UserID{})
			continue
		}
		var turn []oncall.UserID
		for word := range strings.SplitSeq(line, "+") {
			u, err := readPerson(dir, me, strings.TrimSpace(word))
			if err != nil {
				return nil, err
			}
			turn = append(turn, u)
		}
		turns = append(turns, turn)
	}
	if len(turns) == 0 && !mayBeEmpty {
		return nil, oncall.Refuse("Nobody has a turn yet. For nobody on purpose, write nobody.")
	}
	return turns, nil
}

func readPerson(dir *store.Directory, me oncall.UserID, name string) (oncall.UserID, error) {
	found := peopleCalled(dir, me, name)
	if here := slices.DeleteFunc(slices.Clone(found), func(u oncall.UserID) bool { return dir.Users[u].Unpageable() != "" }); len(here) > 0 {
		found = here
	}
	switch {
	case len(found) == 0:
		guess := ""
		if n := guessPerson(dir, name); n != "" {
			guess = fmt.Sprintf(" Did you mean %s?", n)
		}
		return "", oncall.Refuse("Watchbill knows nobody called %q.%s People who are new to it are added below.", view.CutPlain(name, view.MaxName), guess)
	case len(found) > 1:
		return "", oncall.Refuse("Several people are called %q: write the whole name or the e-mail address, or %s or %s.", view.CutPlain(name, view.MaxName), found[0], found[1])
	case dir.Users[found[0]].DeactivatedAt != nil:
		return "", oncall.Refuse("%s is deactivated in Slack and can't be on call.", dir.Users[found[0]].Name)
	}
	return found[0], nil
}
