package main

import (
	"time"

	"github.com/watchbill/watchbill/notify"
)

// channelFlags say how mail and pushes are sent.
type channelFlags struct{}

func (f channelFlags) problems() []string { return nil }

// senders are the channels that these settings give.
func (f channelFlags) senders(_ func() time.Time) map[string]notify.Sender {
	return map[string]notify.Sender{}
}
