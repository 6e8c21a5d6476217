package slacksim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// SubmitResult is what a person sees after submitting a modal.
type SubmitResult struct {
	Result
	// Errors are shown at the inputs, by block_id; the modal stays open.
	Errors map[string]string `json:"errors,omitempty"`
	// Open is the number of views still open afterwards.
	Open int `json:"open"`
}

// place is where an element is: in a message or in a view.
type place struct {
	channel *Channel
	message *Message
	view    *view
}

// Click presses a button in a message. An empty ts means the newest message with such a button, and
// "action_id=value" picks one of several buttons with the same action.
func (s *Sim) Click(ctx context.Context, userID, channel, ts, actionID string) (Result, error) {
	return s.Choose(ctx, userID, channel, ts, actionID, nil)
}

// Choose sets any other element of a message: the value of an option, a user id, a date, a list.
func (s *Sim) Choose(ctx context.Context, userID, channel, ts, actionID string, value any) (Result, error) {
	s.mu.Lock()
	u, c, err := s.actor(userID, channel)
	if err == nil && c == nil {
		err = fmt.Errorf("click where?")
	}
	if err != nil {
		s.mu.Unlock()
		return Result{}, err
	}
	m, block, e := s.findElement(u, c, ts, actionID)
	if e == nil {
		s.mu.Unlock()
		return Result{}, fmt.Errorf("no element %q in %s", actionID, channel)
	}
	return s.act(ctx, u, place{channel: c, message: m}, block, e, value)
}

// ClickView presses a button of the view that the person has open.
func (s *Sim) ClickView(ctx context.Context, userID, actionID string) (Result, error) {
	return s.ChooseView(ctx, userID, actionID, nil)
}

// ChooseView sets an element of the open view and sends it to the app, as elements outside of input blocks
// do, and those inside with dispatch_action.
func (s *Sim) ChooseView(ctx context.Context, userID, actionID string, value any) (Result, error) {
	return s.actInView(ctx, userID, actionID, value, func(u *User) *view { return s.top(u.ID) })
}

// ClickHome and ChooseHome act in the app's home tab.
func (s *Sim) ClickHome(ctx context.Context, userID, actionID string) (Result, error) {
	return s.ChooseHome(ctx, userID, actionID, nil)
}

// ChooseHome sets an element of the app's home tab.
func (s *Sim) ChooseHome(ctx context.Context, userID, actionID string, value any) (Result, error) {
	return s.actInView(ctx, userID, actionID, value, func(u *User) *view { return s.homes[u.ID] })
}

func (s *Sim) actInView(ctx context.Context, userID, actionID string, value any, which func(*User) *view) (Result, error) {
	s.mu.Lock()
	u, _, err := s.actor(userID, "")
	if err != nil {
		s.mu.Unlock()
		return Result{}, err
	}
	v := which(u)
	if v == nil {
		s.mu.Unlock()
		return Result{}, fmt.Errorf("%s has no view open", u.Name)
	}
	block, e := findIn(v.blocks(), actionID)
	if e == nil {
		s.mu.Unlock()
		return Result{}, fmt.Errorf("no element %q in the view", actionID)
	}
	return s.act(ctx, u, place{view: v}, block, e, value)
}

// findIn finds an element by "action_id", "action_id=value" or "block_id/action_id".
func findIn(blocks []any, ref string) (block, e obj) {
	for _, b := range blocks {
		candidate, _ := b.(obj)
		for _, e := range elementsOf(candidate) {
			id := textOf(e["action_id"])
			if id != "" && slices.Contains([]string{id, id + "=" + textOf(e["value"]), textOf(candidate["block_id"]) + "/" + id}, ref) {
				return candidate, e
			}
		}
	}
	return nil, nil
}

// findElement looks in the message named by ts, or in the newest that the person sees.
func (s *Sim) findElement(u *User, c *Channel, ts, ref string) (*Message, obj, obj) {
	candidates := slices.Clone(s.history[c.ID])
	for _, m := range s.ephemerals[u.ID] {
		if m.Channel == c.ID {
			candidates = append(candidates, m)
		}
	}
	slices.SortStableFunc(candidates, func(x, y *Message) int { return strings.Compare(y.TS, x.TS) })
	for _, m := range candidates {
		if ts != "" && m.TS != ts {
			continue
		}
		if block, e := findIn(m.allBlocks(), ref); e != nil {
			return m, block, e
		}
	}
	return nil, nil, nil
}

// allBlocks returns the blocks of a message and of its attachments.
func (m *Message) allBlocks() []any {
	blocks := decode[[]any](m.Blocks)
	for _, a := range decode[[]obj](m.Attachments) {
		inner, _ := a["blocks"].([]any)
		blocks = append(blocks, inner...)
	}
	return blocks
}

// act sends block_actions for one element. The lock is held and is given up.
func (s *Sim) act(ctx context.Context, u *User, p place, block, e obj, given any) (Result, error) {
	kind := textOf(e["type"])
	value, err := valueFor(e, given, s.offered[u.ID+textOf(e["action_id"])])
	if err != nil {
		s.mu.Unlock()
		return Result{}, err
	}
	action := obj{"type": kind, "action_id": e["action_id"], "block_id": block["block_id"], "action_ts": s.ts()}
	for _, field := range []string{"text", "value", "style", "url", "placeholder"} {
		if e[field] != nil && (kind == "button" || field == "placeholder") {
			action[field] = e[field]
		}
	}
	if field := valueField[kind]; field != "" {
		maps.Copy(action, stateOf(e, value))
	}
	payload := s.interaction("block_actions", u)
	payload["actions"] = []obj{action}
	s.remember(u, p, block, e, value)
	s.describe(payload, u, p)
	s.mu.Unlock()
	_, result := s.perform(ctx, newDelivery("interactive", "block_actions", payload))
	return result, nil
}

// remember stores a choice in the state of the view, or of the message as the person sees it.
func (s *Sim) remember(u *User, p place, block, e obj, value any) {
	id, action := textOf(block["block_id"]), textOf(e["action_id"])
	if p.view == nil {
		state := p.message.stateFor(u, p.channel)
		if state[id] != nil && state[id][action] != nil {
			state[id][action] = stateOf(e, value)
			if p.message.State == nil {
				p.message.State = map[string]map[string]map[string]obj{}
			}
			p.message.State[u.ID] = state
		}
		return
	}
	if p.view.State[id] != nil && p.view.State[id][action] != nil {
		p.view.State[id][action] = stateOf(e, value)
	}
}

// stateFor returns the state of a message's elements for one person.
func (m *Message) stateFor(u *User, c *Channel) map[string]map[string]obj {
	state := initialState(m.allBlocks(), c.ID)
	for block, actions := range state {
		for action, now := range actions {
			if was := m.State[u.ID][block][action]; was != nil && was["type"] == now["type"] {
				actions[action] = was
			}
		}
	}
	return state
}

// describe adds container, message or view, state, trigger and response_url.
func (s *Sim) describe(payload obj, u *User, p place) {
	if p.view != nil {
		payload["container"] = obj{"type": "view", "view_id": p.view.ID}
		payload["view"] = s.viewObject(p.view)
		payload["trigger_id"] = s.newTrigger(trigger{user: u.ID, channel: p.view.Origin, view: p.view.ID})
		return
	}
	m := p.message
	container := obj{
		"type": "message", "message_ts": m.TS, "channel_id": p.channel.ID, "is_ephemeral": m.Ephemeral != "",
	}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	payload["container"], payload["channel"] = container, channelRef(p.channel)
	if m.Ephemeral == "" {
		payload["message"] = s.messageObject(m, true)
	}
	payload["state"] = obj{"values": m.stateFor(u, p.channel)}
	payload["trigger_id"] = s.newTrigger(trigger{user: u.ID, channel: p.channel.ID})
	payload["response_url"] = s.newResponse(response{channel: p.channel.ID, user: u.ID, ts: m.TS, thread: m.ThreadTS})
}

// Fill fills inputs of the open modal without submitting it. Keys and values are those of Submit.
func (s *Sim) Fill(userID string, values map[string]any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, _, err := s.actor(userID, "")
	if err != nil {
		return err
	}
	v := s.top(u.ID)
	if v == nil {
		return fmt.Errorf("%s has no modal open", u.Name)
	}
	defer s.wake()
	return v.setState(values, s.offered)
}

// Submit fills inputs of the open modal and submits it. Values are keyed by action_id, block_id or
// "block_id/action_id"; options are named by value or label.
func (s *Sim) Submit(ctx context.Context, userID string, values map[string]any) (SubmitResult, error) {
	s.mu.Lock()
	u, _, err := s.actor(userID, "")
	var v *view
	if err == nil {
		if v = s.top(u.ID); v == nil {
			err = fmt.Errorf("%s has no modal open", u.Name)
		} else {
			err = v.setState(values, s.offered)
		}
	}
	if err != nil {
		s.mu.Unlock()
		return SubmitResult{}, err
	}
	if v.errors = complaints(v); len(v.errors) > 0 {
		defer s.mu.Unlock()
		s.wake()
		return SubmitResult{Errors: v.errors, Open: len(s.stacks[u.ID])}, nil
	}
	payload := s.interaction("view_submission", u)
	payload["view"], payload["response_urls"] = s.viewObject(v), s.modalResponses(u, v)
	payload["trigger_id"] = s.newTrigger(trigger{user: u.ID, channel: v.Origin, view: v.ID})
	s.mu.Unlock()
	answer, result := s.perform(ctx, newDelivery("interactive", "view_submission", payload))
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	out := SubmitResult{Result: result}
	if result.Acked {
		s.afterSubmit(u, v, answer, &out)
	}
	out.Open = len(s.stacks[u.ID])
	return out, nil
}

// modalResponses returns the response_urls of inputs that requested them.
func (s *Sim) modalResponses(u *User, v *view) []obj {
	out := []obj{}
	for _, b := range v.blocks() {
		block, _ := b.(obj)
		e, _ := block["element"].(obj)
		if e["response_url_enabled"] != true {
			continue
		}
		id, action := textOf(block["block_id"]), textOf(e["action_id"])
		if channel := textOf(v.State[id][action][valueField[textOf(e["type"])]]); channel != "" {
			out = append(out, obj{
				"block_id": id, "action_id": action, "channel_id": channel,
				"response_url": s.newResponse(response{channel: channel, user: u.ID}),
			})
		}
	}
	return out
}

// afterSubmit carries out the acknowledgement of a submission.
func (s *Sim) afterSubmit(u *User, v *view, answer json.RawMessage, out *SubmitResult) {
	reply := decode[struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
		View   any               `json:"view"`
	}](answer)
	var err error
	switch reply.Action {
	case "":
		s.stacks[u.ID] = slices.DeleteFunc(s.stacks[u.ID], func(x *view) bool { return x == v })
		delete(s.views, v.ID)
	case "clear":
		s.closeAll(u.ID)
	case "errors":
		if err = errorsFit(v, reply.Errors); err == nil {
			v.errors, out.Errors = reply.Errors, reply.Errors
		}
	case "update":
		var content obj
		if content, err = s.checkedView(reply.View, onModal); err == nil {
			s.fillView(v, content)
		}
	case "push":
		_, err = s.pushView(reply.View, &trigger{user: u.ID, channel: v.Origin})
	default:
		err = fmt.Errorf("unknown response_action %q", reply.Action)
	}
	if err != nil {
		s.misused("the answer to a submission is refused: " + explain(err))
		out.Error = "We had some trouble connecting. Try again? (" + explain(err) + ")"
	}
}

// errorsFit checks that every error belongs to an input block, the only place where one can be shown.
func errorsFit(v *view, given map[string]string) error {
	for id := range given {
		fits := slices.ContainsFunc(v.blocks(), func(b any) bool {
			block, _ := b.(obj)
			return isInput(b) && textOf(block["block_id"]) == id
		})
		if !fits {
			return fmt.Errorf("errors: no input block %q", id)
		}
	}
	if len(given) == 0 {
		return errors.New("errors: none given")
	}
	return nil
}

// explain adds the validator's messages to an error's code.
func explain(err error) string {
	var refusal *apiError
	if !errors.As(err, &refusal) {
		return err.Error()
	}
	meta, _ := refusal.extra["response_metadata"].(obj)
	messages, _ := meta["messages"].([]string)
	return strings.Join(append([]string{refusal.code}, messages...), " ")
}

// CloseView closes the topmost modal with Cancel, or all of them with the x if all is set. The app is
// notified if the view requested it.
func (s *Sim) CloseView(ctx context.Context, userID string, all bool) (Result, error) {
	s.mu.Lock()
	u, _, err := s.actor(userID, "")
	if err == nil && s.top(u.ID) == nil {
		err = fmt.Errorf("%s has no modal open", u.Name)
	}
	if err != nil {
		s.mu.Unlock()
		return Result{}, err
	}
	v := s.top(u.ID)
	notify := v.content()["notify_on_close"] == true
	if all {
		for _, other := range s.stacks[u.ID] {
			notify = notify || other.content()["notify_on_close"] == true
		}
		v = s.stacks[u.ID][0]
	}
	payload := s.interaction("view_closed", u)
	payload["view"], payload["is_cleared"] = s.viewObject(v), all
	if clear := s.top(u.ID).content()["clear_on_close"] == true; all || clear {
		s.closeAll(u.ID)
	} else {
		s.closeTop(u.ID)
	}
	s.wake()
	s.mu.Unlock()
	if !notify {
		return Result{Acked: true}, nil
	}
	_, result := s.perform(ctx, newDelivery("interactive", "view_closed", payload))
	return result, nil
}

// Suggest types into an external select of a message or, without a channel, of the open view, and returns
// the options that the app offers. They can be chosen by value or label afterwards.
func (s *Sim) Suggest(ctx context.Context, userID, channel, ts, actionID, query string) (json.RawMessage, error) {
	s.mu.Lock()
	u, c, err := s.actor(userID, channel)
	p := place{channel: c}
	var block, e obj
	if err == nil && c != nil {
		p.message, block, e = s.findElement(u, c, ts, actionID)
	} else if err == nil {
		if p.view = s.top(u.ID); p.view == nil {
			p.view = s.homes[u.ID]
		}
		if p.view != nil {
			block, e = findIn(p.view.blocks(), actionID)
		}
	}
	if err == nil && e == nil {
		err = fmt.Errorf("no element %q", actionID)
	}
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	payload := s.interaction("block_suggestion", u)
	s.describe(payload, u, p)
	delete(payload, "trigger_id")
	delete(payload, "response_url")
	payload["action_id"], payload["block_id"], payload["value"] = e["action_id"], block["block_id"], query
	s.mu.Unlock()
	answer, result := s.perform(ctx, newDelivery("interactive", "block_suggestion", payload))
	if result.Error != "" {
		return nil, fmt.Errorf("options: %s", result.Error)
	}
	s.mu.Lock()
	s.offered[u.ID+textOf(e["action_id"])] = optionsOf(decode[obj](answer))
	s.mu.Unlock()
	return answer, nil
}
