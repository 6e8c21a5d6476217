package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
)

// A leaver's answers verify no contact method and switch none on, but STOP still counts.
func TestLeaverCannotVerifyContacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const number = "+12025550100"
	c := must[oncall.Contact](t)(w.AddContact(t.Context(), oncall.ByTimer(), ann, oncall.MethodSMS, number, start))
	proof := must[store.Proof](t)(w.BeginProof(t.Context(), c.ID, [16]byte{7}, start))
	say := func(id, text string) store.AnswerRecord {
		a := oncall.Answer{Method: oncall.MethodSMS, ID: id, From: number, Text: text, Intent: oncall.ParseAnswer(text)}
		do := w.ProveContact
		if a.Intent.Kind != oncall.IntentProof {
			do = w.SwitchContacts
		}
		return must[store.AnswerRecord](t)(do(t.Context(), a, start))
	}
	usable := func() int {
		return w.count(`SELECT count(*) FROM contacts WHERE verified_at IS NOT NULL AND disabled_at IS NULL`)
	}
	for _, gone := range []string{`deactivated_at = '2026-03-01'`, `standing = 'stranger', deactivated_at = NULL`} {
		w.exec(`UPDATE users SET ` + gone + ` WHERE id = 'U0ANN'`)
		if out := say("1"+gone, proof.Code); out.Result != oncall.AnswerRefused || usable() != 0 {
			t.Errorf("%s: %+v; want the result %v and no usable contact method", gone, out, oncall.AnswerRefused)
		}
	}
	w.exec(`UPDATE users SET deactivated_at = NULL, standing = 'member'`)
	if out := say("2", proof.Code); out.Result != oncall.AnswerProven || usable() != 1 {
		t.Fatalf("the answer is %+v, want the address proven and one usable contact method", out)
	}
	w.exec(`UPDATE users SET deactivated_at = '2026-03-01' WHERE id = 'U0ANN'`)
	if say("3", "STOP"); usable() != 0 {
		t.Error("STOP from somebody who has left leaves the contact method usable")
	}
	if say("4", "START"); usable() != 0 {
		t.Error("who has left is reached again")
	}
	w.exec(`UPDATE users SET deactivated_at = NULL`)
	if say("5", "START"); usable() != 1 {
		t.Error("START from somebody who is back leaves the contact method off")
	}
}

// Codes are sent only for people who may add a phone.
func TestCodesRequirePermissionToAddAPhone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone := must[oncall.Contact](t)(w.AddContact(t.Context(), oncall.ByTimer(), di, oncall.MethodSMS, "+12025550100", start))
	mail := must[oncall.Contact](t)(w.AddContact(t.Context(), oncall.ByTimer(), di, oncall.MethodEmail, "di@example.com", start))
	isRefused(t, w.SendProof(t.Context(), oncall.ByUser(di), di, phone.ID, start),
		"Only members of a team can add a phone number, and nothing was changed. Ask whoever sets up Watchbill to put you into a team.")
	if err := w.SendProof(t.Context(), oncall.ByUser(di), di, mail.ID, start); err != nil {
		t.Error(err)
	}
}

// Somebody who may no longer make overrides can still remove their own, but do nothing else.
func TestFormerMemberCannotChangeOverrides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.stored("primary").ID
	o := must[schedule.Override](t)(w.AddOverride(t.Context(), oncall.ByTimer(), id, schedule.Override{
		Kind: schedule.OverrideCover, Users: []oncall.UserID{cy}, Start: start.Add(time.Hour), End: start.Add(5 * time.Hour), CreatedBy: di, OnlyCovered: true,
	}, start))
	_, err := w.SwitchOverride(t.Context(), oncall.ByUser(di), o.ID, start)
	if _, refused := errors.AsType[oncall.Refusal](err); !refused {
		t.Errorf("switched: %v, want a refusal", err)
	}
	if _, err := w.CancelOverride(t.Context(), oncall.ByUser(di), o.ID, start); err != nil {
		t.Errorf("taken back: %v", err)
	}
}
