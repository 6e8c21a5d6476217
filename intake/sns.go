package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isSNS(o object) bool {
	return o.any("TopicArn") && o.any("Type") && o.has("Message")
}

// sns reads a message of Amazon SNS: what is in it is what counts. That a topic wants to be confirmed, or is given up,
// pages nobody.
func sns(o object) ([]oncall.Signal, error) {
	topic, text := o.str("TopicArn"), o.str("Message")
	if kind := o.str("Type"); kind == "SubscriptionConfirmation" || kind == "UnsubscribeConfirmation" {
		return one(draft{action: oncall.Update, key: "sns/" + topic, title: kind + " of " + topic})
	}
	if inner := embedded(text); inner != nil {
		if signals, _, err := read("", inner, nil); err == nil {
			return signals, nil
		}
	}
	title := o.str("Subject")
	if title == "" {
		title, _, _ = strings.Cut(text, "\n")
	}
	d := draft{key: hash("sns", topic, stem(title)), title: title, body: text, labels: map[string]string{"topic": topic[strings.LastIndex(topic, ":")+1:]}}
	d.action, _ = saysItself(title)
	return one(d)
}
