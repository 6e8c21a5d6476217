package slacksim

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

const (
	triggerLife = 3 * time.Second
	maxStack    = 3
	maxViewSize = 250 << 10
)

// view is a stored modal or home tab.
type view struct {
	ID       string          `json:"id"`
	User     string          `json:"user"`
	Content  json.RawMessage `json:"content"` // what the app sent
	Hash     string          `json:"hash"`
	Root     string          `json:"root"`
	Previous string          `json:"previous,omitempty"`
	// State is what the person has typed and chosen: block, action, value.
	State map[string]map[string]obj `json:"state,omitempty"`
	// Origin is the channel in which the person was when the modal opened.
	Origin string `json:"origin,omitempty"`
	errors map[string]string
}

// trigger allows one modal to be opened for a person who has just done something.
type trigger struct {
	user    string
	channel string
	view    string // the view in which the person acted, if any
	at      time.Time
	used    bool
}

// newTrigger makes a trigger id in Slack's format. The lock is held.
func (s *Sim) newTrigger(t trigger) string {
	t.at = s.opt.Now()
	for id, old := range s.triggers {
		if t.at.Sub(old.at) > time.Hour {
			delete(s.triggers, id)
		}
	}
	id := s.id("") + ".7890123." + randomHex(16)
	s.triggers[id] = &t
	return id
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, by the package's contract
	return hex.EncodeToString(b)
}

// useTrigger uses up a trigger: three seconds, one use.
func (s *Sim) useTrigger(a args) (*trigger, error) {
	if !a.has("trigger_id") {
		return nil, refuseArguments("[ERROR] missing required field: trigger_id")
	}
	t := s.triggers[a.str("trigger_id")]
	switch {
	case t == nil:
		return nil, refuseArguments("[ERROR] invalid `trigger_id`")
	case t.used:
		return nil, refuse("exchanged_trigger_id")
	case s.opt.Now().Sub(t.at) > triggerLife:
		return nil, refuse("expired_trigger_id")
	}
	t.used = true
	return t, nil
}

// checkedView validates a view argument and names its blocks.
func (s *Sim) checkedView(v any, where surface) (obj, error) {
	if problems := checkView(v, where); len(problems) > 0 {
		return nil, refuseArguments(problems...)
	}
	content := v.(obj) // checkView refuses anything else
	if len(toJSON(content)) > maxViewSize {
		return nil, refuse("view_too_large")
	}
	blocks, _ := content["blocks"].([]any)
	s.nameBlocks(blocks)
	return content, nil
}

// freshView creates a view after checking that it may be created.
func (s *Sim) freshView(v any, t *trigger, where surface) (*view, error) {
	content, err := s.checkedView(v, where)
	if err != nil {
		return nil, err
	}
	if external := textOf(content["external_id"]); external != "" && s.viewByExternal(external) != nil {
		return nil, refuse("duplicate_external_id")
	}
	made := &view{ID: s.id("V"), User: t.user, Origin: t.channel}
	made.Root = made.ID
	s.fillView(made, content)
	s.views[made.ID] = made
	return made, nil
}

// fillView replaces a view's content; input stays where block and action ids stay the same.
func (s *Sim) fillView(v *view, content obj) {
	old := v.State
	v.Content, v.Hash, v.errors = toJSON(content), s.ts()+"."+randomHex(4), nil
	v.State = initialState(v.blocks(), v.Origin)
	for block, actions := range v.State {
		for action, now := range actions {
			if was := old[block][action]; was != nil && was["type"] == now["type"] {
				v.State[block][action] = was
			}
		}
	}
}

func (v *view) content() obj  { return decode[obj](v.Content) }
func (v *view) blocks() []any { blocks, _ := v.content()["blocks"].([]any); return blocks }

func (s *Sim) viewByExternal(external string) *view {
	for _, stack := range s.stacks {
		for _, v := range stack {
			if textOf(v.content()["external_id"]) == external {
				return v
			}
		}
	}
	return nil
}

func (s *Sim) viewsOpen(a args) (obj, error) {
	t, err := s.useTrigger(a)
	if err != nil {
		return nil, err
	}
	v, err := s.freshView(a["view"], t, onModal)
	if err != nil {
		return nil, err
	}
	if t.view != "" && s.stacks[t.user] != nil && s.homes[t.user] != s.views[t.view] || s.top(t.user) != nil {
		s.misused("views.open while a modal is open: it is shown on some devices and not on others")
	}
	s.closeAll(t.user)
	s.stacks[t.user] = []*view{v}
	return obj{"view": s.viewObject(v)}, nil
}

// misused records a use that Slack accepts but doesn't guarantee.
func (s *Sim) misused(what string) { s.misuses = append(s.misuses, what) }

// Misuses lists the app's calls that Slack answers with ok but doesn't guarantee.
func (s *Sim) Misuses() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.misuses)
}

// Violations lists what no app should do: misuses, and views and messages of an invalid shape, unless a Fault
// caused the refusal.
func (s *Sim) Violations() []string {
	out := s.Misuses()
	for _, c := range s.Calls() {
		if c.Fault == "" && slices.Contains(malformed, c.Error) {
			out = append(out, c.Method+" was refused by "+c.Error+": "+string(c.Answer))
		}
		if c.Undocumented {
			out = append(out, c.Method+" answered "+c.Error+", which Slack does not document for it")
		}
	}
	return out
}

// malformed are the errors of calls that are wrong regardless of the workspace's state.
var malformed = []string{
	"invalid_arguments", "invalid_blocks", "invalid_blocks_format", "invalid_json", "invalid_metadata_format", "no_text",
	"unknown_method", "view_too_large", "msg_too_long", "metadata_too_large", "push_limit_reached",
}

func (s *Sim) viewsPush(a args) (obj, error) {
	t, err := s.useTrigger(a)
	if err != nil {
		return nil, err
	}
	v, err := s.pushView(a["view"], t)
	if err != nil {
		return nil, err
	}
	return obj{"view": s.viewObject(v)}, nil
}

// pushView puts a view on top of the person's stack.
func (s *Sim) pushView(content any, t *trigger) (*view, error) {
	stack := s.stacks[t.user]
	switch {
	case len(stack) == 0:
		return nil, refuse("not_found")
	case len(stack) >= maxStack:
		return nil, refuse("push_limit_reached")
	}
	v, err := s.freshView(content, t, onModal)
	if err != nil {
		return nil, err
	}
	v.Root, v.Previous = stack[0].ID, stack[len(stack)-1].ID
	s.stacks[t.user] = append(stack, v)
	return v, nil
}

func (s *Sim) viewsUpdate(a args) (obj, error) {
	v := s.views[a.str("view_id")]
	if v == nil && a.has("external_id") {
		v = s.viewByExternal(a.str("external_id"))
	}
	if v == nil {
		return nil, refuse("not_found")
	}
	if a.has("hash") && a.str("hash") != v.Hash {
		return nil, refuse("hash_conflict")
	}
	where := onModal
	if home := s.homes[v.User]; home != nil && home.ID == v.ID {
		where = onHome
	}
	content, err := s.checkedView(a["view"], where)
	if err != nil {
		return nil, err
	}
	s.fillView(v, content)
	return obj{"view": s.viewObject(v)}, nil
}

func (s *Sim) viewsPublish(a args) (obj, error) {
	u := s.user(a.str("user_id"))
	if u == nil || u.Bot {
		return nil, refuseArguments("[ERROR] no such user [json-pointer:/user_id]")
	}
	home := s.homes[u.ID]
	if a.has("hash") && (home == nil || a.str("hash") != home.Hash) {
		return nil, refuse("hash_conflict")
	}
	content, err := s.checkedView(a["view"], onHome)
	if err != nil {
		return nil, err
	}
	if home == nil {
		home = &view{ID: s.id("V"), User: u.ID}
		home.Root = home.ID
		s.homes[u.ID] = home
	}
	s.views[home.ID] = home
	s.fillView(home, content)
	return obj{"view": s.viewObject(home)}, nil
}

// viewObject returns a view in the format of answers and payloads.
func (s *Sim) viewObject(v *view) obj {
	content := v.content()
	o := obj{
		"id": v.ID, "team_id": TeamID, "type": content["type"], "blocks": filledIn(content["blocks"]),
		"private_metadata": textOf(content["private_metadata"]), "callback_id": textOf(content["callback_id"]),
		"state": obj{"values": stateValues(v.State)}, "hash": v.Hash, "title": filledIn(content["title"]),
		"close": filledIn(content["close"]), "submit": filledIn(content["submit"]), "clear_on_close": content["clear_on_close"] == true,
		"notify_on_close": content["notify_on_close"] == true, "previous_view_id": nil, "root_view_id": v.Root,
		"app_id": AppID, "external_id": textOf(content["external_id"]), "app_installed_team_id": TeamID, "bot_id": BotID,
	}
	if v.Previous != "" {
		o["previous_view_id"] = v.Previous
	}
	return o
}

// filledIn adds the fields that the app left out, as Slack does when it returns blocks.
func filledIn(v any) any {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			filledIn(item)
		}
	case obj:
		for _, item := range v {
			filledIn(item)
		}
		switch kind, isText := textOf(v["type"]), textOf(v["text"]) != ""; {
		case !isText:
		case kind == "plain_text" && v["emoji"] == nil:
			v["emoji"] = true
		case kind == "mrkdwn" && v["verbatim"] == nil:
			v["verbatim"] = false
		}
	}
	return v
}

// stateValues is never null, as in Slack.
func stateValues(state map[string]map[string]obj) map[string]map[string]obj {
	if state == nil {
		return map[string]map[string]obj{}
	}
	return state
}

// top returns the view that a person sees, nil if no modal is open.
func (s *Sim) top(userID string) *view {
	if stack := s.stacks[userID]; len(stack) > 0 {
		return stack[len(stack)-1]
	}
	return nil
}

// closeTop removes the topmost view; closeAll removes them all.
func (s *Sim) closeTop(userID string) {
	v := s.top(userID)
	if v == nil {
		return
	}
	delete(s.views, v.ID)
	s.stacks[userID] = slices.Delete(s.stacks[userID], len(s.stacks[userID])-1, len(s.stacks[userID]))
}

func (s *Sim) closeAll(userID string) {
	for s.top(userID) != nil {
		s.closeTop(userID)
	}
}
