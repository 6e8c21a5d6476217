package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// contact answers `/oncall contact`, which opens the person's contact settings. With `test` it sends a
// test page by every method, and with a name it shows how to reach that person.
func (b *Bot) contact(ctx context.Context, r request) (string, error) {
	switch {
	case len(r.words) == 0:
		return b.contacts(ctx, press{user: r.user.ID, trigger: r.trigger})
	case len(r.words) == 1 && strings.EqualFold(r.words[0], "test"):
		return b.testContacts(ctx, r.user.ID)
	}
	id, n, err := b.findPerson(ctx, r, r.words)
	if err != nil {
		return "", err
	}
	if n != len(r.words) {
		return "", oncall.Refuse("`/oncall contact` shows how you are reached; `/oncall contact test` sends you a test page, and `/oncall contact @ann` says by what Ann is reached.")
	}
	if _, err := b.user(ctx, id); err != nil {
		return "", err
	}
	if r.endsOthers() && id != r.user.ID {
		v, err := b.belongings(ctx, r, id, "")
		if err != nil {
			return "", err
		}
		return "", b.openModal(ctx, r.trigger, v.Draw())
	}
	reach, err := b.store.ContactSettings(ctx, r.by(), id)
	if err != nil {
		return "", fmt.Errorf("load how %s is reached: %w", id, err)
	}
	return view.OthersReach(id, reach, b.methods, r.location), nil
}

// testContacts sends a test page by Slack and by every verified contact method.
func (b *Bot) testContacts(ctx context.Context, user oncall.UserID) (string, error) {
	reach, err := b.store.ContactSettings(ctx, oncall.ByUser(user), user)
	if err != nil {
		return "", fmt.Errorf("load how %s is reached: %w", user, err)
	}
	now := b.clock()
	ids := []oncall.ContactID{0}
	var sent []oncall.Contact
	for _, c := range reach.Contacts {
		if !c.Usable() || !slices.Contains(b.methods, c.Method) {
			continue
		}
		sent, ids = append(sent, c), append(ids, c.ID)
	}
	if err := b.store.TestContacts(ctx, oncall.ByUser(user), user, ids, now); err != nil {
		return "", fmt.Errorf("test contact methods: %w", err)
	}
	return view.TestSent(sent, len(reach.Contacts)-len(sent)), nil
}

// addMore suggests methods to a person who can only be reached in Slack. It is empty if the
// installation has no others.
func (b *Bot) addMore(d *store.Directory, user oncall.UserID, r oncall.ContactSettings) string {
	usable := func(c oncall.Contact) bool { return c.Usable() && slices.Contains(b.methods, c.Method) }
	may := b.addable(d, user)
	if !view.ReachesPeople(may) || slices.ContainsFunc(r.Contacts, usable) {
		return ""
	}
	return view.AddMore(may)
}

// reachedHome summarises the person's contact methods for the home tab.
func (b *Bot) reachedHome(d *store.Directory, user oncall.UserID, r oncall.ContactSettings) string {
	return cmp.Or(b.addMore(d, user, r), view.OwnReach(r, b.methods))
}

// sendCard sends the contact card as a file.
func (b *Bot) sendCard(ctx context.Context, to oncall.UserID) error {
	card := contactCard(b.numbers)
	return b.upload(ctx, to, slack.UploadFileParameters{
		Filename: "watchbill.vcf", Title: "Watchbill, for your phone", FileSize: len(card), Reader: strings.NewReader(card),
	})
}

// contactCard returns a vCard with the numbers that pages come from, in the format of RFC 2426, which
// every phone reads.
func contactCard(numbers []string) string {
	lines := []string{"BEGIN:VCARD", "VERSION:3.0", "N:Watchbill;;;;", "FN:Watchbill", "ORG:On-call pages"}
	for _, n := range numbers {
		lines = append(lines, "TEL;TYPE=WORK,VOICE:"+n)
	}
	lines = append(lines, "NOTE:Pages come from here. Let it ring when the phone is silent.", "END:VCARD", "")
	return strings.Join(lines, "\r\n")
}
