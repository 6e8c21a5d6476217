package oncall

import (
	"regexp"
	"slices"
	"strings"
)

// A SlackChannel is a channel as Slack has it.
type SlackChannel struct {
	ID       string
	Name     string // without #
	Archived bool
	Private  bool
}

// A NamedChannel is a channel by the name that the set-up has for it, which was Slack's name when it
// was looked up, or its id.
type NamedChannel struct {
	Named string
	SlackChannel
}

var channelID = regexp.MustCompile(`^[CGD][A-Z0-9]+$`)

// IsChannelID tells the id of a channel from its name, which Slack writes in lower case.
func IsChannelID(named string) bool { return channelID.MatchString(named) }

// ChannelName is a channel's name without #, "" if it is named by its id.
func ChannelName(named string) string {
	if IsChannelID(named) {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(named, "#"))
}

// LookUpChannel finds the channel that a name stands for among all. One that was found before, by its
// id, stays the one that is meant, whatever it is called now. Of two with the name the one that is not
// archived is meant.
func LookUpChannel(named, before string, all []SlackChannel) (SlackChannel, bool) {
	byID := func(id string) (SlackChannel, bool) {
		i := slices.IndexFunc(all, func(c SlackChannel) bool { return c.ID == id })
		if id == "" || i < 0 {
			return SlackChannel{}, false
		}
		return all[i], true
	}
	switch {
	case IsChannelID(named):
		return byID(named)
	case before != "":
		return byID(before)
	}
	name := ChannelName(named)
	var best SlackChannel
	for _, c := range all {
		if c.Name == name && (best.ID == "" || best.Archived) {
			best = c
		}
	}
	return best, best.ID != ""
}
