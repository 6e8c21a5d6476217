package view

import (
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// What an admin may revoke of a person. The id follows in the button's value, except for links.
const (
	EndContact = "contact"
	EndFeed    = "calendar"
	EndLinks   = "links"
)

// maxBelongings keeps the form small enough for an acknowledgement.
const maxBelongings = 20

// A Belonging is one thing that can be revoked.
type Belonging struct {
	ID   int64
	What string // "SMS …0102", or the name of a schedule
	Note string
}

// Belongings is a form with everything that an admin may revoke of a person.
type Belongings struct {
	User         oncall.UserID
	Reached      string // in words
	Contacts     []Belonging
	Feeds        []Belonging
	LinksEndedAt *time.Time
	Location     *time.Location
	Message      string // result of the last action
}

// Draw draws the form. Its metadata holds the person.
func (b Belongings) Draw() slack.ModalViewRequest {
	var blocks []slack.Block
	if b.Message != "" {
		blocks = append(blocks, section(b.Message))
	}
	blocks = append(blocks, section(b.Reached),
		note("As an admin of Watchbill you can end what is listed here; the person is told, and by whom."))
	for _, c := range b.Contacts[:min(len(b.Contacts), maxBelongings)] {
		blocks = append(blocks, b.row(EndContact, c, "*"+Name(c.What)+"*"+c.Note, "No page goes there any more. It can be added again only with a new code."))
	}
	for _, f := range b.Feeds[:min(len(b.Feeds), maxBelongings)] {
		blocks = append(blocks, b.row(EndFeed, f, "*Calendar* of "+Name(f.What)+f.Note, "Its address shows nothing any more, to nobody."))
	}
	text := "*Links and buttons* in the mails and pushes so far"
	if b.LinksEndedAt != nil {
		text += "; those before " + Time(*b.LinksEndedAt, b.Location) + " are ended"
	}
	blocks = append(blocks, b.row(EndLinks, Belonging{}, text, "They answer nothing any more; those of later messages do."))
	return buttonModal(modalBelongings, "Contacts and calendars", string(b.User), blocks...)
}

func (b Belongings) row(kind string, of Belonging, text, sure string) slack.Block {
	value := kind
	if kind != EndLinks {
		value += fmt.Sprintf(" %d", of.ID)
	}
	end := button(ActionEnd, value, "End…").WithStyle(slack.StyleDanger).
		WithConfirm(slack.NewConfirmationBlockObject(plain("End it?"), plain(sure), plain("End it"), plain("Cancel")))
	return slack.NewSectionBlock(words(text), nil, slack.NewAccessory(end))
}

// Unused marks a contact method that pages nobody.
const Unused = ", not used"

// Since says since when something exists.
func Since(t time.Time, zone *time.Location) string { return ", since " + Time(t, zone) }
