package oncall

import (
	"fmt"
	"strings"
	"unicode"
)

// topicMark begins our segment of a channel's topic, which ends at topicEnd.
const (
	topicMark = ":pager: On call: "
	topicEnd  = " | "
	maxTopic  = 250
)

// TopicSegment returns our part of a topic: who is on call in which schedule.
func TopicSegment(lines []string) string { return topicMark + strings.Join(lines, ", ") }

// SetTopicSegment puts our segment into a topic that people edit as well. Their text stays as it is; if both don't
// fit, ours is cut.
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
	segment = strings.ReplaceAll(strings.Join(strings.Fields(strings.Map(inTopic, strings.ToValidUTF8(segment, ""))), " "), topicEnd, " ")
	room := maxTopic - len([]rune(before)) - len([]rune(after))
	if letters := []rune(segment); len(letters) > room {
		if room <= len(topicMark) {
			return topic
		}
		segment = string(letters[:room-1]) + "…"
	}
	return before + segment + after
}

// inTopic drops characters that could break the line, reverse its direction, or begin a Slack reference: a topic
// has no way to escape them.
func inTopic(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case r == '<' || r == '>', unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
		return -1
	}
	return r
}

// TopicLine names who is on call in one schedule.
func TopicLine(schedule string, names []string) string {
	if len(names) == 0 {
		names = []string{"nobody"}
	}
	return fmt.Sprintf("%s (%s)", strings.Join(names, " and "), schedule)
}
