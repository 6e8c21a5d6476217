package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/twiliosim"
)

// demoNumbers are the phones of the demo's people. Di has none, to show how that looks.
var demoNumbers = map[string]string{"Ann": "+12025550101", "Bo": "+12025550102", "Cy": "+12025550103"}

// The demo's people get SMS and calls sooner than by default, so that a visitor doesn't have to
// wait for minutes.
const (
	demoSMSAfter  = 15
	demoCallAfter = 40
)

// phones starts the simulated telephone network with the phones of the demo's people, and sets it
// up like a real account.
func (c *demoCmd) phones(p process) (*twiliosim.Sim, twilioFlags, error) {
	addr, err := freePort(p.ctx, c.Phones)
	if err != nil {
		return nil, twilioFlags{}, err
	}
	sim := twiliosim.New(twiliosim.Options{Now: p.clock})
	for _, name := range []string{"Ann", "Bo", "Cy"} {
		sim.AddPhone(twiliosim.Phone{Number: demoNumbers[name], Name: name})
	}
	flags, err := startPhones(p.ctx, sim, addr, p.clock)
	if err != nil {
		return nil, twilioFlags{}, errors.Join(fmt.Errorf("start the simulated phones: %w", err), sim.Close())
	}
	return sim, flags, nil
}

// startPhones serves simulated phones and returns the settings for reaching them.
func startPhones(ctx context.Context, sim *twiliosim.Sim, addr string, clock func() time.Time) (twilioFlags, error) {
	base, err := sim.Start(addr)
	if err != nil {
		return twilioFlags{}, err
	}
	f := twilioFlags{
		TwilioAccountSID: twiliosim.Account, TwilioAPIKey: twiliosim.Key, TwilioAPISecret: twiliosim.Secret,
		TwilioFrom: twiliosim.Number, TwilioAPIURL: base,
	}
	f.TwilioFlow, _, err = notify.NewTwilio(f.config(clock, "")).SetUpFlow(ctx)
	return f, err
}

// givePhones adds and verifies the numbers of the demo's people as they would do it themselves, by
// entering the code they are sent.
func givePhones(ctx context.Context, p process, a *app, sim *twiliosim.Sim) error {
	known, err := a.store.Directory(ctx)
	if err != nil {
		return err
	}
	for id, user := range known.Users {
		number, has := demoNumbers[user.Name]
		if !has {
			continue
		}
		reach, err := a.store.ContactSettings(ctx, oncall.ByTimer(), id)
		if err != nil {
			return err
		}
		if len(reach.Contacts) > 0 {
			continue // from an earlier run; keep what a visitor changed since
		}
		sms, err := provePhone(ctx, p, a, sim, id, oncall.MethodSMS, number)
		if err != nil {
			return fmt.Errorf("prove the phone of %s: %w", user.Name, err)
		}
		voice, err := provePhone(ctx, p, a, sim, id, oncall.MethodVoice, number)
		if err != nil {
			return fmt.Errorf("prove the phone of %s: %w", user.Name, err)
		}
		prefer := oncall.Preferences{High: []oncall.Rule{{}, {Contact: sms, After: demoSMSAfter}, {Contact: voice, After: demoCallAfter}}}
		if err := a.store.SetPreferences(ctx, oncall.ByTimer(), id, prefer, p.clock()); err != nil {
			return err
		}
	}
	return nil
}

// provePhone adds a contact method and enters its code.
func provePhone(
	ctx context.Context, p process, a *app, sim *twiliosim.Sim, user oncall.UserID, method oncall.Method, number string,
) (oncall.ContactID, error) {
	contact, err := a.store.AddContact(ctx, oncall.ByTimer(), user, method, number, p.clock())
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	code, err := phoneCode(ctx, sim, method, number)
	if err != nil {
		return 0, err
	}
	return contact.ID, a.store.ConfirmContact(ctx, oncall.ByTimer(), user, contact.ID, code, p.clock())
}

// The code as a message shows it and as a call speaks it.
var (
	codeRead  = regexp.MustCompile(`reply ([0-9]{6}) to`)
	codeHeard = regexp.MustCompile(`code is ((?:[0-9], ){5}[0-9])`)
)

// phoneCode waits for the code that is sent to a phone, answering the call if it comes by call.
func phoneCode(ctx context.Context, sim *twiliosim.Sim, method oncall.Method, number string) (string, error) {
	var found []string
	err := sim.WaitFor(ctx, func(sim *twiliosim.Sim) bool {
		if method == oncall.MethodSMS {
			inbox := sim.Inbox(number)
			slices.Reverse(inbox)
			found = codeRead.FindStringSubmatch(strings.Join(inbox, "\n"))
			return found != nil
		}
		calls := sim.Calls(number)
		return len(calls) > 0 && calls[len(calls)-1].Status == "ringing"
	})
	if err != nil || method == oncall.MethodSMS {
		return slices.Concat(found, []string{"", ""})[1], err
	}
	heard, err := sim.Answer(number)
	if err != nil {
		return "", err
	}
	_ = sim.HangUp(number) // unless the call has ended by itself
	if found = codeHeard.FindStringSubmatch(heard); found == nil {
		return "", fmt.Errorf("the call said no code, but %q", heard)
	}
	return strings.ReplaceAll(found[1], ", ", ""), nil
}
