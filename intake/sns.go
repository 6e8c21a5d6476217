package intake

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

func isSNS(o object) bool {
	return o.any("TopicArn") && o.any("Type") && o.has("Message")
}

// sns reads a message of Amazon SNS: its content counts. Confirmations and unsubscriptions page
// nobody.
func sns(o object) ([]oncall.Signal, error) {
	topic, text := o.str("TopicArn"), o.str("Message")
	if kind := o.str("Type"); kind == "SubscriptionConfirmation" || kind == "UnsubscribeConfirmation" {
		return single(draft{action: oncall.Update, key: "sns/" + topic, title: kind + " of " + topic})
	}
	if inner := embedded(text); inner != nil {
		if inner.any("Event Message") && inner.any("Source ID") { // from RDS
			return single(snsDatabase(inner))
		}
		if o.any("Subject") && !inner.any("title", "summary", "message") {
			inner["subject"] = o.at("Subject")
		}
		if signals, _, err := read("", inner, nil); err == nil {
			return signals, nil
		}
	}
	title := o.str("Subject")
	if title == "" {
		title, _, _ = strings.Cut(text, "\n")
	}
	d := draft{key: hash("sns", topic, stem(title)), title: title, body: text, labels: map[string]string{"topic": topic[strings.LastIndex(topic, ":")+1:]}}
	d.action, _ = actionInTitle(title)
	return single(d)
}

// snsDatabase reads an event of Amazon RDS, all of which have the same subject.
func snsDatabase(o object) draft {
	d := draft{
		key:   hash("rds", o.str("Source ARN", "Source ID"), o.str("Event ID")[strings.LastIndex(o.str("Event ID"), "#")+1:], o.str("Event Message")),
		title: o.str("Source ID") + ": " + o.str("Event Message"), link: o.str("Identifier Link"), labels: map[string]string{},
	}
	d.label("database", o.str("Source ID"))
	d.label("source", o.str("Event Source"))
	d.detail("event", o.str("Event ID"))
	return d
}
