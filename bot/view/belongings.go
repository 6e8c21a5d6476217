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
func (v Belongings) Draw() slack.ModalViewRequest {
	var blocks []slack.Block
	if v.Message != "" {
		blocks = append(blocks, section(v.Message))
	}
	blocks = append(blocks, section(v.Reached),
		note("As an admin of Watchbill you can end what is listed here; the person is told, and by whom."))
	for _, c := range v.Contacts[:min(len(v.Contacts), maxBelongings)] {
		blocks = append(blocks, v.row(EndContact, c, "*"+Name(c.What)+"*"+c.Note, "No page goes there any more. It can be added again only with a new code."))
	}
	for _, f := range v.Feeds[:min(len(v.Feeds), maxBelongings)] {
		blocks = append(blocks, v.row(EndFeed, f, "*Calendar* of "+Name(f.What)+f.Note, "Its address shows nothing any more, to nobody."))
	}
	text := "*Links and buttons* in the mails and pushes so far"
	if v.LinksEndedAt != nil {
		text += "; those before " + Time(*v.LinksEndedAt, v.Location) + " are ended"
	}
	blocks = append(blocks, v.row(EndLinks, Belonging{}, text, "They answer nothing any more; those of later messages do."))
	return buttonModal(modalBelongings, "Contacts and calendars", string(v.User), blocks...)
}

func (v Belongings) row(kind string, of Belonging, text, sure string) slack.Block {
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
