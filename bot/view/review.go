package view

import (
	"cmp"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// A Review is what the review of an incident is drafted from.
type Review struct {
	Picture     oncall.Picture
	Talk        []Remark
	WithoutTalk bool // the discussion was not requested
	Actions     []oncall.ReviewAction
	Names       map[oncall.UserID]oncall.User
	Channels    func(id string) string // the name of a channel; empty: unknown
	Zone        *time.Location
	Now         time.Time
}

// A Remark is a message that somebody wrote about an incident.
type Remark struct {
	At   time.Time
	By   oncall.UserID
	Text string // as Slack has it
}

const (
	maxReviewLines = 500
	maxRemark      = 2000
)

// Markdown drafts the review.
func (r Review) Markdown() string {
	in := r.Picture.Incident
	var out strings.Builder
	fmt.Fprintf(&out, "# Review of incident %d: %s\n\n", int64(in.ID), escapeMarkdown(cmp.Or(in.Title, "(no title)")))
	from := "the timeline, the notes and what people wrote"
	if r.WithoutTalk {
		from = "the timeline and the notes, without what people wrote in Slack"
	}
	fmt.Fprintf(&out, "_A draft of %s, from %s. Times are in %s._\n\n", Time(r.Now, r.Zone), from, escapeMarkdown(r.Zone.String()))
	out.WriteString("## In short\n\n| | |\n|---|---|\n")
	for _, row := range r.facts() {
		fmt.Fprintf(&out, "| %s | %s |\n", row[0], row[1])
	}
	out.WriteString("\n## What happened\n\n")
	for _, line := range r.lines() {
		out.WriteString("- " + line + "\n")
	}
	out.WriteString("\n## What went well, what did not\n\n_To be written._\n\n## Why it happened\n\n_To be written._\n\n## Actions\n\n")
	for _, a := range r.Actions {
		tick := " "
		if a.DoneAt != nil {
			tick = "x"
		}
		fmt.Fprintf(&out, "- [%s] %s: %s (until %s)\n", tick, r.name(a.UserID), escapeMarkdown(a.Text), lastDay(a.DueAt, r.Zone))
	}
	if len(r.Actions) == 0 {
		out.WriteString("_None yet._\n")
	}
	fmt.Fprintf(&out, "\n`/oncall action %d @person text until friday` adds one. Its person is asked about it until it is done.\n", int64(in.ID))
	return out.String()
}

// facts returns the rows of the table.
func (r Review) facts() [][2]string {
	in := r.Picture.Incident
	acked, resolved := in.ResponseTimes(r.Picture.Events)
	rows := [][2]string{
		{"Severity", escapeMarkdown(severityName(in.Severity))},
		{"Team", escapeMarkdown(r.Picture.Team.Name)},
		{"Opened", Time(in.OpenedAt, r.Zone)},
	}
	if acked > 0 {
		rows = append(rows, [2]string{"Acknowledged", "after " + durationText(acked) + " (time to acknowledge)"})
	} else {
		rows = append(rows, [2]string{"Acknowledged", "by nobody"})
	}
	if in.ResolvedAt != nil {
		by := escapeMarkdown(in.ResolvedBy.String())
		if in.ResolvedBy.User != "" {
			by = r.name(in.ResolvedBy.User)
		}
		rows = append(rows, [2]string{"Resolved", fmt.Sprintf("%s, after %s (time to resolve), by %s", Time(*in.ResolvedAt, r.Zone), durationText(resolved), by)})
	}
	var people []string
	for _, u := range r.Picture.Paged {
		people = append(people, r.name(u))
	}
	if len(people) > 0 {
		rows = append(rows, [2]string{"Paged", List(people)})
	}
	if in.Body != "" {
		rows = append(rows, [2]string{"The monitor said", escapeMarkdown(CutPlain(in.Body, maxBody))})
	}
	return append(rows, [2]string{"It was", cmp.Or(verdictWords[in.Verdict], "_to be said_")}, [2]string{"What helped", cmp.Or(escapeMarkdown(in.Helped), "_to be said_")})
}

// lines returns the timeline and what people wrote, by time.
func (r Review) lines() []string {
	var all []reviewLine
	for _, e := range r.Picture.Events {
		if e.Kind != oncall.EventPageReceipt && e.Kind != oncall.EventReviewAction && e.Kind != oncall.EventReviewActionDone {
			all = append(all, reviewLine{at: e.At, last: e.At, count: 1, kind: e.Kind, text: r.plain(EventLine(e))})
		}
	}
	for _, t := range r.Talk {
		all = append(all, reviewLine{at: t.At, text: fmt.Sprintf("**%s** wrote: %s", r.name(t.By), r.plain(CutPlain(t.Text, maxRemark)))})
	}
	slices.SortStableFunc(all, func(a, b reviewLine) int { return a.at.Compare(b.at) })
	all = repeatedOnce(all)
	var out []string
	if more := len(all) - maxReviewLines; more > 0 {
		out, all = append(out, fmt.Sprintf("_%d earlier lines left out_", more)), all[more:]
	}
	day := ""
	for _, l := range all {
		at := l.at.In(r.Zone)
		if d := at.Format("Mon 2 Jan"); d != day {
			day = d
			out = append(out, "**"+d+"**")
		}
		out = append(out, at.Format("15:04:05")+" "+l.says(r.Zone))
	}
	return out
}

// A reviewLine is a line of the timeline, or several that say the same.
type reviewLine struct {
	at, last time.Time
	count    int              // how many lines it stands for; 0: it is what somebody wrote, which is shown as it is
	kind     oncall.EventKind // empty for what somebody wrote
	text     string
}

// manyAlerts are the kinds of events that a storm has hundreds of, and what is said of several.
var manyAlerts = map[oncall.EventKind]string{oncall.EventAlertJoined: "joined", oncall.EventAlertResolved: "cleared"}

// repeatedOnce makes one line of lines that follow each other and say the same, or are about one alert each.
func repeatedOnce(all []reviewLine) (out []reviewLine) {
	for _, l := range all {
		if n := len(out); n > 0 && l.count > 0 && out[n-1].kind == l.kind && (out[n-1].text == l.text || manyAlerts[l.kind] != "") {
			out[n-1].count, out[n-1].last = out[n-1].count+l.count, l.at
			continue
		}
		out = append(out, l)
	}
	return out
}

// says is the text of the line, with how often it happened and until when.
func (l reviewLine) says(zone *time.Location) string {
	when := fmt.Sprintf("between %s and %s", l.at.In(zone).Format("15:04:05"), l.last.In(zone).Format("15:04:05"))
	if l.last.Sub(l.at) >= 24*time.Hour {
		when = fmt.Sprintf("between %s and %s", Time(l.at, zone), Time(l.last, zone))
	}
	switch {
	case l.count < 2:
		return l.text
	case manyAlerts[l.kind] != "":
		return fmt.Sprintf("%d alerts %s %s", l.count, manyAlerts[l.kind], when)
	case l.at.Equal(l.last):
		return fmt.Sprintf("%s (%d times)", l.text, l.count)
	}
	return fmt.Sprintf("%s (%d times %s)", l.text, l.count, when)
}

// name returns a person's name, if it is known.
func (r Review) name(u oncall.UserID) string {
	return escapeMarkdown(cmp.Or(r.Names[u].Name, "somebody"))
}

// slackReference matches what Slack puts in angle brackets: people, channels, times, links.
var slackReference = regexp.MustCompile(`<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>`)

// plain turns text as Slack has it into Markdown without any reference in it.
func (r Review) plain(text string) string {
	var out strings.Builder
	at := 0
	for _, m := range slackReference.FindAllStringSubmatchIndex(text, -1) {
		out.WriteString(unescapeMrkdwn(text[at:m[0]]))
		sigil, id, label := text[m[2]:m[3]], text[m[4]:m[5]], ""
		if m[6] >= 0 {
			label = text[m[6]:m[7]]
		}
		out.WriteString(unescapeMrkdwn(r.referenceWords(sigil, id, label)))
		at = m[1]
	}
	out.WriteString(unescapeMrkdwn(text[at:]))
	return escapeMarkdown(out.String())
}

func (r Review) referenceWords(sigil, id, label string) string {
	switch {
	case sigil == "@":
		return cmp.Or(r.Names[oncall.UserID(id)].Name, label, "somebody")
	case sigil == "#":
		if name := r.channelName(id, label); name != "" {
			return "#" + name
		}
		return "another channel"
	case sigil == "!" && strings.HasPrefix(id, "date^"):
		return r.instant(id, label)
	case sigil == "!" && label == "":
		return "@" + id
	case label != "" && sigil == "" && label != id:
		return label + " (" + id + ")"
	}
	return cmp.Or(label, id)
}

// channelName returns a channel's name; empty: it is unknown.
func (r Review) channelName(id, label string) string {
	if own := r.Picture.Incident.Channel; own != nil && own.ID == id {
		return own.Name
	}
	if r.Channels == nil {
		return label
	}
	return cmp.Or(r.Channels(id), label)
}

// instant formats a time of Slack's, as "date^1772452800^{time}", in the zone of the review.
func (r Review) instant(id, label string) string {
	_, rest, _ := strings.Cut(id, "^")
	seconds, form, _ := strings.Cut(rest, "^")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n < 0 || n > maxUnix {
		return label
	}
	at := time.Unix(n, 0)
	switch {
	case !strings.Contains(form, "{time"):
		return at.In(r.Zone).Format("Mon 2 Jan")
	case strings.Contains(form, "{date"):
		return Time(at, r.Zone)
	}
	return at.In(r.Zone).Format("15:04")
}

// maxUnix is in the year 9999.
const maxUnix = 253402300799

// References returns the people and the channels to which the texts of the review refer by ids that it has no names for.
func (r Review) References() (people []oncall.UserID, channels []string) {
	texts := make([]string, 0, len(r.Talk)+len(r.Picture.Events))
	for _, t := range r.Talk {
		texts = append(texts, "<@"+string(t.By)+">", t.Text)
	}
	for _, e := range r.Picture.Events {
		texts = append(texts, EventLine(e))
	}
	for _, text := range texts {
		for _, m := range slackReference.FindAllStringSubmatch(text, -1) {
			switch id := m[2]; {
			case m[1] == "@" && r.Names[oncall.UserID(id)].Name == "" && !slices.Contains(people, oncall.UserID(id)):
				people = append(people, oncall.UserID(id))
			case m[1] == "#" && r.channelName(id, m[3]) == "" && !slices.Contains(channels, id):
				channels = append(channels, id)
			}
		}
	}
	return people, channels
}

// unescapeMrkdwn undoes Slack's escapes.
func unescapeMrkdwn(text string) string { return html.UnescapeString(text) }

// escapeMarkdown makes foreign text safe in a line of Markdown: nothing in it is formatted, is a link or mentions anybody.
func escapeMarkdown(text string) string {
	var out strings.Builder
	for _, r := range strings.Join(strings.Fields(stripControls(text)), " ") {
		if strings.ContainsRune("\\`*_[]<>#|!~$&", r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}

// lastDay returns the day that ends at an instant.
func lastDay(end time.Time, zone *time.Location) string {
	return end.Add(-time.Second).In(zone).Format("Mon 2 Jan")
}

// ReviewComes says that the draft is on its way.
func ReviewComes(id oncall.IncidentID, inThread bool) string {
	if inThread {
		return fmt.Sprintf("A draft of the review of %s comes into the thread of its message, as a file.", id)
	}
	return fmt.Sprintf("A draft of the review of %s comes as a file in our direct messages.", id)
}

// ReviewCanvas says where the review is a canvas.
func ReviewCanvas(id oncall.IncidentID, address string) Drawing {
	return Text("The same as a canvas, to be completed together: " + link(address, fmt.Sprintf("Review of incident %d", int64(id))))
}

// ActionForm asks for something to be done after the incident.
func (ov IncidentOverview) ActionForm() slack.ModalViewRequest {
	return ov.form(ModalAction, "Add an action", "Add",
		field(BlockText, "What is to be done", "", slack.NewPlainTextInputBlockElement(nil, string(BlockText)).WithMaxLength(500)),
		userField(BlockPerson, "By whom", "They are asked about it every working morning after the day, until it is done.", ov.Reader),
		optional(field(BlockDue, "Until", "Left empty: in a week.", slack.NewDatePickerBlockElement(string(BlockDue)))))
}

// ActionAdded confirms an action.
func ActionAdded(a oncall.ReviewAction, zone *time.Location) string {
	return fmt.Sprintf("%s: %s is to do it until %s: %s", a.IncidentID, mention(a.UserID), lastDay(a.DueAt, zone), Foreign(a.Text, maxTitle))
}

// ActionEnded answers the buttons of an action.
func ActionEnded(a oncall.ReviewAction, zone *time.Location) string {
	if a.AskAt == nil {
		return "Done: " + Foreign(a.Text, maxTitle)
	}
	return fmt.Sprintf("I ask again on %s: %s", Time(*a.AskAt, zone), Foreign(a.Text, maxTitle))
}

// reviewActionLine describes an event of an action.
func reviewActionLine(e oncall.Event) string {
	d := e.Detail
	if e.Kind == oncall.EventReviewActionDone {
		return fmt.Sprintf("%s: done, what %s was to do: %s", actorName(e.Actor), named(d.Users), Foreign(d.Text, maxBody))
	}
	day := d.Day
	if day == "" { // written by the release before
		day = stamp(d.Until.Add(-time.Second), "{date_short_pretty}", time.UTC)
	}
	return fmt.Sprintf("%s: %s is to do this until %s: %s", actorName(e.Actor), named(d.Users), day, Foreign(d.Text, maxBody))
}

// drawReviewAction asks a person whether an action is done.
func drawReviewAction(notice oncall.Notice) Drawing {
	facts := notice.Detail
	id := ""
	for _, in := range facts.Incidents {
		id = in.String()
	}
	text := fmt.Sprintf("Is this done? *%s*", Foreign(facts.Note, maxBody))
	if formats(facts.Note) {
		text = "Is this done? " + Foreign(facts.Note, maxBody)
	}
	if !slices.Contains(facts.Users, oncall.UserID(notice.To)) {
		text += fmt.Sprintf(" (%s was to do it, and can't be asked.)", named(facts.Users))
	}
	about := fmt.Sprintf("It was to be done by %s, after %s %s.", lastDay(facts.Start, location(facts.TimeZone)), id, Foreign(facts.Title, maxTitle))
	again := "I have asked again below."
	if notice.Kind == oncall.NoticeActionGiven {
		text, about = givenAction(facts, id)
		again = "I have asked about it below."
	}
	blocks := []slack.Block{section(text), note(about)}
	switch facts.State {
	case oncall.ReviewActionDone:
		done := ":white_check_mark: Done."
		if facts.By != "" { // an API key of nobody's own
			done = ":white_check_mark: Done, says " + mention(facts.By) + "."
		}
		blocks = append(blocks, section(done))
	case oncall.ReviewActionLater:
		later := "I ask again in a week."
		if notice.Kind == oncall.NoticeActionGiven {
			later = "I ask about it later."
		}
		blocks = append(blocks, section(later))
	case oncall.ReviewActionAgain:
		blocks = append(blocks, section(again))
	default:
		blocks = append(blocks, slack.NewActionBlock("", actionButtons(oncall.ReviewActionID(notice.About))...))
	}
	return Drawing{Text: text + " " + about, Blocks: blocks}
}

// givenAction says what somebody was given to do, and by when.
func givenAction(facts oncall.NoticeDetail, id string) (text, about string) {
	text = fmt.Sprintf("You were given something to do: *%s*", Foreign(facts.Note, maxBody))
	if formats(facts.Note) {
		text = "You were given something to do: " + Foreign(facts.Note, maxBody)
	}
	for _, by := range facts.Others {
		if by != "" {
			text = mention(by) + strings.Replace(text, "You were given something", " gave you something", 1)
		}
	}
	return text, fmt.Sprintf("Until %s, after %s %s. I ask about it every working morning after that day.", lastDay(facts.Start, location(facts.TimeZone)), id, Foreign(facts.Title, maxTitle))
}

func actionButtons(id oncall.ReviewActionID) []slack.BlockElement {
	return []slack.BlockElement{
		button(ActionReviewDone, valueOf(id), "Done").WithStyle(slack.StylePrimary), button(ActionReviewLater, valueOf(id), "Later"),
	}
}

// actionBlocks draws the first actions, each with its buttons.
func actionBlocks(all []oncall.ReviewAction, most int, zone *time.Location) (blocks []slack.Block) {
	for _, a := range all[:min(len(all), most)] {
		blocks = append(blocks, section(actionLine(a, zone)), slack.NewActionBlock("home_action_"+valueOf(a.ID), actionButtons(a.ID)...))
	}
	return blocks
}

func actionLine(a oncall.ReviewAction, zone *time.Location) string {
	return fmt.Sprintf("%s, until %s: %s", a.IncidentID, lastDay(a.DueAt, zone), Foreign(a.Text, maxBody))
}

// listedActions is the maximum number of actions in the answer to a command.
const listedActions = 20

// OwnActions lists what the reader is to do after incidents.
func OwnActions(all []oncall.ReviewAction, zone *time.Location) Drawing {
	if len(all) == 0 {
		return Text("You have nothing to do after incidents. `/oncall action 12 @bo fix the alert until friday` gives Bo something.")
	}
	head := "*What you are to do after incidents*"
	lines := []string{head}
	for _, a := range all[:min(len(all), listedActions)] {
		lines = append(lines, actionLine(a, zone))
	}
	blocks := append([]slack.Block{section(head)}, actionBlocks(all, listedActions, zone)...)
	if more := len(all) - listedActions; more > 0 {
		lines = append(lines, Count(more, "more"))
		blocks = append(blocks, note(Count(more, "more")+"; you are asked about each when it is due."))
	}
	return Drawing{Text: CutPlain(strings.Join(lines, "\n"), MaxAnswer), Blocks: blocks}
}

// OpenActions lists what is to be done after incidents: by a person, after those of a team, or by anybody. more means that not all
// were loaded. Each day is that of whoever set it, as the timeline has it.
func OpenActions(all []oncall.ReviewAction, more bool, user oncall.UserID, team string, users map[oncall.UserID]oncall.User) Drawing {
	whose := "after incidents"
	switch {
	case user != "":
		whose = "after incidents by " + mention(user)
	case team != "":
		whose = "after incidents of " + Name(team)
	}
	if len(all) == 0 {
		return Text("Nothing is to be done " + whose + ".")
	}
	slices.SortStableFunc(all, func(a, b oncall.ReviewAction) int { return a.DueAt.Compare(b.DueAt) })
	lines := make([]string, 0, len(all))
	for _, a := range all {
		line := actionLine(a, location(cmp.Or(users[a.By].TimeZone, users[a.UserID].TimeZone)))
		if user == "" {
			line = mention(a.UserID) + ": " + line
		}
		lines = append(lines, line)
	}
	count := Count(len(all), "action")
	if more {
		count = fmt.Sprintf("%d actions or more", len(all))
	}
	return Text(headedLines("*"+count+"* to be done "+whose, lines))
}

// homeActions is the maximum number of actions on the home tab.
const homeActions = 5

// actions lists what the reader is to do after incidents.
func (h HomeTab) actions() []slack.Block {
	if len(h.Actions) == 0 {
		return nil
	}
	blocks := append([]slack.Block{slack.NewHeaderBlock(plain("What you are to do after incidents"))}, actionBlocks(h.Actions, homeActions, h.Zone)...)
	if more := len(h.Actions) - homeActions; more > 0 {
		blocks = append(blocks, note(Count(more, "more")+"; you are asked about each when it is due."))
	}
	return blocks
}
