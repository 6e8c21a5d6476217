package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/twiliosim"
)

// benchPhone is the first person's phone number.
const benchPhone = "+12025550100"

// fallback measures the time from a signal to the SMS when Slack can't be reached, and when it
// accepts requests but never answers. If nothing goes wrong, the person's rules send the SMS
// after three minutes.
func (b *bench) fallback(ctx context.Context) error {
	for _, f := range []struct {
		figure string
		fault  slacksim.Fault
	}{
		{"slack_down_to_sms_s", slacksim.Fault{Kind: slacksim.FaultBefore, Times: -1}},
		{"slack_hangs_to_sms_s", slacksim.Fault{Kind: slacksim.FaultHang, Times: -1}},
	} {
		took, err := b.fallBack(ctx, f.figure, f.fault)
		if err != nil {
			return err
		}
		b.figure(f.figure, took.Seconds(), "s")
	}
	return nil
}

func (b *bench) fallBack(ctx context.Context, name string, fault slacksim.Fault) (time.Duration, error) {
	t, err := b.prepare(ctx, "bench_"+name, 1)
	if err != nil {
		return 0, err
	}
	defer t.close()
	phones := twiliosim.New(twiliosim.Options{})
	api, err := phones.Start("127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer phones.Close() //nolint:errcheck // the measurement is over
	t.env = []string{
		"TWILIO_ACCOUNT_SID=" + twiliosim.Account, "TWILIO_AUTH_TOKEN=" + twiliosim.Token,
		"TWILIO_FROM=" + twiliosim.Number, "WATCHBILL_TWILIO_API_URL=" + api,
	}
	if _, err := t.pool.Exec(ctx, `
		INSERT INTO contacts (user_id, method, address, verified_at, disabled_why, created_at)
		VALUES ('U00000', 'sms', $1, $2, '', $2)`, benchPhone, time.Now()); err != nil {
		return 0, err
	}
	if _, err := t.serve(ctx); err != nil {
		return 0, err
	}
	t.sim.Fail(fault)
	begin := time.Now()
	if err := t.signal(ctx, http.DefaultClient, key(0), "host-0"); err != nil {
		return 0, err
	}
	wait, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := phones.WaitFor(wait, func(s *twiliosim.Sim) bool { return len(s.Inbox(benchPhone)) > 0 }); err != nil {
		return 0, fmt.Errorf("no SMS came: %w", err)
	}
	return time.Since(begin), nil
}
