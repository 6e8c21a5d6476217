package slacksim

import (
	"context"
	"errors"
	"time"
)

var errNoAction = errors.New("no such action")

// pageAction is the body of a request under /sim/. Each action reads the fields it needs.
type pageAction struct {
	User      string         `json:"user"`
	Channel   string         `json:"channel"`
	TS        string         `json:"ts"`
	ThreadTS  string         `json:"thread_ts"`
	Text      string         `json:"text"`
	Action    string         `json:"action_id"`
	Value     any            `json:"value"`
	Values    map[string]any `json:"values"`
	In        string         `json:"in"` // message, view or home
	Callback  string         `json:"callback_id"`
	Query     string         `json:"query"`
	All       bool           `json:"all"`
	Reason    string         `json:"reason"`
	ID        string         `json:"id"`
	NewID     bool           `json:"new_id"`
	N         int            `json:"n"`
	On        bool           `json:"on"`
	Method    string         `json:"method"`
	Kind      FaultKind      `json:"kind"`
	Times     int            `json:"times"`
	DelayMS   int            `json:"delay_ms"`
	RetrySecs int            `json:"retry_after"`
	Code      string         `json:"code"`
	Person    *User          `json:"person"`
	Place     *Channel       `json:"place"`
}

// do runs one action of the page.
func (s *Sim) do(ctx context.Context, action string, in pageAction) (any, error) {
	switch action {
	case "slash":
		return s.Slash(ctx, in.User, in.Channel, in.Text)
	case "act":
		return s.doAct(ctx, in)
	case "submit":
		return s.Submit(ctx, in.User, in.Values)
	case "close":
		return s.CloseView(ctx, in.User, in.All)
	case "shortcut":
		return s.Shortcut(ctx, in.User, in.Callback, in.Channel, in.TS)
	case "suggest":
		return s.Suggest(ctx, in.User, in.Channel, in.TS, in.Action, in.Query)
	case "home":
		return obj{}, s.OpenHome(in.User)
	case "say":
		ts, err := s.Say(in.User, in.Channel, in.ThreadTS, in.Text)
		return obj{"ts": ts}, err
	case "dm":
		return s.doOpenDM(in.User)
	case "read":
		s.MarkRead(in.User, in.Channel)
		return obj{}, nil
	case "join":
		return obj{}, s.Join(in.User, in.Channel)
	case "dismiss":
		s.Dismiss(in.User, in.TS)
		return obj{}, nil
	case "user":
		if in.Person == nil {
			return nil, errors.New("person is missing")
		}
		return obj{"id": s.AddUser(*in.Person)}, nil
	case "channel":
		if in.Place == nil {
			return nil, errors.New("place is missing")
		}
		return obj{"id": s.AddChannel(*in.Place)}, nil
	default:
		return s.doFault(ctx, action, in)
	}
}

func (s *Sim) doAct(ctx context.Context, in pageAction) (any, error) {
	switch in.In {
	case "view":
		if err := s.Fill(in.User, in.Values); err != nil {
			return nil, err
		}
		return s.ChooseView(ctx, in.User, in.Action, in.Value)
	case "home":
		return s.ChooseHome(ctx, in.User, in.Action, in.Value)
	default:
		return s.Choose(ctx, in.User, in.Channel, in.TS, in.Action, in.Value)
	}
}

func (s *Sim) doOpenDM(userID string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, _, err := s.actor(userID, "")
	if err != nil {
		return nil, err
	}
	defer s.wake()
	return obj{"id": s.openDM(u.ID).ID}, nil
}

// doFault handles the switches of the fault panel.
func (s *Sim) doFault(ctx context.Context, action string, in pageAction) (any, error) {
	switch action {
	case "fail":
		s.Fail(Fault{
			Method: in.Method, Times: in.Times, Kind: in.Kind, Code: in.Code,
			Delay: time.Duration(in.DelayMS) * time.Millisecond, RetryAfter: time.Duration(in.RetrySecs) * time.Second,
		})
	case "clear":
		s.ClearFaults()
	case "drop":
		s.DropSockets()
	case "disconnect":
		s.DisconnectAll(in.Reason)
	case "redeliver":
		ok, err := s.Redeliver(ctx, in.ID, in.NewID)
		return obj{"acked": ok}, err
	case "lose":
		s.LoseNextAck()
	case "refuse":
		s.RefuseConnections(in.N)
	case "mute":
		s.Mute(in.On)
	default:
		return nil, errNoAction
	}
	return obj{}, nil
}

// MarkRead records that the person has read everything in a channel.
func (s *Sim) MarkRead(userID, channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, c := s.findUser(userID), s.findChannel(channel)
	if u == nil || c == nil || len(s.history[c.ID]) == 0 {
		return
	}
	list := s.history[c.ID]
	newest := list[len(list)-1].TS
	if s.read[u.ID] == nil {
		s.read[u.ID] = map[string]string{}
	}
	if s.read[u.ID][c.ID] < newest {
		s.read[u.ID][c.ID] = newest
		s.wake()
	}
}

// Join makes a person a member of a public channel.
func (s *Sim) Join(userID, channel string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, c, err := s.actor(userID, channel)
	if err != nil {
		return err
	}
	if c == nil {
		return errors.New("join which channel?")
	}
	if !c.has(u.ID) {
		s.join(c, u.ID, "")
		s.wake()
	}
	return nil
}

// Dismiss removes an ephemeral message from a person's view.
func (s *Sim) Dismiss(userID, ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.findUser(userID)
	if u == nil {
		return
	}
	for i, m := range s.ephemerals[u.ID] {
		if m.TS == ts {
			s.ephemerals[u.ID] = append(s.ephemerals[u.ID][:i:i], s.ephemerals[u.ID][i+1:]...)
			s.wake()
			return
		}
	}
}
