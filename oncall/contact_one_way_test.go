package oncall_test

import (
	"testing"

	"github.com/watchbill/watchbill/oncall"
)

func TestWhereSMSCannotBeAnswered(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"+8613800000000": true, "+919800000000": true, "+79160000000": true, "+971500000000": true, "+966500000000": true,
		"+77010000000": false, "+76000000000": false, "+12025550101": false, "+4915100000000": false, "+33600000000": false,
	} {
		c := oncall.Contact{Method: oncall.MethodSMS, Address: address}
		if got := c.OneWay(); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
		c.Method = oncall.MethodVoice
		if c.OneWay() {
			t.Errorf("a call to %s can't be answered", address)
		}
	}
	if c := (oncall.Contact{Method: oncall.MethodSMS, Address: "+12025550101", NamedSender: true}); !c.OneWay() {
		t.Error("an SMS from a name counts as one that can be answered, want it one-way")
	}
}
