package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/store"
)

// reachView loads the view of a person's contact settings.
func (b *Bot) reachView(ctx context.Context, user oncall.UserID) (view.Contacts, error) {
	r, err := b.request(ctx, user, nil)
	if err != nil {
		return view.Contacts{}, err
	}
	reach, err := b.store.ContactSettings(ctx, r.by(), user)
	if err != nil {
		return view.Contacts{}, fmt.Errorf("load how %s is reached: %w", user, err)
	}
	zone := r.user.TimeZone
	if zone == "" {
		zone = "UTC"
	}
	paging := r.directory.Roster().PagedBy(user, r.directory.Policies, r.now, r.now.Add(view.ShiftsAhead))
	return view.Contacts{
		Reach: reach, Context: oncall.RuleContext{Methods: b.methods, Paging: paging},
		Add: b.addable(r.directory, user), Card: len(b.numbers) > 0, TimeZone: zone, Location: r.location,
	}, nil
}

// redrawReach redraws the contact settings below the submitted form. Failures are only logged, because
// everything is saved.
func (b *Bot) redrawReach(ctx context.Context, user oncall.UserID, top slack.View, message string) {
	v, err := b.reachView(ctx, user)
	if err == nil {
		v.Message = message
		err = b.updateBelow(ctx, top, v.Draw())
	}
	if err != nil {
		b.log.Warn().Err(err).Msg("could not redraw the contact settings")
	}
}

// redrawHere redraws the view whose button was pressed.
func (b *Bot) redrawHere(ctx context.Context, p press, message string) error {
	v, err := b.reachView(ctx, p.user)
	if err != nil {
		return err
	}
	v.Message = message
	return b.updateModal(ctx, p.view, v.Draw())
}

// contacts opens the person's contact settings.
func (b *Bot) contacts(ctx context.Context, p press) (string, error) {
	v, err := b.reachView(ctx, p.user)
	if err != nil {
		return "", err
	}
	return "", b.openModal(ctx, p.trigger, v.Draw())
}

// addable returns the methods that a person may add.
func (b *Bot) addable(d *store.Directory, user oncall.UserID) []oncall.Method {
	return slices.DeleteFunc(slices.Clone(b.methods), func(m oncall.Method) bool {
		return d.Access().May(oncall.ByUser(user), store.PermissionToAdd(m), access.Object{}) != nil
	})
}

func (b *Bot) contactAdd(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	methods := b.addable(r.directory, p.user)
	if len(methods) == 0 {
		return "", b.store.May(r.directory, p.by(), access.AddPhone, access.Object{})
	}
	return "", b.pushModal(ctx, p.trigger, view.ContactForm(methods, "", r.user.Email))
}

// contactMethod shows the inputs of the chosen method.
func (b *Bot) contactMethod(ctx context.Context, p press) (string, error) {
	r, err := b.request(ctx, p.user, nil)
	if err != nil {
		return "", err
	}
	return "", b.updateModal(ctx, p.view, view.ContactForm(b.addable(r.directory, p.user), oncall.Method(p.value), r.user.Email))
}

// submitContactAdd adds a contact method, and asks for the code that was sent to it.
func (b *Bot) submitContactAdd(ctx context.Context, s submission) (modalResponse, error) {
	method := oncall.Method(s.form.choice(view.BlockMethod))
	block := view.AddressBlock(method)
	if !slices.Contains(b.methods, method) {
		return correct(fieldErrors{view.BlockMethod: "This installation can't send by that."}), nil
	}
	address, err := method.CheckAddress(s.form.text(block))
	if err != nil {
		return refusedAt(block, err)
	}
	c, err := b.store.AddContact(ctx, s.by(), s.user, method, address, b.clock())
	if err != nil {
		return refusedAt(block, fmt.Errorf("add a contact method of %s: %w", s.user, err))
	}
	b.redrawReach(ctx, s.user, s.view, "")
	return replace(view.CodeForm(c, view.CodeSent(c))), nil
}

// refusedAt shows a refusal next to the input that caused it.
func refusedAt(block view.Block, err error) (modalResponse, error) {
	if r, refused := errors.AsType[oncall.Refusal](err); refused {
		return correct(fieldErrors{block: r.Error()}), nil
	}
	return modalResponse{}, err
}

// contactOf finds a contact method by the id in a form, if it belongs to the person.
func (b *Bot) contactOf(ctx context.Context, user oncall.UserID, id string) (oncall.Contact, error) {
	reach, err := b.store.ContactSettings(ctx, oncall.ByUser(user), user)
	if err != nil {
		return oncall.Contact{}, fmt.Errorf("load how %s is reached: %w", user, err)
	}
	number, err := strconv.ParseInt(id, 10, 64)
	c, known := reach.Contact(oncall.ContactID(number))
	if err != nil || !known || c.ID == 0 {
		return oncall.Contact{}, oncall.Refuse("You have removed this contact method.")
	}
	return c, nil
}

// contactCode opens the form for the code of an unverified contact method.
func (b *Bot) contactCode(ctx context.Context, p press) (string, error) {
	c, err := b.contactOf(ctx, p.user, p.value)
	if err != nil {
		return "", err
	}
	if c.Usable() {
		return "", b.redrawHere(ctx, p, "It is verified already.")
	}
	return "", b.pushModal(ctx, p.trigger, view.CodeForm(c, view.CodeSent(c)))
}

// contactResend sends a new code, from within the code form.
func (b *Bot) contactResend(ctx context.Context, p press) (string, error) {
	c, err := b.contactOf(ctx, p.user, p.value)
	if err != nil {
		return "", err
	}
	if err := b.store.SendProof(ctx, p.by(), p.user, c.ID, b.clock()); err != nil {
		return "", fmt.Errorf("send a code: %w", err)
	}
	return "", b.updateModal(ctx, p.view, view.CodeForm(c, "A new code is on its way; the old one no longer counts. "+view.CodeSent(c)))
}

// submitCode verifies a contact method.
func (b *Bot) submitCode(ctx context.Context, s submission) (modalResponse, error) {
	c, err := b.contactOf(ctx, s.user, s.meta())
	if err != nil {
		return modalResponse{}, err
	}
	if err := b.store.ConfirmContact(ctx, s.by(), s.user, c.ID, plainCode(s.form.text(view.BlockCode)), b.clock()); err != nil {
		return refusedAt(view.BlockCode, fmt.Errorf("verify a contact method: %w", err))
	}
	b.redrawReach(ctx, s.user, s.view, fmt.Sprintf("Verified: %s.", view.ContactLabel(c)))
	return modalResponse{}, nil
}

// contactMenu handles the menu next to a contact method.
func (b *Bot) contactMenu(ctx context.Context, p press) (string, error) {
	verb, id, _ := strings.Cut(p.value, " ")
	contact, err := b.contactOf(ctx, p.user, id)
	if err != nil {
		return "", err
	}
	name := view.ContactLabel(contact)
	switch verb + " " {
	case view.MenuTest:
		if err := b.store.TestContacts(ctx, p.by(), p.user, []oncall.ContactID{contact.ID}, b.clock()); err != nil {
			return "", fmt.Errorf("test a contact method: %w", err)
		}
		return "", b.redrawHere(ctx, p, fmt.Sprintf("A test page is on its way by %s. Answer it as you would answer a page.", name))
	case view.MenuResend:
		if err := b.store.SendProof(ctx, p.by(), p.user, contact.ID, b.clock()); err != nil {
			return "", fmt.Errorf("send a code: %w", err)
		}
		return "", b.pushModal(ctx, p.trigger, view.CodeForm(contact, view.CodeSent(contact)))
	case view.MenuRemove:
		if err := b.store.RemoveContact(ctx, p.by(), p.user, contact.ID, b.clock()); err != nil {
			return "", fmt.Errorf("remove a contact method: %w", err)
		}
		message := fmt.Sprintf("Removed: %s.", name)
		if view.Modal(p.view.CallbackID) == view.ModalCode {
			b.redrawReach(ctx, p.user, p.view, message)
			return "", b.updateModal(ctx, p.view, view.ContactRemoved(message))
		}
		return "", b.redrawHere(ctx, p, message)
	}
	return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
}

// contactTest sends a test page by every method.
func (b *Bot) contactTest(ctx context.Context, p press) (string, error) {
	message, err := b.testContacts(ctx, p.user)
	if err != nil {
		return "", err
	}
	return "", b.redrawHere(ctx, p, message)
}

// contactCard sends the vCard of the numbers that pages come from.
func (b *Bot) contactCard(ctx context.Context, p press) (string, error) {
	b.inBackground(ctx, "a contact card", func(ctx context.Context) error { return b.sendCard(ctx, p.user) })
	return "", b.redrawHere(ctx, p, "The contact card is in your direct messages. Open it on your phone, save it, and let it ring when the phone is silent: "+
		"on an iPhone *Emergency Bypass* of its ringtone and its text tone, on Android the star and *Priority* in Do Not Disturb.")
}

// plainCode strips the blanks and dashes that people type in a code.
func plainCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("-–—.'\"`", r) {
			return -1
		}
		return r
	}, typed)
}
