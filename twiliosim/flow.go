package twiliosim

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A definition is the content of a flow.
type definition struct {
	Description  string          `json:"description"`
	States       []state         `json:"states"`
	InitialState string          `json:"initial_state"`
	Flags        map[string]bool `json:"flags"`
}

type state struct {
	Name        string         `json:"name"`
	Type        string         `json:"type"`
	Transitions []transition   `json:"transitions"`
	Properties  map[string]any `json:"properties"`
}

type transition struct {
	Event      string      `json:"event"`
	Next       string      `json:"next"`
	Conditions []condition `json:"conditions"`
}

type condition struct {
	FriendlyName string   `json:"friendly_name"`
	Arguments    []string `json:"arguments"`
	Type         string   `json:"type"`
	Value        string   `json:"value"`
}

// widgetEvents lists the simulated widgets and the events with which each may end.
var widgetEvents = map[string][]string{
	"trigger":               {"incomingMessage", "incomingCall", "incomingConversationMessage", "incomingRequest", "incomingParent"},
	"make-outgoing-call-v2": {"answered", "busy", "noAnswer", "failed"},
	"gather-input-on-call":  {"keypress", "speech", "timeout"},
	"split-based-on":        {"match", "noMatch"},
	"set-variables":         {"next"},
	"say-play":              {"audioComplete"},
}

// widgetStrings are the properties that must be strings, although numbers and booleans would be
// natural, and widgetNumbers those that must not be.
var (
	widgetStrings = []string{
		"say", "to", "from", "input", "voice", "language", "play", "finish_on_key", "speech_timeout", "gather_language",
		"profanity_filter", "trim", "recording_channels", "machine_detection", "machine_detection_timeout",
		"machine_detection_speech_threshold", "machine_detection_speech_end_threshold", "machine_detection_silence_timeout",
	}
	widgetNumbers = []string{"timeout", "loop", "number_of_digits"}
	widgetBools   = []string{"record", "detect_answering_machine", "stop_gather"}
	widgetOther   = []string{"offset", "variables"}
)

// parseDefinition checks a flow, strictly, because there is no Studio editor to look at it.
func parseDefinition(text []byte) (*definition, error) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	var def definition
	if err := d.Decode(&def); err != nil {
		return nil, err
	}
	if def.state(def.InitialState) == nil {
		return nil, errors.New("initial_state names no widget")
	}
	names := map[string]bool{}
	for _, s := range def.States {
		if names[s.Name] || s.Name == "" {
			return nil, fmt.Errorf("two widgets are called %q", s.Name)
		}
		names[s.Name] = true
		if err := def.check(s); err != nil {
			return nil, fmt.Errorf("widget %s: %w", s.Name, err)
		}
	}
	return &def, nil
}

func (d *definition) check(s state) error {
	events, known := widgetEvents[s.Type]
	if !known {
		return fmt.Errorf("the type %s is not simulated", s.Type)
	}
	for _, t := range s.Transitions {
		if !slices.Contains(events, t.Event) {
			return fmt.Errorf("it has no event %s", t.Event)
		}
		if t.Next != "" && d.state(t.Next) == nil {
			return fmt.Errorf("%s leads to %s, which doesn't exist", t.Event, t.Next)
		}
		if t.Event == "match" && len(t.Conditions) == 0 {
			return errors.New("a match needs conditions")
		}
		for _, c := range t.Conditions {
			if c.Type != "equal_to" || c.FriendlyName == "" || len(c.Arguments) != 1 {
				return errors.New("only equal_to with one argument is simulated")
			}
		}
	}
	for name, value := range s.Properties {
		ok := false
		switch value.(type) {
		case string:
			ok = slices.Contains(widgetStrings, name)
		case float64:
			ok = slices.Contains(widgetNumbers, name)
		case bool:
			ok = slices.Contains(widgetBools, name)
		default:
			ok = slices.Contains(widgetOther, name)
		}
		if !ok {
			return fmt.Errorf("the property %s is unknown or of another type", name)
		}
	}
	return nil
}

func (d *definition) state(name string) *state {
	for i := range d.States {
		if d.States[i].Name == name {
			return &d.States[i]
		}
	}
	return nil
}

// maxSteps is the number of steps after which Studio ends an execution.
const maxSteps = 1000

// goOn leaves the current widget by an event and enters others until one waits. The lock is held.
func (s *Sim) goOn(e *execution, event string) {
	for e.status == "active" && event != "" {
		next := e.follow(event)
		e.updated = s.opt.Now()
		if e.steps++; next == nil || e.steps > maxSteps {
			e.status = "ended"
			if e.call != nil {
				s.finish(e.call, "completed")
			}
			s.wake()
			return
		}
		e.at = next.Name
		event = s.enter(e, next)
	}
}

// follow returns the widget that an event leads to.
func (e *execution) follow(event string) *state {
	for _, t := range e.flow.def.state(e.at).Transitions {
		if t.Event != event {
			continue
		}
		match := true
		for _, c := range t.Conditions {
			match = match && e.render(c.Arguments[0]) == c.Value
		}
		if match {
			return e.flow.def.state(t.Next)
		}
	}
	if event == "match" {
		return e.follow("noMatch")
	}
	return nil
}

// enter runs a widget and returns its event; empty if it waits.
func (s *Sim) enter(e *execution, w *state) string {
	say := func() { e.call.heard = append(e.call.heard, e.render(w.text("say"))) }
	if e.call != nil && e.call.over() && (w.Type == "say-play" || w.Type == "gather-input-on-call") {
		return "" // nobody is on the line, and no event ever comes
	}
	switch w.Type {
	case "make-outgoing-call-v2":
		to, from := e.render(w.text("to")), e.render(w.text("from"))
		if no := s.refuseCall(to, from); no != nil {
			s.alert(e.sid, no)
			return "failed"
		}
		e.callAt = w.Name
		e.call = s.dial(to, from, time.Duration(w.number("timeout"))*time.Second)
		e.call.exec = e
		switch e.call.status {
		case "busy":
			e.left("busy")
			return "busy"
		case "failed": // without any parameters
			return "failed"
		}
		s.pickUp(e.call)
		return ""
	case "gather-input-on-call":
		loops := max(w.number("loop"), 1)
		say()
		wait := time.Duration(loops) * (speech(e.call.heard[len(e.call.heard)-1:]) + time.Duration(w.number("timeout"))*time.Second)
		e.call.gather = &gather{until: s.opt.Now().Add(wait)}
		return ""
	case "split-based-on":
		return "match"
	case "set-variables":
		list, _ := w.Properties["variables"].([]any)
		for _, v := range list {
			if pair, ok := v.(map[string]any); ok {
				e.variables[fmt.Sprint(pair["key"])] = e.render(fmt.Sprint(pair["value"]))
			}
		}
		return "next"
	case "say-play":
		say()
		return "audioComplete"
	}
	return ""
}

// left records the data of the calling widget when the execution leaves it; while the phone rings there is
// none.
func (e *execution) left(status string) {
	e.widget(e.callAt)["CallSid"], e.widget(e.callAt)["CallStatus"] = e.call.sid, status
}

func (s *state) text(name string) string {
	text, _ := s.Properties[name].(string)
	return text
}

func (s *state) number(name string) int {
	n, _ := s.Properties[name].(float64)
	return int(n)
}

var reference = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// render replaces the references in a text.
func (e *execution) render(text string) string {
	context := e.context()
	return reference.ReplaceAllStringFunc(text, func(ref string) string {
		var at any = context
		for name := range strings.SplitSeq(strings.TrimSpace(ref[2:len(ref)-2]), ".") {
			switch m := at.(type) {
			case map[string]any:
				at = m[name]
			case map[string]map[string]any:
				at = m[name]
			case map[string]string:
				at = m[name]
			default:
				return ""
			}
		}
		if at == nil {
			return ""
		}
		return fmt.Sprint(at)
	})
}
