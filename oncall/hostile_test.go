package oncall

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/watchbill/watchbill/hostile"
)

// A topic keeps what people wrote, whatever the schedules and people in our part of it are called: our part is
// one line that calls nobody, and is found again.
func TestHostileNamesCannotBreakTopics(t *testing.T) {
	t.Parallel()
	const theirs, rest = "Questions in #help", "https://example.com/runbooks"
	for _, h := range hostile.Texts {
		first := TopicSegment([]string{TopicLine(h.Text, []string{h.Text, "Bo"}), TopicLine("nights", nil)})
		topic := SetTopicSegment(theirs, first)
		if fault := hostile.Plain(topic, false); fault != "" || hostile.Active(topic) != "" || utf8.RuneCountInString(topic) > maxTopic {
			t.Errorf(`%s: %s %s: %q; want it plain, inactive and at most %v characters`, h.Name, fault, hostile.Active(topic), topic, maxTopic)
		}
		if again := SetTopicSegment(topic, first); again != topic {
			t.Errorf("%s: set a second time the topic is %q, want %q", h.Name, again, topic)
		}
		with := SetTopicSegment(topic+topicEnd+rest, TopicSegment([]string{TopicLine("nights", []string{"Bo"})}))
		if want := theirs + topicEnd + topicMark + "Bo (nights)" + topicEnd + rest; with != want {
			t.Errorf("%s: the next one is %q, not %q", h.Name, with, want)
		}
	}
}

// The texts of answers, and of notes in an incident's thread, are bounded and can be stored.
func TestHostileAnswersAndNotes(t *testing.T) {
	t.Parallel()
	for _, h := range hostile.Texts {
		if r := ParseAnswer(h.Text); r.Kind != IntentOther && h.Name != "emojis" {
			t.Errorf("%s is read as %+v, want %s", h.Name, r, IntentOther)
		}
		if _, err := OpenToken([][]byte{make([]byte, 32)}, h.Text, time.Unix(1_772_452_800, 0)); err == nil {
			t.Errorf("%s opens as a token, want an error", h.Name)
		}
		for _, m := range ContactMethods() {
			kept, err := m.Method.CheckAddress(h.Text)
			if err == nil && (hostile.Plain(kept, false) != "" || len(kept) > 2_048) {
				t.Errorf("%s is kept as the %s address %.300q, want plain text of at most 2048 bytes", h.Name, m.Method, kept)
			}
			if err != nil && (!utf8.ValidString(err.Error()) || len(err.Error()) > 1_000 || strings.ContainsRune(err.Error(), 0)) {
				t.Errorf("%s: the error of %s is %.300q, want UTF-8 of at most 1000 bytes without NUL", h.Name, m.Method, err.Error())
			}
		}
	}
}
