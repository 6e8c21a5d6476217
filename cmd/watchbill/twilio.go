package main

import (
	"time"

	"github.com/watchbill/watchbill/notify"
)

// twilioFlags say which Twilio account sends SMS and calls.
type twilioFlags struct{}

func (f twilioFlags) problems() []string { return nil }

// senders are the channels that these settings give.
func (f twilioFlags) senders(_ func() time.Time) map[string]notify.Sender {
	return map[string]notify.Sender{}
}
