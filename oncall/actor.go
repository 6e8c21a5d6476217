package oncall

// An Actor is who did something: a person, a monitor, or Watchbill itself.
type Actor struct {
	User UserID `json:"user,omitempty"`
	Name string `json:"name,omitempty"` // a monitor's name, when User is empty
	Via  string `json:"via,omitempty"`  // how: "slack", "integration", ViaTimer
	// Key is the API key that was used, and Name the key's name. If User is set, it is that person's own key.
	Key APIKeyID `json:"key,omitempty"`
}

// ViaTimer is Watchbill itself, when a timer fires or as part of its upkeep.
const ViaTimer = "timer"

// ViaChannel marks a question whose answer everybody in a channel reads.
const ViaChannel = "channel"

// InChannel returns a person asking in a channel. Others read the answer, so nothing private may be shown, even if the
// person could see it elsewhere.
func InChannel(id UserID) Actor { return Actor{User: id, Via: ViaChannel} }

// ByUser returns a person acting in Slack.
func ByUser(id UserID) Actor { return Actor{User: id, Via: "slack"} }

// ByIntegration returns a monitor acting through its integration.
func ByIntegration(name string) Actor { return Actor{Name: name, Via: "integration"} }

// Changes made at the program's command line, and by applying a set-up file there.
const (
	ViaCommandLine = "command line"
	ViaApply       = "apply"
)

// ByCommandLine returns somebody who runs a command of the program: "deploy@ci-7". No Slack account is known.
func ByCommandLine(who string) Actor { return Actor{Name: who, Via: ViaCommandLine} }

// Operates reports whether the actor is Watchbill itself, or somebody at its command line. The latter can reach
// the database anyway, so nothing is refused to them.
func (a Actor) Operates() bool {
	return a.User == "" && a.Key == 0 && (a.Via == ViaTimer || a.Via == ViaCommandLine || a.Via == ViaApply)
}

// ViaAPI marks what is done with an API key.
const ViaAPI = "api"

// ByKey returns a program acting with an API key.
func ByKey(k APIKey) Actor { return Actor{User: k.Owner, Name: k.Name, Via: ViaAPI, Key: k.ID} }

// ByTimer is Watchbill acting when a timer fires.
func ByTimer() Actor { return Actor{Via: ViaTimer} }

// Shown names the actor; a person is shown by the given function.
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

// String names the actor; a person is shown by id.
func (a Actor) String() string {
	return a.Shown(func(u UserID) string { return string(u) })
}

// users returns the actor as a list, empty unless it is a person.
func users(a Actor) []UserID {
	if a.User == "" {
		return nil
	}
	return []UserID{a.User}
}
