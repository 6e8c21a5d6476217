package oncall

// An Actor is who did something: a person, a monitor, or Watchbill itself.
type Actor struct {
	User UserID `json:"user,omitempty"`
	Name string `json:"name,omitempty"` // a monitor's name, when User is empty
	Via  string `json:"via,omitempty"`  // how: "slack", "integration", ViaTimer
}

// ViaTimer is how Watchbill itself does something: because a timer fires, or as part of its work.
const ViaTimer = "timer"

// ViaChannel is how somebody asks where everybody in a channel reads the answer.
const ViaChannel = "channel"

// InChannel is a person asking where others read the answer: whoever they are, they see nothing there
// that is private.
func InChannel(id UserID) Actor { return Actor{User: id, Via: ViaChannel} }

// ByUser is a person acting in Slack.
func ByUser(id UserID) Actor { return Actor{User: id, Via: "slack"} }

// ByIntegration is a monitor acting through its integration.
func ByIntegration(name string) Actor { return Actor{Name: name, Via: "integration"} }

// The ways of whoever has the database: commands of the program, and a set-up file that one of them applies.
const (
	ViaCommandLine = "command line"
	ViaApply       = "apply"
)

// ByCommandLine is somebody who runs a command of the program: "deploy@ci-7". No Slack account is known.
func ByCommandLine(who string) Actor { return Actor{Name: who, Via: ViaCommandLine} }

// Operates reports whether it is Watchbill itself, or somebody at its command line, who has the database: they
// need nobody's leave.
func (a Actor) Operates() bool {
	return a.User == "" && (a.Via == ViaTimer || a.Via == ViaCommandLine || a.Via == ViaApply)
}

// ByTimer is Watchbill acting when a timer fires.
func ByTimer() Actor { return Actor{Via: ViaTimer} }

// Shown names the actor; a person as the function given shows them.
func (a Actor) Shown(person func(UserID) string) string {
	switch {
	case a.User != "":
		return person(a.User)
	case a.Name != "":
		return a.Name
	default:
		return "Watchbill"
	}
}

// String names the actor; a person by their id.
func (a Actor) String() string {
	return a.Shown(func(u UserID) string { return string(u) })
}

// users lists the actor, if that is a person.
func users(a Actor) []UserID {
	if a.User == "" {
		return nil
	}
	return []UserID{a.User}
}
