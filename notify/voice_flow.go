package notify

// The names in our Studio flow by which we read what happened in a call.
const (
	widgetCall  = "call_person"
	widgetMenu  = "menu"
	variableKey = "answer"  // the pressed key
	variableEnd = "outcome" // how a call without an answer ended

	// FlowName is the name of the flow at Twilio.
	FlowName = "Watchbill call"
)

type (
	flowDefinition struct {
		Description  string          `json:"description"`
		States       []flowWidget    `json:"states"`
		InitialState string          `json:"initial_state"`
		Flags        map[string]bool `json:"flags"`
	}
	flowWidget struct {
		Name        string           `json:"name"`
		Type        string           `json:"type"`
		Transitions []flowTransition `json:"transitions"`
		Properties  map[string]any   `json:"properties"`
	}
	flowTransition struct {
		Event      string          `json:"event"`
		Next       string          `json:"next,omitempty"`
		Conditions []flowCondition `json:"conditions,omitempty"`
	}
	flowCondition struct {
		FriendlyName string   `json:"friendly_name"`
		Arguments    []string `json:"arguments"`
		Type         string   `json:"type"`
		Value        string   `json:"value"`
	}
)

// StudioFlow returns the definition of the flow that calls people: it speaks the text of an execution,
// takes one key and says that it was received. It can't say more, because we see the key only when
// we ask for it. Keys and outcomes are kept in variables of our own, because Twilio's names for them
// may change.
func StudioFlow() any {
	keep := func(name, variable, value, next string) flowWidget {
		return flowWidget{
			Name: name, Type: "set-variables", Transitions: []flowTransition{{Event: "next", Next: next}},
			Properties: map[string]any{"variables": []map[string]string{{"key": variable, "value": value}}, "offset": offset},
		}
	}
	pressed := "{{widgets." + widgetMenu + ".Digits}}"
	choose := []flowTransition{{Event: "noMatch", Next: widgetMenu}} // a star, or a wrong key
	for _, key := range []string{"1", "2", "3"} {
		choose = append(choose, flowTransition{Event: "match", Next: "keep_answer", Conditions: []flowCondition{{
			FriendlyName: "pressed " + key, Arguments: []string{pressed}, Type: "equal_to", Value: key,
		}}})
	}
	return flowDefinition{
		Description: "Calls people for Watchbill. Made by `watchbill twilio setup`, which also updates it.",
		States: []flowWidget{
			{Name: "Trigger", Type: "trigger", Transitions: []flowTransition{
				{Event: "incomingMessage"},
				{Event: "incomingCall"},
				{Event: "incomingConversationMessage"},
				{Event: "incomingRequest", Next: widgetCall},
				{Event: "incomingParent"},
			}, Properties: map[string]any{"offset": offset}},
			{Name: widgetCall, Type: "make-outgoing-call-v2", Transitions: []flowTransition{
				{Event: "answered", Next: widgetMenu},
				{Event: "busy", Next: "keep_busy"},
				{Event: "noAnswer", Next: "keep_no_answer"},
				{Event: "failed", Next: "keep_failed"},
			}, Properties: map[string]any{
				"to": "{{contact.channel.address}}", "from": "{{flow.channel.address}}", "timeout": ringFor,
				"record": false, "recording_channels": "mono", "trim": "do-not-trim",
				"detect_answering_machine": false, "machine_detection": "Enable", "machine_detection_timeout": "30",
				"machine_detection_speech_threshold": "2400", "machine_detection_speech_end_threshold": "1200",
				"machine_detection_silence_timeout": "5000", "offset": offset,
			}},
			{Name: widgetMenu, Type: "gather-input-on-call", Transitions: []flowTransition{
				{Event: "keypress", Next: "choose"},
				{Event: "speech"},
				{Event: "timeout"},
			}, Properties: map[string]any{
				"say": "{{flow.data.say}}", "language": "en-US", "loop": callSays, "timeout": waitKey,
				"number_of_digits": 1, "stop_gather": true, "finish_on_key": "", "speech_timeout": "auto",
				"gather_language": "en", "profanity_filter": "true", "offset": offset,
			}},
			{Name: "choose", Type: "split-based-on", Transitions: choose, Properties: map[string]any{"input": pressed, "offset": offset}},
			keep("keep_answer", variableKey, pressed, "received"),
			{Name: "received", Type: "say-play", Transitions: []flowTransition{{Event: "audioComplete"}}, Properties: map[string]any{
				"say": "Received. Look at Slack for what became of it. Goodbye.", "language": "en-US", "loop": 1, "offset": offset,
			}},
			keep("keep_busy", variableEnd, "busy", ""),
			keep("keep_no_answer", variableEnd, "no-answer", ""),
			keep("keep_failed", variableEnd, "failed", ""),
		},
		InitialState: "Trigger", Flags: map[string]bool{"allow_concurrent_calls": true},
	}
}

// offset is where Studio's editor shows a widget.
var offset = map[string]int{"x": 0, "y": 0}
