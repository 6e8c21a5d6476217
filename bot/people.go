package bot

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// maxNameWords is the maximum number of words in a person's name.
const maxNameWords = 4

// person finds the person named by the first words: a mention, "me", a Slack id, an e-mail address, a
// handle, a name, or a unique first name. It returns the number of words used, or 0 if they name
// nobody. If the name is ambiguous, the error asks who is meant.
func (r request) person(words []string) (id oncall.UserID, used int, err error) {
	if len(words) == 0 {
		return "", 0, nil
	}
	if id, ok := view.ReadMention(words[0]); ok {
		return id, 1, nil
	}
	for n := min(len(words), maxNameWords); n > 0; n-- {
		found := r.peopleNamed(strings.Join(words[:n], " "))
		switch {
		case len(found) == 1:
			return found[0], n, nil
		case len(found) > 1:
			return "", n, r.whichOf(words[:n], found)
		}
	}
	return "", 0, nil
}

// peopleNamed finds the people that a text may refer to. Former members count only if nobody else matches.
func (r request) peopleNamed(typed string) []oncall.UserID {
	found := peopleCalled(r.directory, r.user.ID, typed)
	if here := slices.DeleteFunc(slices.Clone(found), func(u oncall.UserID) bool { return r.directory.Users[u].Unpageable() != "" }); len(here) > 0 {
		return here
	}
	return found
}

// mailto matches an e-mail address as Slack formats it in a command.
var mailto = regexp.MustCompile(`^<mailto:([^|>]+)(\|[^>]*)?>$`)

// peopleCalled finds people by a name, trying the most precise way first.
func peopleCalled(dir *store.Directory, me oncall.UserID, typed string) []oncall.UserID {
	typed = strings.Trim(unescape(typed), `"'“”,;:`)
	if m := mailto.FindStringSubmatch(typed); m != nil {
		typed = m[1]
	}
	if id, ok := view.ReadMention(typed); ok {
		return []oncall.UserID{id}
	}
	typed = plainName(strings.TrimPrefix(typed, "@"))
	switch typed {
	case "":
		return nil
	case "me", "myself", "i", "ich", "mich":
		if me != "" {
			return []oncall.UserID{me}
		}
	}
	ways := []func(u oncall.User) bool{
		func(u oncall.User) bool { return strings.EqualFold(string(u.ID), typed) || plainName(u.Email) == typed },
		func(u oncall.User) bool { return plainName(u.Name) == typed },
		func(u oncall.User) bool {
			local, _, _ := strings.Cut(u.Email, "@")
			return local != "" && plainName(local) == typed
		},
		func(u oncall.User) bool { return slices.Contains(strings.Fields(plainName(u.Name)), typed) },
	}
	for _, fits := range ways {
		var found []oncall.UserID
		for id, u := range dir.Users {
			if fits(u) {
				found = append(found, id)
			}
		}
		if len(found) > 0 {
			slices.SortFunc(found, func(a, b oncall.UserID) int {
				return strings.Compare(dir.Users[a].Name+string(a), dir.Users[b].Name+string(b))
			})
			return found
		}
	}
	return nil
}

// plainName normalises a name: lower case, no accents.
func plainName(s string) string {
	return accents.Replace(strings.ToLower(strings.Join(strings.Fields(s), " ")))
}

var accents = strings.NewReplacer("ä", "a", "ö", "o", "ü", "u", "ae", "a", "oe", "o", "ue", "u", "ß", "ss", "é", "e", "è", "e", "ê", "e", "á", "a", "à", "a",
	"å", "a", "ç", "c", "ñ", "n", "ó", "o", "ø", "o", "í", "i", "ú", "u", "ł", "l", "š", "s", "ž", "z", "č", "c", "ć", "c", "ń", "n", "ś", "s", "ż", "z")

// whichOf refuses an ambiguous name, with the candidates.
func (r request) whichOf(words []string, found []oncall.UserID) error {
	shown := found[:min(len(found), 5)]
	names := make([]string, len(shown))
	for i, id := range shown {
		u := r.directory.Users[id]
		names[i] = view.Name(u.Name)
		if u.Email != "" {
			names[i] += " (" + view.Name(u.Email) + ")"
		}
	}
	return oncall.Refuse("Several people are called %q: %s. Write who you mean with @, or by the whole name or the e-mail address.",
		view.Name(unescape(strings.Join(words, " "))), view.List(names))
}

// nobody refuses an unknown name, with a guess.
func (r request) nobody(word, example string) error {
	word = strings.TrimPrefix(unescape(word), "@")
	return oncall.Refuse("%q is nobody whom Watchbill knows.%s Write it like `%s`.", view.Name(word), view.DidYouMean(view.Name(guessPerson(r.directory, word)), "%s"), example)
}

// guessPerson returns the name that was probably meant.
func guessPerson(dir *store.Directory, typed string) string {
	var names []string
	for _, u := range dir.Users {
		if u.Unpageable() == "" {
			names = append(names, strings.Fields(u.Name)...)
		}
	}
	slices.Sort(names)
	guess := oncall.Nearest(typed, slices.Compact(names))
	if len([]rune(typed)) < 3 && !strings.HasPrefix(strings.ToLower(guess), strings.ToLower(typed)) {
		return "" // one edit turns a two-letter word into another name
	}
	for _, u := range dir.Users {
		if slices.Contains(strings.Fields(u.Name), guess) && u.Unpageable() == "" {
			return u.Name
		}
	}
	return ""
}

// findPerson is like person, but also looks up e-mail addresses in Slack.
func (b *Bot) findPerson(ctx context.Context, r request, words []string) (oncall.UserID, int, error) {
	id, n, err := r.person(words)
	if n > 0 || err != nil || len(words) == 0 {
		return id, n, err
	}
	address := unescape(words[0])
	if m := mailto.FindStringSubmatch(words[0]); m != nil {
		address = m[1]
	}
	if at := strings.Index(address, "@"); at < 1 || !strings.Contains(address[at:], ".") {
		return "", 0, nil
	}
	u, err := b.UserByEmail(ctx, address)
	if errors.Is(err, oncall.ErrNotFound) {
		return "", 0, nil
	}
	return u.ID, 1, err
}

// readPeople parses all people at the beginning of the words, and returns the other words.
func (b *Bot) readPeople(ctx context.Context, r request, words []string) ([]oncall.UserID, []string, error) {
	var users []oncall.UserID
	for len(words) > 0 {
		if len(users) > 0 && len(words) > 1 && (words[0] == "and" || words[0] == "&amp;" || words[0] == "+") {
			if _, n, err := b.findPerson(ctx, r, words[1:]); n > 0 && err == nil {
				words = words[1:]
			}
		}
		id, n, err := b.findPerson(ctx, r, words)
		if err != nil {
			return nil, nil, err
		}
		if n == 0 {
			break
		}
		users, words = append(users, id), words[n:]
	}
	return users, words, nil
}

// mayInSome reports whether a person may do something in any team.
func mayInSome(d *store.Directory, user oncall.UserID, do access.Permission) bool {
	return slices.ContainsFunc(d.Teams, func(t oncall.Team) bool {
		return d.Access().May(oncall.ByUser(user), do, access.Object{Team: t.ID}) == nil
	})
}

// manages reports whether a person may act for others in a schedule.
func manages(d *store.Directory, user oncall.UserID, schedule *schedule.Schedule) bool {
	return d.Access().May(oncall.ByUser(user), access.Override, access.Object{Team: schedule.TeamID()}) == nil
}
