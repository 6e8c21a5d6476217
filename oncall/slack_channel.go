package oncall

import (
	"regexp"
	"slices"
	"strings"
)

// A SlackChannel is a channel in Slack.
type SlackChannel struct {
	ID       string
	Name     string // without #
	Archived bool
	Private  bool
}

// A NamedChannel is a channel with the name or id by which the set-up refers to it. Slack may call it something else
// by now.
type NamedChannel struct {
	Named string
	SlackChannel
}

var channelID = regexp.MustCompile(`^[CGD][A-Z0-9]+$`)

// IsChannelID reports whether the text is a channel's id. Names of channels are lower-case.
func IsChannelID(named string) bool { return channelID.MatchString(named) }

// ChannelName returns a channel's name without #, or "" if it is given by id.
func ChannelName(named string) string {
	if IsChannelID(named) {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(named, "#"))
}

// LookUpChannel finds the channel that a name refers to. If the name was looked up before, it still refers to the same
// channel, whatever that is called now. Of two channels with the name, the one that isn't archived is meant.
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
