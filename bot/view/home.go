package view

import (
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
)

const (
	homeSchedules = 12
	homeShifts    = 4
	homeWaiting   = 4
	// homeIncidents is the maximum number of open incidents with a line and buttons: two blocks each, of
	// Slack's hundred. Another team's incident gets them only if the reader's own leave room.
	homeIncidents = 20
)

// A HomeTab is a person's App Home; their own things come first.
type HomeTab struct {
	Reader    oncall.UserID
	InTeam    bool
	Shifts    []schedule.Stint // the person's own
	Swaps     []oncall.Swap    // waiting for the person's answer
	Covers    []oncall.Cover
	Actions   []oncall.ReviewAction // what the person is to do after incidents
	Reached   string
	Schedules []*schedule.Schedule // of the person's teams
	Overrides overrides
	Teams     int                          // number of teams that the person may see
	Others    int                          // of these, how many they are not in
	Open      []oncall.Incident            // the person's first, then their teams'
	Mine      int                          // how many of Open are the person's: they have them, or are paged by them now
	Own       int                          // how many are the person's or their teams'
	OrMore    bool                         // there are more than were loaded
	Watched   map[oncall.IncidentID]bool   // incidents that the reader may only view
	Links     map[oncall.IncidentID]string // permalinks to their messages
	Hides     bool                         // something is hidden from the person
	Covering  bool                         // the reader may put people on call somewhere
	Edits     bool                         // and edit or make a schedule
	Makes     bool                         // and make a team
	Admins    []oncall.UserID              // who may, if there is no team yet
	Managers  []oncall.UserID              // of the teams that the reader may see, if they are in none; nil: of too many
	TimeZone  string
	Zone      *time.Location
	Now       time.Time

	Findings    []DoctorFinding // for admins only
	FoundAt     time.Time
	Maintenance []MaintenanceWindow // active windows
	Pages       string              // base URL of the web pages; empty: there are none
}

// YouMaySee follows "No incident is open" and the like if something is hidden.
const YouMaySee = " that you may see"

// noneText returns YouMaySee if something is hidden, and otherwise the given words.
func (h HomeTab) noneText(otherwise string) string {
	if h.Hides {
		return YouMaySee
	}
	return otherwise
}

// OnHome returns the incidents on the home tab, which need links.
func OnHome(open []oncall.Incident) []oncall.Incident { return open[:min(len(open), homeIncidents)] }

// Draw draws the home tab.
func (h HomeTab) Draw() slack.HomeTabViewRequest {
	var blocks []slack.Block
	if !h.InTeam && len(h.Shifts) == 0 {
		blocks = append(blocks, h.firstSteps()...)
	} else {
		blocks = append(blocks, section(cutSection(h.standing())))
	}
	blocks = slices.Concat(blocks, h.waiting(), h.ownIncidents(), h.actions(), h.doctor())
	// Without a heading they would look like buttons of the last incident.
	blocks = append(blocks, slack.NewHeaderBlock(plain("Quick actions")), slack.NewActionBlock("home_actions", h.buttons()...))
	blocks = append(append(blocks, h.nextShifts()...), h.teams()...)
	blocks = append(blocks, h.maintenance()...)
	blocks = append(blocks, slack.NewHeaderBlock(plain("How you are reached")),
		slack.NewSectionBlock(words(h.Reached), nil, slack.NewAccessory(button(ActionContacts, "", "Change…"))))
	blocks = append(blocks, h.otherTeams()...)
	blocks = append(blocks,
		slack.NewSectionBlock(words("`/oncall who`, `/oncall ack 12` and more can be typed in any channel."), nil, slack.NewAccessory(button(ActionHomeHelp, "", "What you can type"))))
	if h.Pages != "" {
		blocks = append(blocks, note("In a browser: "+link(h.Pages+"/", "who is on call")+" · "+link(h.Pages+"/incidents", "incidents")+" · "+
			link(h.Pages+"/reports", "reports")+". `/oncall web` signs you in."))
	}
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
}

// standing says whether the reader is on call, until when, or when next.
func (h HomeTab) standing() string {
	var now []string
	var next *schedule.Stint
	for _, s := range h.Shifts {
		name := withRole("*"+Name(s.Name)+"*", s.Role)
		switch {
		case !s.Start.After(h.Now):
			now = append(now, name+" until "+Time(s.End, h.Zone))
		case next == nil:
			next = &s
		}
	}
	switch {
	case len(now) > 0:
		return ":large_green_circle: *You are on call* in " + List(now) + "."
	case next != nil:
		return fmt.Sprintf("*You are not on call.* Next: %s, %s.", withRole("*"+Name(next.Name)+"*", next.Role), Between(next.Start, next.End, h.Zone))
	}
	return fmt.Sprintf("*You are not on call*, and have no shift in the next %d weeks.", int(OwnShiftsAhead.Hours())/24/7)
}

// firstSteps suggests what to do to a person who is in no team.
func (h HomeTab) firstSteps() []slack.Block {
	blocks := []slack.Block{section("*Welcome to Watchbill.* It pages whoever is on call. Three first steps:")}
	step := func(text string, b *slack.ButtonBlockElement) {
		block := slack.NewSectionBlock(words(text), nil, nil)
		if b != nil {
			block.Accessory = slack.NewAccessory(b)
		}
		blocks = append(blocks, block)
	}
	switch {
	case h.Teams == 0 && h.Makes:
		step("*1.* Set up the first team: who takes turns, in which channel, paged by which monitor. It takes five minutes.", button(ActionSetupNew, "", "Set up…").WithStyle(slack.StylePrimary))
		step("*2.* Say how you are reached.", button(ActionContacts, "", "Your phone…"))
		step("*3.* Send a test alert: its button stands where the set-up ends.", nil)
	case h.Teams == 0:
		admins := "an admin"
		if len(h.Admins) > 0 {
			admins = named(h.Admins)
		}
		step("*1.* No team is set up"+h.noneText(" yet")+": ask "+admins+" to do so, by `/oncall setup`.", nil)
		step("*2.* Say how you are reached, for when you are on call.", button(ActionContacts, "", "Your phone…"))
		step("*3.* See what can be typed.", nil)
	default:
		step("*1.* See who is on call.", button(ActionHomeFind, "", "Find a team…"))
		step("*2.* Page them if something is wrong. Anybody may; no account is needed.", nil)
		managers := "a team's managers"
		if len(h.Managers) > 0 {
			managers = named(h.Managers)
		}
		step("*3.* To be on call yourself, ask "+managers+" to put you into a team.", nil)
	}
	return blocks
}

// waiting lists requests that wait for the reader's answer.
func (h HomeTab) waiting() []slack.Block {
	var blocks []slack.Block
	for _, s := range h.Swaps[:min(len(h.Swaps), homeWaiting)] {
		text := fmt.Sprintf("%s offers you a swap: %s, for yours in %s. To be answered by %s.", mention(s.Give.User), StintWords(s.Give, h.TimeZone), StintWords(s.Take, h.TimeZone), Time(s.ExpiresAt, h.Zone))
		id := valueOf(s.ID)
		blocks = append(blocks, section(cutSection(text)), slack.NewActionBlock("home_swap_"+id,
			button(ActionSwapAccept, id, "Accept").WithStyle(slack.StylePrimary), button(ActionSwapDecline, id, "Decline")))
	}
	for _, c := range h.Covers[:min(len(h.Covers), homeWaiting)] {
		id := valueOf(c.ID)
		blocks = append(blocks, section(cutSection(fmt.Sprintf("Can you take this shift of %s's? %s", mention(c.Stint.User), StintWords(c.Stint, h.TimeZone)))),
			slack.NewActionBlock("home_cover_"+id, button(ActionCoverTake, id, "Take it").WithStyle(slack.StylePrimary),
				button(ActionCoverPart, id, "Take a part…"), button(ActionCoverDecline, id, "I can't")))
	}
	if len(blocks) == 0 {
		return nil
	}
	return append([]slack.Block{slack.NewHeaderBlock(plain("Waiting for you"))}, blocks...)
}

// nextShifts lists the reader's future shifts.
func (h HomeTab) nextShifts() []slack.Block {
	var lines []string
	for _, s := range h.Shifts {
		if s.Start.After(h.Now) && len(lines) < homeShifts {
			lines = append(lines, fmt.Sprintf("• %s %s", withRole("*"+Name(s.Name)+"*", s.Role), Between(s.Start, s.End, h.Zone)))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return []slack.Block{slack.NewHeaderBlock(plain("Your next shifts")), section(fitLines(lines, maxSection))}
}

// teams says who is on call in the reader's teams.
func (h HomeTab) teams() []slack.Block {
	if !h.InTeam {
		return nil
	}
	blocks := []slack.Block{slack.NewHeaderBlock(plain("On call in your teams"))}
	for _, s := range h.Schedules[:min(len(h.Schedules), homeSchedules)] {
		blocks = append(blocks, section(cutSection(scheduleLines(h.Overrides, s, h.Now, h.Zone))))
	}
	switch more := len(h.Schedules) - homeSchedules; {
	case len(h.Schedules) == 0:
		blocks = append(blocks, section("They have no schedule yet."))
	case more > 0:
		blocks = append(blocks, note(Count(more, "more schedule")+": `/oncall who` with its name shows each."))
	}
	return blocks
}

// otherTeams leads to the teams that the reader is not in.
func (h HomeTab) otherTeams() []slack.Block {
	var blocks []slack.Block
	if h.Others > 0 {
		blocks = append(blocks, slack.NewHeaderBlock(plain("Other teams")),
			slack.NewSectionBlock(words("Who is on call there, and what is open: "+Count(h.Others, "team")+"."), nil, slack.NewAccessory(button(ActionHomeFind, "", "Find a team…"))))
	}
	for _, in := range OnHome(h.Open)[min(h.Own, homeIncidents, len(h.Open)):] {
		blocks = append(blocks, h.incident(in)...)
	}
	if more := len(h.Open) - max(h.Own, homeIncidents); more > 0 {
		blocks = append(blocks, note(fmt.Sprintf("and %d more open%s: `/oncall incidents` lists them.", more, map[bool]string{true: ", or still more"}[h.OrMore])))
	}
	return blocks
}

// maintenance lists the active maintenance windows.
func (h HomeTab) maintenance() []slack.Block {
	if len(h.Maintenance) == 0 {
		return nil
	}
	lines := MaintenanceLines(h.Maintenance, h.Now, h.Zone)
	return []slack.Block{slack.NewHeaderBlock(plain("Maintenance")), section(cutSection(fitLines(lines, maxSection)))}
}

// buttons returns the reader's actions.
func (h HomeTab) buttons() []slack.BlockElement {
	buttons := []slack.BlockElement{button(ActionHomePage, "", "Page somebody…")}
	takesTurns := h.InTeam || len(h.Shifts) > 0
	if takesTurns {
		buttons = append(buttons, button(ActionHomeCover, "", "Find cover…"), button(ActionHomeAway, "", "Time off…"))
	}
	if h.Covering {
		buttons = append(buttons, button(ActionHomeOverride, "", "Override a shift…"))
	}
	if takesTurns {
		buttons = append(buttons, button(ActionHomeSwap, "", "Swap shifts…"))
	}
	if h.Edits {
		buttons = append(buttons, button(ActionHomeSchedule, "", "Edit a schedule…"))
	}
	if h.Teams > 0 {
		buttons = append(buttons, button(ActionHomeSetup, "", "Teams and set-up…"))
	}
	return buttons
}

// ownIncidents lists the incidents of the reader, and apart from them those of their teams.
func (h HomeTab) ownIncidents() []slack.Block {
	var blocks []slack.Block
	switch {
	case h.Mine > 0:
		blocks = append(blocks, slack.NewHeaderBlock(plain(fmt.Sprintf("Your open incidents: %d", h.Mine))))
	case h.InTeam && h.Own == 0:
		return []slack.Block{slack.NewHeaderBlock(plain("Your open incidents")), section("None" + h.noneText("") + ".")}
	case h.InTeam:
		blocks = append(blocks, slack.NewHeaderBlock(plain("Your open incidents")), section("None: you have none, and none pages you now."))
	}
	for i, in := range h.Open[:min(h.Own, homeIncidents)] {
		if i == h.Mine {
			blocks = append(blocks, h.teamsHeader())
		}
		blocks = append(blocks, h.incident(in)...)
	}
	if h.Own > h.Mine && h.Mine >= homeIncidents {
		blocks = append(blocks, h.teamsHeader())
	}
	if more := h.Own - homeIncidents; more > 0 {
		blocks = append(blocks, note(fmt.Sprintf("and %d more of yours and your teams': `/oncall incidents mine` lists them.", more)))
	}
	return blocks
}

func (h HomeTab) teamsHeader() slack.Block {
	return slack.NewHeaderBlock(plain(fmt.Sprintf("Your teams' open incidents: %d", h.Own-h.Mine)))
}

// incident draws an incident as a line with a link and buttons.
func (h HomeTab) incident(in oncall.Incident) []slack.Block {
	var elements []slack.BlockElement
	if !h.Watched[in.ID] {
		elements = mainButtons(in, h.Reader)
	}
	elements = append(elements, button(ActionMore, valueOf(in.ID), "Details…"))
	return []slack.Block{section(forReader(incidentLine(in, h.Links[in.ID]), h.Zone)), slack.NewActionBlock("home_"+valueOf(in.ID), elements...)}
}

// HelpModal draws the help as a modal.
func HelpModal(has Ability) slack.ModalViewRequest {
	return readOnly("What you can type", helpBlocks(has)...)
}

// ScheduleChoice asks which schedule is meant, to "edit" it or for its "history".
func ScheduleChoice(schedules []*schedule.Schedule, what string) slack.ModalViewRequest {
	options := scheduleOptions(schedules)
	return dialog(ModalScheduleChoice, "Schedule", "Open", what, choiceField(BlockSchedule, "Which one?", "", options[0].Value, options))
}

func scheduleOptions(schedules []*schedule.Schedule) []option {
	options := make([]option, len(schedules))
	for i, s := range schedules {
		options[i] = scheduleOption(s)
	}
	return options
}

func scheduleOption(s *schedule.Schedule) option {
	return option{valueOf(s.ID()), s.Name()}
}
