package access

import "github.com/watchbill/watchbill/oncall"

// A Denial is a Refusal because of who asks, not because of what was asked: a shell that has another answer for that
// looks for it.
type Denial struct {
	oncall.Refusal
	Act Permission
}

// Unwrap gives the Refusal, which is what a person is told.
func (d Denial) Unwrap() error { return d.Refusal }

// Deny makes a Denial of what May has said.
func Deny(err error, act Permission) error {
	if refusal, ok := err.(oncall.Refusal); ok { //nolint:errorlint // May returns it as it is
		return Denial{Refusal: refusal, Act: act}
	}
	return err
}
