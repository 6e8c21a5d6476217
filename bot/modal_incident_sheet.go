package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

// A sheet is all that the forms and modals about an incident show to one reader.
type sheet struct {
	picture  oncall.Picture
	reader   oncall.UserID
	plan     []oncall.Planned
	reach    map[oncall.UserID]oncall.Reach
	pages    []store.Paging
	others   []oncall.Incident
	policies []option
	zone     *time.Location
	now      time.Time
}

// maxOthers bounds how many incidents are looked at to choose from.
const maxOthers = 500

// sheet loads what a person is to see of an incident.
func (b *Bot) sheet(ctx context.Context, id oncall.IncidentID, user oncall.UserID) (sheet, error) {
	s := sheet{reader: user, now: b.clock()}
	directory, err := b.store.Directory(ctx)
	if err != nil {
		return s, fmt.Errorf("load the directory: %w", err)
	}
	_, s.zone = zoneOf(directory.Users[user])
	s.picture, err = b.store.Picture(ctx, id, s.now)
	if errors.Is(err, oncall.ErrNotFound) {
		return s, noIncident(id)
	}
	if err != nil {
		return s, fmt.Errorf("load incident %s: %w", id, err)
	}
	in := s.picture.Incident
	s.plan, s.reach = in.Plan(directory.Facts(), s.now), directory.Reach
	s.policies = policyOptions(directory.Policies, in.TeamID)
	open, err := b.store.OpenIncidents(ctx, maxOthers)
	if err != nil {
		return s, fmt.Errorf("load open incidents: %w", err)
	}
	for _, o := range open {
		if o.ID != id {
			s.others = append(s.others, o)
		}
	}
	if s.pages, err = b.store.Pagings(ctx, id); err != nil {
		return s, fmt.Errorf("load the pages of incident %s: %w", id, err)
	}
	return s, nil
}

func noIncident(id oncall.IncidentID) error {
	return oncall.Refuse("There is no incident %s. `/oncall incidents` lists what is open.", id)
}

// drawSheet draws how an incident stands, what happens next and why, why its reader was
// paged, and all that can be done.
func drawSheet(s sheet) slack.ModalViewRequest {
	in := s.picture.Incident
	blocks := []slack.Block{
		section(headline(in)), section(standing(s.picture)), paragraph("*What happens next*", planLines(s)),
	}
	if lines := pagedLines(s); len(lines) > 0 {
		blocks = append(blocks, paragraph("*Why you were paged*", lines))
	}
	var elements []slack.BlockElement
	if in.Status == oncall.Triggered {
		elements = append(elements, deedButton(deed{actionAck, "Acknowledge"}, in.ID).WithStyle(slack.StylePrimary))
	}
	if asked(in, s.reader) && in.Open() {
		elements = append(elements, deedButton(deed{actionAccept, "Accept"}, in.ID).WithStyle(slack.StylePrimary),
			deedButton(deed{actionDecline, "Decline"}, in.ID))
	}
	if in.Open() {
		elements = append(elements, deedButton(deed{actionResolve, "Resolve"}, in.ID))
	}
	for _, d := range deeds(in) {
		elements = append(elements, deedButton(d, in.ID))
	}
	return readOnly("Incident "+in.ID.String(), append(blocks, slack.NewActionBlock("deeds", elements...))...)
}

func deedButton(d deed, id oncall.IncidentID) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(d.do, incidentValue(id), plain(d.label))
}

// headline is an incident's status and title.
func headline(in oncall.Incident) string {
	status := statuses[in.Status]
	return status.emoji + " " + bold(status.word+":", titleOf(in), in.Link)
}

func titleOf(in oncall.Incident) string {
	if title := foreign(in.Title, maxTitle); title != "" {
		return title
	}
	return "(no title)"
}

const (
	// maxLines bounds how many sections of the timeline a view has; Slack takes 100 blocks.
	maxLines = 40
	asMoment = "{time_secs}"
	asDate   = "{date_long}"
)

// drawTimeline draws the whole log of an incident, the newest line last.
func drawTimeline(s sheet) slack.ModalViewRequest {
	var lines []string
	day := ""
	for _, e := range s.picture.Events {
		if d := e.At.In(s.zone).Format(time.DateOnly); d != day {
			day = d
			lines = append(lines, "*"+stamp(e.At, asDate, s.zone)+"*")
		}
		lines = append(lines, foreignSection(stamp(e.At, asMoment, s.zone)+"  "+threadLine(e)))
	}
	paragraphs, left := paragraphsOf(lines, maxLines)
	blocks := []slack.Block{section(headline(s.picture.Incident))}
	if left > 0 {
		blocks = append(blocks, note(count(left, "earlier line")+" left out."))
	}
	for _, p := range paragraphs {
		blocks = append(blocks, section(p))
	}
	if len(lines) == 0 {
		blocks = append(blocks, section("Nothing has happened yet."))
	}
	return readOnly("Timeline of "+s.picture.Incident.ID.String(), blocks...)
}

// paragraphsOf joins lines to as few sections as possible, at most so many, and returns
// how many of the first lines found no room.
func paragraphsOf(lines []string, most int) (_ []string, left int) {
	var reversed []string // the newest matter most, so they are placed first
	size := 0
	for i, line := range slices.Backward(lines) {
		n := utf8.RuneCountInString(line)
		if len(reversed) == 0 || size+1+n > maxSection {
			if len(reversed) == most {
				left = i + 1
				break
			}
			reversed, size = append(reversed, line), n
			continue
		}
		last := &reversed[len(reversed)-1]
		*last, size = line+"\n"+*last, size+1+n
	}
	slices.Reverse(reversed)
	return reversed, left
}

// policyOptions are the policies to which an incident can be handed, its team's first.
func policyOptions(policies map[oncall.PolicyID]oncall.Policy, team oncall.TeamID) []option {
	var live []oncall.Policy
	for _, p := range policies {
		if !p.Removed {
			live = append(live, p)
		}
	}
	slices.SortFunc(live, func(a, b oncall.Policy) int {
		return cmp.Or(cmp.Compare(boolRank(a.TeamID != team), boolRank(b.TeamID != team)), cmp.Compare(a.Name, b.Name))
	})
	options := make([]option, len(live))
	for i, p := range live {
		options[i] = option{strconv.FormatInt(int64(p.ID), 10), p.Name}
	}
	return options
}
