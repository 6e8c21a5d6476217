package setup

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/watchbill/watchbill/oncall"
)

// StormLimit parses the number of incidents per minute that begins a storm; 0: never.
func (in Integration) StormLimit() (int, error) {
	switch in.Storm {
	case "":
		return oncall.StormLimit, nil
	case "off":
		return 0, nil
	}
	n, err := strconv.Atoi(in.Storm)
	if err != nil || n < 1 || n > oncall.MaxStormLimit {
		return 0, fmt.Errorf("storm is %q; it may be a number from 1 to %d, of incidents in a minute, or \"off\"", in.Storm, oncall.MaxStormLimit)
	}
	return n, nil
}

// writeStorm writes what StormLimit reads.
func writeStorm(limit int) string {
	switch limit {
	case oncall.StormLimit:
		return ""
	case 0:
		return "off"
	}
	return strconv.Itoa(limit)
}

// snsTopic matches the name of an Amazon SNS topic.
var snsTopic = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$`)

const maxTopics = 100

func (c *checker) topics(in Integration) {
	if len(in.Topics) > 0 && in.Signed {
		c.say("integration %q: topics are signed by Amazon; leave out signed", in.Name)
	}
	if len(in.Topics) > maxTopics {
		c.say("integration %q has %d topics; it may have %d", in.Name, len(in.Topics), maxTopics)
	}
	for i, topic := range in.Topics {
		if !snsTopic.MatchString(topic) {
			c.say("integration %q: topic %q is not such as \"arn:aws:sns:eu-central-1:123456789012:alarms\"", in.Name, topic)
		}
		if slices.Contains(in.Topics[:i], topic) {
			c.say("integration %q: topic %q is there twice", in.Name, topic)
		}
	}
}
