package oncall

// An Actor is who did something: a person, a monitor, or Watchbill itself.
type Actor struct {
	User UserID `json:"user,omitempty"`
	Name string `json:"name,omitempty"` // a monitor's name, when User is empty
	Via  string `json:"via,omitempty"`  // how: "slack", "integration", ViaTimer
	// Key is the API key by which it is done; Name is what that is called. With a User it is that person's own.
	Key APIKeyID `json:"key,omitempty"`
}

// ViaTimer is Watchbill itself, when a timer fires or as part of its upkeep.
const ViaTimer = "timer"

// ViaChannel is a question whose answer everybody in a channel reads.
const ViaChannel = "channel"

// InChannel is a person asking in a channel. Others read the answer, so nothing private is shown,
// whatever the person may see.
func InChannel(id UserID) Actor { return Actor{User: id, Via: ViaChannel} }

// ByUser is a person acting in Slack.
func ByUser(id UserID) Actor { return Actor{User: id, Via: "slack"} }

// ByIntegration is a monitor acting through its integration.
func ByIntegration(name string) Actor { return Actor{Name: name, Via: "integration"} }

// What people do at the program's command line, and by the set-up file that they apply there.
const (
	ViaCommandLine = "command line"
	ViaApply       = "apply"
)

// ByCommandLine is somebody who runs a command of the program: "deploy@ci-7". No Slack account is known.
func ByCommandLine(who string) Actor { return Actor{Name: who, Via: ViaCommandLine} }

// Operates reports whether it is Watchbill itself, or somebody at its command line. They can reach the
// database anyway, so nothing is refused to them.
func (a Actor) Operates() bool {
	return a.User == "" && a.Key == 0 && (a.Via == ViaTimer || a.Via == ViaCommandLine || a.Via == ViaApply)
}

// ViaAPI is how a program does something that has an API key.
const ViaAPI = "api"

// ByKey is a program that has an API key.
func ByKey(k APIKey) Actor { return Actor{User: k.Owner, Name: k.Name, Via: ViaAPI, Key: k.ID} }

// ByTimer is Watchbill acting when a timer fires.
func ByTimer() Actor { return Actor{Via: ViaTimer} }

// Shown names the actor; a person as the function given shows them.
func (a Actor) Shown(person func(UserID) string) string {
	switch {
	case a.User != "":
		return person(a.User)
	case a.Key != 0:
		return "the API key " + a.Name
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
