package view

import (
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// What an admin may end of somebody's; an id follows in the value of the button, but for links.
const (
	EndContact = "contact"
	EndFeed    = "calendar"
	EndLinks   = "links"
)

// mostBelongings keeps the form small enough for an acknowledgement.
const mostBelongings = 20

// A Belonging is one thing that can be ended.
type Belonging struct {
	ID   int64
	What string // "SMS …0102", or the name of a schedule
	Note string
}

// Belongings are what an admin sees of somebody's, to end it.
type Belongings struct {
	User         oncall.UserID
	Reached      string // in words
	Contacts     []Belonging
	Feeds        []Belonging
	LinksEndedAt *time.Time
	Location     *time.Location
	Said         string // what has just been done
}

// Draw draws it. It carries whose it is.
func (v Belongings) Draw() slack.ModalViewRequest {
	var blocks []slack.Block
	if v.Said != "" {
		blocks = append(blocks, section(v.Said))
	}
	blocks = append(blocks, section(v.Reached),
		note("As an admin of Watchbill you can end what is listed here; the person is told, and by whom."))
	for _, c := range v.Contacts[:min(len(v.Contacts), mostBelongings)] {
		blocks = append(blocks, v.row(EndContact, c, "*"+Name(c.What)+"*"+c.Note, "No page goes there any more. It can be added again only with a new code."))
	}
	for _, f := range v.Feeds[:min(len(v.Feeds), mostBelongings)] {
		blocks = append(blocks, v.row(EndFeed, f, "*Calendar* of "+Name(f.What)+f.Note, "Its address shows nothing any more, to nobody."))
	}
	text := "*Links and buttons* in the mails and pushes so far"
	if v.LinksEndedAt != nil {
		text += "; those before " + Time(*v.LinksEndedAt, v.Location) + " are ended"
	}
	blocks = append(blocks, v.row(EndLinks, Belonging{}, text, "They answer nothing any more; those of later messages do."))
	return buttonSheet(modalBelongings, "Contacts and calendars", string(v.User), blocks...)
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

// Unused is what stands beside a contact method that pages nobody.
const Unused = ", not used"

// Since says since when something is there.
func Since(t time.Time, zone *time.Location) string { return ", since " + Time(t, zone) }
