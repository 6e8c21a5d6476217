package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

const apiKeyUsage = "Write it like `/oncall apikey create deploy read,page` for a key of your own, with `team payments` for a team's, `installation` for Watchbill's, " +
	"and `90d` for one that ends. There are the scopes read, page, act, edit and admin."

// An apiKeyAsk is the private metadata of an API key form. It says which key to create, rotate or
// revoke.
type apiKeyAsk struct {
	Do     string         `json:"do"`
	Name   string         `json:"name"`
	Scopes []oncall.Scope `json:"scopes,omitempty"`
	Team   oncall.TeamID  `json:"team,omitempty"`
	All    bool           `json:"all,omitempty"` // a key for the whole installation
	Days   int            `json:"days,omitempty"`
}

// apiKey answers `/oncall apikey [list|create|rotate|revoke]`. A new key is shown once, in a modal.
func (b *Bot) apiKey(ctx context.Context, r request) (view.Drawing, error) {
	switch {
	case len(r.words) == 0 || oneOf(r.words, 0, "list", "ls", "all", "show"):
		return b.apiKeys(ctx, r)
	case oneOf(r.words, 0, "create", "new", "make", "add"):
		return view.Drawing{}, b.askAPIKey(ctx, r)
	case len(r.words) > 1 && oneOf(r.words, 0, "rotate", "replace", "renew"):
		return view.Drawing{}, b.askOldAPIKey(ctx, r, "rotate")
	case len(r.words) > 1 && oneOf(r.words, 0, "revoke", "delete", "remove", "end"):
		return view.Drawing{}, b.askOldAPIKey(ctx, r, "revoke")
	}
	return view.Drawing{}, oncall.Refuse("%s `/oncall apikey` lists them, `/oncall apikey rotate deploy` replaces one, `/oncall apikey revoke deploy` ends it.", apiKeyUsage)
}

func (b *Bot) apiKeys(ctx context.Context, r request) (view.Drawing, error) {
	all, err := b.store.APIKeys(ctx, r.by())
	if err != nil {
		return view.Drawing{}, fmt.Errorf("list API keys: %w", err)
	}
	shown := make([]view.APIKey, len(all))
	for i, k := range all {
		shown[i] = r.shownAPIKey(k)
	}
	return view.Text(view.APIKeys(shown, r.now, r.location)), nil
}

func (r request) shownAPIKey(k store.APIKeyState) view.APIKey {
	t, _ := r.directory.Team(k.TeamID)
	return view.APIKey{APIKey: k.APIKey, Team: t.Name, Used: k.UsedAt, OldHint: k.OldHint, OldUntil: k.OldUntil}
}

// askAPIKey opens the form that confirms the creation of a key.
func (b *Bot) askAPIKey(ctx context.Context, r request) error {
	ask, err := r.readAPIKey(r.words[1:])
	if err != nil {
		return err
	}
	k := ask.key(r.user.ID, r.now)
	if err := k.Check(r.now); err != nil {
		return err
	}
	t, _ := r.directory.Team(k.TeamID)
	return b.openModal(ctx, r.trigger, view.APIKeyForm("create", view.APIKey{APIKey: k, Team: t.Name}, ask.String(), r.location))
}

// readAPIKey reads "deploy read,page team payments 90d".
func (r request) readAPIKey(words []string) (apiKeyAsk, error) {
	ask := apiKeyAsk{Do: "create"}
	at := slices.IndexFunc(words, func(w string) bool { _, are := scopesOf(w); return are })
	if at <= 0 {
		return ask, oncall.Refuse("%s", apiKeyUsage)
	}
	ask.Name = strings.Trim(unescape(strings.Join(words[:at], " ")), `"'“”`)
	for words = words[at:]; len(words) > 0; words = words[1:] {
		word := strings.ToLower(words[0])
		var days int
		if scopes, are := scopesOf(word); are {
			ask.Scopes = append(ask.Scopes, scopes...)
			continue
		}
		switch n, _ := fmt.Sscanf(word, "%dd", &days); {
		case n == 1 && days > 0:
			ask.Days = days
		case oneOf(words, 0, "mine", "me", "own", "for", "expires", "ends", "after", "in", "and"):
		case oneOf(words, 0, "installation", "everything"):
			ask.All = true
		case word == "team" && len(words) > 1:
			id, n := r.teamIn(words[1:])
			if n == 0 {
				return ask, oncall.Refuse("There is no team %q%s.", view.Name(unescape(words[1])), r.noneVisible())
			}
			ask.Team, words = id, words[n:]
		default:
			return ask, oncall.Refuse("What is %q? %s", view.Name(unescape(words[0])), apiKeyUsage)
		}
	}
	return ask, nil
}

// teamIn finds the team named by the first words, and returns how many words its name has.
func (r request) teamIn(words []string) (oncall.TeamID, int) {
	for n := min(len(words), maxObjectNameWords); n > 0; n-- {
		typed := strings.Trim(unescape(strings.Join(words[:n], " ")), `"'“”`)
		for _, t := range r.directory.Teams {
			if strings.EqualFold(t.Name, typed) {
				return t.ID, n
			}
		}
	}
	return 0, 0
}

// scopesOf parses a comma-separated list of scopes.
func scopesOf(word string) (scopes []oncall.Scope, are bool) {
	for one := range strings.SplitSeq(strings.Trim(strings.ToLower(word), ","), ",") {
		if !slices.Contains(oncall.Scopes(), oncall.Scope(one)) {
			return nil, false
		}
		scopes = append(scopes, oncall.Scope(one))
	}
	return scopes, true
}

func (a apiKeyAsk) String() string {
	text, _ := json.Marshal(a) // contains only plain fields
	return string(text)
}

// key returns the API key to create.
func (a apiKeyAsk) key(user oncall.UserID, now time.Time) oncall.APIKey {
	k := oncall.APIKey{Name: a.Name, Scopes: a.Scopes, TeamID: a.Team}
	if a.Team == 0 && !a.All {
		k.Owner = user
	}
	if a.Days > 0 {
		k.ExpiresAt = new(now.Add(time.Duration(a.Days) * 24 * time.Hour))
	}
	return k
}

// askOldAPIKey opens the form that confirms the rotation or revocation of a key.
func (b *Bot) askOldAPIKey(ctx context.Context, r request, do string) error {
	name := strings.Trim(unescape(strings.Join(r.words[1:], " ")), `"'“”`)
	all, err := b.store.APIKeys(ctx, r.by())
	if err != nil {
		return fmt.Errorf("list API keys: %w", err)
	}
	i := slices.IndexFunc(all, func(k store.APIKeyState) bool { return strings.EqualFold(k.Name, name) })
	if i < 0 {
		return noAPIKey(name)
	}
	return b.openModal(ctx, r.trigger, view.APIKeyForm(do, r.shownAPIKey(all[i]), apiKeyAsk{Do: do, Name: all[i].Name}.String(), r.location))
}

func noAPIKey(name string) error {
	return oncall.Refuse("There is no API key %q, or it is not yours to manage. `/oncall apikey` lists those that are.", view.Name(name))
}

// submitAPIKey creates, rotates or revokes a key. A new key replaces the form.
func (b *Bot) submitAPIKey(ctx context.Context, s submission) (modalResponse, error) {
	var ask apiKeyAsk
	if err := json.Unmarshal([]byte(s.meta()), &ask); err != nil {
		return modalResponse{}, fmt.Errorf("read the form: %w", err)
	}
	r, err := b.request(ctx, s.user, nil)
	if err != nil {
		return modalResponse{}, err
	}
	created := view.MadeAPIKey{Name: ask.Name}
	switch ask.Do {
	case "create":
		created.Key, _, err = b.store.CreateAPIKey(ctx, s.by(), ask.key(s.user, r.now), r.now)
	case "rotate":
		created.AtOnce = s.form.checked(view.BlockKeyEnds, view.KeyEndsNow)
		var was store.APIKeyState
		if created.Key, was, err = b.store.RotateAPIKey(ctx, s.by(), ask.Name, created.AtOnce, r.now); err == nil {
			created.OldHint, created.OldEnds = was.OldHint, *was.OldUntil
		}
	case "revoke":
		err = b.store.RevokeAPIKey(ctx, s.by(), ask.Name, r.now)
	}
	if errors.Is(err, oncall.ErrNotFound) {
		err = noAPIKey(ask.Name)
	}
	if err != nil {
		return modalResponse{}, err
	}
	return replace(view.NewAPIKey(created, r.location)), nil
}
