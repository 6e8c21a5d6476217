package oncall

import (
	"fmt"
	"strings"
	"unicode"
)

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

// inTopic drops what could break the line or reverse its direction, and what Slack would read as a
// reference: in a topic nothing can be escaped.
func inTopic(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case r == '<' || r == '>', unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
		return -1
	}
	return r
}

// TopicLine names who has the roles of one schedule.
func TopicLine(schedule string, names []string) string {
	if len(names) == 0 {
		names = []string{"nobody"}
	}
	return fmt.Sprintf("%s (%s)", strings.Join(names, " and "), schedule)
}
