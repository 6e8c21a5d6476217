package oncall

import (
	"fmt"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall/schedule"
)

// A SlackGroup is a user group as Slack has it.
type SlackGroup struct {
	ID       string
	Handle   string
	Users    []UserID
	Disabled bool
}

// A GroupStep is what to do next to a user group of Slack's.
type GroupStep string

// The steps.
const (
	GroupDone    GroupStep = "done"
	GroupEnable  GroupStep = "enable"
	GroupDisable GroupStep = "disable"
	GroupSet     GroupStep = "set" // its members, all of them
)

// Step says what to do next so that a group becomes what it should be.
func (m Membership) Step(is SlackGroup) GroupStep {
	switch {
	case m.Disabled && is.Disabled:
		return GroupDone
	case m.Disabled:
		return GroupDisable
	case len(m.Users) == 0:
		return GroupDone
	case is.Disabled:
		return GroupEnable
	case !slices.Equal(slices.Sorted(slices.Values(is.Users)), m.Users):
		return GroupSet
	}
	return GroupDone
}

// Names reports whether the group is the one that a handle or id stands for.
func (is SlackGroup) Names(handle string) bool { return is.ID == handle || is.Handle == handle }

// topicMark begins our part of a channel's topic, which ends at topicEnd.
const (
	topicMark = ":pager: On call: "
	topicEnd  = " | "
	maxTopic  = 250
)

// TopicSegment is our part of a topic: who is on call where.
func TopicSegment(lines []string) string { return topicMark + strings.Join(lines, ", ") }

// SetTopicSegment puts our part into a topic that people write as well. What they wrote
// stays as it is; where both don't fit, ours is cut.
func SetTopicSegment(topic, segment string) string {
	before, after := topic, ""
	if i := strings.Index(topic, topicMark); i >= 0 {
		before = topic[:i]
		if j := strings.Index(topic[i:], topicEnd); j >= 0 {
			after = topic[i+j:]
		}
	} else if topic != "" {
		before += topicEnd
	}
	segment = strings.ReplaceAll(segment, topicEnd, " ")
	room := maxTopic - len([]rune(before)) - len([]rune(after))
	if letters := []rune(segment); len(letters) > room {
		if room <= len(topicMark) {
			return topic
		}
		segment = string(letters[:room-1]) + "…"
	}
	return before + segment + after
}

// TopicLine names who has the roles of one schedule.
func TopicLine(schedule string, names []string) string {
	if len(names) == 0 {
		names = []string{"nobody"}
	}
	return fmt.Sprintf("%s (%s)", strings.Join(names, " and "), schedule)
}

// NoticeGroup warns that a user group can't follow who is on call.
const NoticeGroup NoticeKind = "group_trouble"

// Trouble says in one or two sentences what the group's admins should know: that it
// stays as it was though nobody is on call, and whom Slack doesn't take.
func (m Membership) Trouble(g UserGroup, refused []UserID) Sentence {
	kept := Say("Nobody is on call for @%s, so it keeps the members that it had.", g.Handle)
	left := Say("Slack doesn't take %s into @%s: guests, bots and people who have left can't be in a user group.",
		schedule.People(refused, " and "), g.Handle)
	switch keeps := m.Empty && len(m.Users) == 0 && !m.Disabled; {
	case keeps && len(refused) > 0:
		return Say("%s %s", kept, left)
	case keeps:
		return kept
	case len(refused) > 0:
		return left
	}
	return nil
}
