package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// The menu next to an integration. The id follows in its values.
const (
	IntegrationRotate    = "rotate"
	IntegrationMuteHours = "mute_hours"
	IntegrationMuteHour  = "mute_1h"
	IntegrationMuteLong  = "mute_4h"
	IntegrationMuteNight = "mute_tomorrow"
	IntegrationMute      = "mute"
	IntegrationUnmute    = "unmute"
	IntegrationEdit      = "edit"
	IntegrationTest      = "test"
)

// MuteHours is how long the menu mutes for.
const MuteHours = 2 * time.Hour

// KeyEndsNow is the value of the checkbox that revokes the old key at once.
const KeyEndsNow = "now"

// maxDrawn is the maximum number of integrations with a menu each; more become a plain list.
const maxDrawn = 10

// An Integration is an integration in a list.
type Integration struct {
	ID         oncall.IntegrationID
	Name       string
	Format     oncall.Format
	Monitors   string // if no format is set
	Team       string
	Policy     string
	Manages    bool // the reader may rotate its key and mute it
	Muted      bool
	MutedUntil *time.Time
	MutedBy    oncall.UserID
	Key        Key
	Old        []Key // still valid, or expired but still used
}

// A Key is an integration's key.
type Key struct {
	Hint    string
	Used    *time.Time
	Ends    time.Time
	Refused bool
}

// Integrations lists integrations.
func Integrations(all []Integration, zone *time.Location) Drawing {
	lines := make([]string, len(all))
	for i, in := range all {
		lines[i] = "• " + in.line(zone)
	}
	d := Drawing{Text: fitLines(lines, MaxAnswer)}
	if len(all) > maxDrawn {
		return Drawing{Text: fitLines(append(lines, "`/oncall integrations NAME` shows one, with what you may do with it."), MaxAnswer)}
	}
	for _, in := range all {
		section := slack.NewSectionBlock(words(in.line(zone)), nil, nil)
		if in.Manages {
			section.Accessory = slack.NewAccessory(in.menu())
		}
		d.Blocks = append(d.Blocks, section)
	}
	return d
}

// line describes an integration.
func (in Integration) line(zone *time.Location) string {
	format := string(in.Format)
	if in.Monitors != "" && in.Format == oncall.AutoFormat {
		format += ": " + in.Monitors
	}
	var text strings.Builder
	fmt.Fprintf(&text, "*%s* (%s), team %s, policy %s; key …%s; ", Name(in.Name), Name(format), Name(in.Team), Name(in.Policy), Name(in.Key.Hint))
	if last := in.lastSignal(); last != nil {
		text.WriteString("last signal " + stamp(*last, asAgo, zone))
	} else {
		text.WriteString("no signal yet")
	}
	for _, k := range in.Old {
		switch {
		case k.Refused:
			fmt.Fprintf(&text, "; :warning: a monitor still sends with the old key …%s, last %s: it is refused, and its signals are lost", Name(k.Hint), stamp(*k.Used, asAgo, zone))
		case k.Used != nil:
			fmt.Fprintf(&text, "; the old key …%s is good until %s, last used %s", Name(k.Hint), Time(k.Ends, zone), stamp(*k.Used, asAgo, zone))
		default:
			fmt.Fprintf(&text, "; the old key …%s is good until %s", Name(k.Hint), Time(k.Ends, zone))
		}
	}
	return text.String() + in.mutedText(zone)
}

// lastSignal returns when a valid key was last used.
func (in Integration) lastSignal() *time.Time {
	last := in.Key.Used
	for _, k := range in.Old {
		if !k.Refused && k.Used != nil && (last == nil || k.Used.After(*last)) {
			last = k.Used
		}
	}
	return last
}

func (in Integration) mutedText(zone *time.Location) string {
	if !in.Muted {
		return ""
	}
	text := "; *muted"
	if in.MutedUntil != nil {
		text += " until " + Time(*in.MutedUntil, zone)
	}
	text += "*"
	if in.MutedBy != "" {
		text += " by " + mention(in.MutedBy)
	}
	return text + ": it pages nobody"
}

func (in Integration) menu() slack.BlockElement {
	id := " " + valueOf(in.ID)
	options := []*slack.OptionBlockObject{optionObject(option{IntegrationRotate + id, "Rotate the key…"})}
	if in.Muted {
		options = append(options, optionObject(option{IntegrationUnmute + id, "Unmute"}))
	} else {
		options = append(options, optionObject(option{IntegrationMuteHours + id, "Mute for 2 hours"}),
			optionObject(option{IntegrationMute + id, "Mute until unmuted"}))
	}
	options = append(options, optionObject(option{IntegrationTest + id, "Send a test alert…"}), optionObject(option{IntegrationEdit + id, "Edit…"}))
	return slack.NewOverflowBlockElement(string(ActionIntegration), options...)
}

// RotateForm asks for confirmation before a key is rotated. Its metadata names the key, so that it revokes no
// other.
func RotateForm(in Integration, until time.Time, zone *time.Location) slack.ModalViewRequest {
	blocks := []slack.Block{section(in.line(zone))}
	for _, k := range in.Old {
		if !k.Refused {
			blocks = append(blocks, section(fmt.Sprintf(":warning: Two keys are good now, and never three: the older one, …%s, ends at once if you rotate again, before %s.",
				Name(k.Hint), Time(k.Ends, zone))))
		}
	}
	blocks = append(blocks,
		section(fmt.Sprintf("The new key is shown once, to you, with what to set in the monitor. The one in force, …%s, is good until %s beside it.",
			Name(in.Key.Hint), Time(until, zone))),
		optional(checkField(BlockKeyEnds, "If somebody else has the key", "Until the monitor has the new key, its signals are refused.",
			option{KeyEndsNow, "End the old key at once"})))
	return dialog(ModalRotateKey, "Rotate a key", "Rotate", valueOf(in.ID)+" "+in.Key.Hint, blocks...)
}

// A MadeKey is a new key, with the configuration of the monitor.
type MadeKey struct {
	Name, Key      string
	Where, Snippet string
	Local          bool // the address only works on this machine
	OldHint        string
	OldEnds        time.Time
	AtOnce         bool
}

// maxSnippet is how long a snippet may be.
const (
	maxSnippet      = 2000
	maxSnippetLines = 40
)

// NewKey shows a new key, once.
func NewKey(k MadeKey, zone *time.Location) slack.ModalViewRequest {
	old := fmt.Sprintf("The old key, …%s, is good until %s, then it is refused. `/oncall integrations` shows whether it is still used.", Name(k.OldHint), Time(k.OldEnds, zone))
	if k.AtOnce {
		old = fmt.Sprintf("The old key, …%s, is refused from now on.", Name(k.OldHint))
	}
	blocks := []slack.Block{
		section(fmt.Sprintf("The new key of *%s*. It is shown this once; close this only when you have it:\n```%s```", Name(k.Name), Name(k.Key))),
		section(fmt.Sprintf("%s\n```%s```", Foreign(k.Where, maxTitle), foreignLines(k.Snippet, maxSnippet, maxSnippetLines))),
		section(old),
	}
	if k.Local {
		blocks = append(blocks, note(onlyHere))
	}
	return readOnly("The new key", blocks...)
}

// AskMute asks for how long an integration is to be muted. Nothing is muted yet.
func AskMute(id oncall.IntegrationID, name string) Drawing {
	text := fmt.Sprintf("For how long is *%s* to be muted? It isn't yet. Meanwhile %s.", Name(name), oncall.MutedMeans)
	var buttons []slack.BlockElement
	for _, o := range []option{
		{IntegrationMuteHour, "1 hour"}, {IntegrationMuteLong, "4 hours"}, {IntegrationMuteNight, "Until tomorrow, 9:00"}, {IntegrationMute, "Until I unmute"},
	} {
		b := button(ActionIntegration, o.Value+" "+valueOf(id), o.label)
		b.ActionID += "/" + o.Value // each is its own in the block
		buttons = append(buttons, b)
	}
	return Drawing{Text: text, Blocks: []slack.Block{section(text), slack.NewActionBlock("mute", buttons...)}}
}

// Muted confirms that an integration is muted, with the command that undoes it.
func Muted(id oncall.IntegrationID, name string, until *time.Time, zone *time.Location) Drawing {
	end := "Until somebody unmutes it"
	if until != nil {
		end = "Until " + Time(*until, zone)
	}
	text := fmt.Sprintf("*%s* is muted. %s %s.", Name(name), end, oncall.MutedMeans)
	return Drawing{Text: text, Blocks: []slack.Block{
		section(text), slack.NewActionBlock("muted", button(ActionIntegration, IntegrationUnmute+" "+valueOf(id), "Unmute")),
	}}
}

// Unmuted confirms that an integration is no longer muted.
func Unmuted(name string, was bool) string {
	if !was {
		return fmt.Sprintf("*%s* was not muted.", Name(name))
	}
	return fmt.Sprintf("*%s* %s.", Name(name), oncall.UnmutedMeans)
}
