package setup

import (
	"fmt"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// SlackNames is everything in Slack that a set-up names.
type SlackNames struct {
	Channels []SlackName
	People   []SlackName
	Groups   []SlackName
}

// A SlackName is the name of something in Slack.
type SlackName struct {
	Where  string // in the set-up: "team payments"
	Named  string // a channel by its name or id, a person by their id, a user group by its handle or id
	Before string // the id that the name had at the last lookup; empty if there was none, or if Named is an id
	Secret bool   // a private team's channel
	NoTeam bool   // the person is paged but in no team
}

// A SlackPerson is a person's profile in Slack.
type SlackPerson struct {
	oncall.User
	Bot bool
}

// A SlackFault is a name in a set-up that doesn't match Slack.
type SlackFault struct {
	Where, What, Remedy string
	Note                bool // it works nevertheless
}

// CheckChannels returns the channels that don't accept messages, and those that have been renamed.
func CheckChannels(named []SlackName, all []oncall.SlackChannel) []SlackFault {
	var faults []SlackFault
	for _, n := range named {
		word := channelWord(n.Named)
		c, found := oncall.LookUpChannel(n.Named, n.Before, all)
		if found && n.Secret && !c.Private {
			faults = append(faults, SlackFault{
				Where: n.Where, What: "the team is private, but everybody can read its channel " + nowCalled(word, c),
				Remedy: "Make the channel private in Slack and invite the app (/invite @watchbill), or name one that is. " +
					"Until then it shows only numbers and states.",
			})
		}
		switch other, used := oncall.LookUpChannel(n.Named, "", all); {
		case !found && n.Before != "" && used:
			faults = append(faults, SlackFault{
				Where: n.Where, What: fmt.Sprintf("%s was the channel %s, which is gone, or is private and the app is not in it", word, n.Before),
				Remedy: fmt.Sprintf("Another channel is called so now, and gets nothing meanwhile. If that one is meant, write channel: %s.", other.ID),
			})
		case !found:
			what := fmt.Sprintf("there is no channel %s, or it is private and the app is not in it", word)
			remedy := "Create it, or correct the name. Into a private channel, invite the app: /invite @watchbill."
			if guess := nearestChannel(n.Named, all); guess != "" {
				what += fmt.Sprintf("; did you mean #%s?", guess)
			}
			faults = append(faults, SlackFault{Where: n.Where, What: what, Remedy: remedy})
		case c.Archived:
			faults = append(faults, SlackFault{
				Where: n.Where, What: nowCalled(word, c) + " is archived", Remedy: "Unarchive it in Slack, or name another channel.",
			})
		case oncall.ChannelName(n.Named) != "" && c.Name != oncall.ChannelName(n.Named):
			f := SlackFault{
				Where: n.Where, What: fmt.Sprintf("%s is called #%s now, and messages go there", word, c.Name),
				Remedy: "Correct the name in the set-up file.", Note: true,
			}
			if used && other.ID != c.ID {
				f.Remedy = fmt.Sprintf("Another channel has the old name, and gets nothing. Correct the name in the set-up file, or write channel: %s if that one is meant.", other.ID)
			}
			faults = append(faults, f)
		}
	}
	return faults
}

// channelWord formats a channel as the set-up names it.
func channelWord(named string) string {
	if name := oncall.ChannelName(named); name != "" {
		return "#" + name
	}
	return named
}

func nowCalled(word string, c oncall.SlackChannel) string {
	if word == "#"+c.Name {
		return word
	}
	return fmt.Sprintf("%s (#%s)", word, c.Name)
}

func nearestChannel(named string, all []oncall.SlackChannel) string {
	var names []string
	for _, c := range all {
		if !c.Archived {
			names = append(names, c.Name)
		}
	}
	return oncall.Nearest(oncall.ChannelName(named), names)
}

// CheckPeople returns the people who aren't in the workspace. all are the profiles from Slack.
func CheckPeople(named []SlackName, all []SlackPerson) []SlackFault {
	var faults []SlackFault
	for _, n := range named {
		i := slices.IndexFunc(all, func(p SlackPerson) bool { return string(p.ID) == n.Named })
		const correct = "Correct slack in the set-up file: in Slack, the person's profile, ⋮, Copy member ID."
		switch {
		case i < 0:
			what := fmt.Sprintf("nobody in this workspace has the id %s", n.Named)
			if guess := likely(n.Where, all); guess.ID != "" {
				what += fmt.Sprintf("; did you mean %s, %s?", guess.ID, guess.Name)
			}
			faults = append(faults, SlackFault{Where: n.Where, What: what, Remedy: correct})
		case all[i].Bot:
			faults = append(faults, SlackFault{Where: n.Where, What: n.Named + " is a bot, which can't be on call", Remedy: correct})
		case all[i].DeactivatedAt != nil:
			faults = append(faults, SlackFault{
				Where: n.Where, What: fmt.Sprintf("%s (%s) has left the workspace", all[i].Name, n.Named), Remedy: "Put somebody else in their place.",
			})
		case all[i].Standing == oncall.Stranger:
			faults = append(faults, SlackFault{
				Where: n.Where, What: fmt.Sprintf("%s (%s) is of another organisation, and is never paged", all[i].Name, n.Named),
				Remedy: "Put somebody else in their place.",
			})
		case all[i].Standing == oncall.GuestMember && n.NoTeam:
			faults = append(faults, SlackFault{
				Where: n.Where, What: fmt.Sprintf("%s (%s) is a guest whom no team names, and is never paged", all[i].Name, n.Named),
				Remedy: "Put them into the members of a team, or somebody else in their place.",
			})
		}
	}
	return faults
}

// likely returns the only person in Slack with the set-up's name, if there is exactly one.
func likely(where string, all []SlackPerson) (found SlackPerson) {
	name := strings.ToLower(strings.TrimPrefix(where, "user "))
	for _, p := range all {
		full := strings.ToLower(p.Name)
		first, _, _ := strings.Cut(full, " ")
		mailbox, _, _ := strings.Cut(strings.ToLower(p.Email), "@")
		if p.DeactivatedAt != nil || p.Bot || name != full && name != first && name != mailbox {
			continue
		}
		if found.ID != "" {
			return SlackPerson{}
		}
		found = p
	}
	return found
}

// CheckGroups returns the user groups that Slack lacks or that have another handle now.
func CheckGroups(named []SlackName, all []oncall.SlackGroup) []SlackFault {
	var faults []SlackFault
	for _, n := range named {
		i := IndexGroup(n.Named, n.Before, all)
		switch {
		case i < 0:
			var handles []string
			for _, g := range all {
				handles = append(handles, g.Handle)
			}
			what := fmt.Sprintf("there is no user group @%s in Slack", n.Named)
			if guess := oncall.Nearest(n.Named, handles); guess != "" {
				what += fmt.Sprintf("; did you mean @%s?", guess)
			}
			faults = append(faults, SlackFault{Where: n.Where, What: what, Remedy: "Create it in Slack, or correct the name."})
		case !all[i].Names(n.Named):
			faults = append(faults, SlackFault{
				Where: n.Where, What: fmt.Sprintf("@%s is called @%s in Slack now, and is followed", n.Named, all[i].Handle),
				Remedy: "Correct the name in the set-up file.", Note: true,
			})
		case all[i].Disabled && strings.HasPrefix(n.Where, "policy "):
			faults = append(faults, SlackFault{
				Where: n.Where, What: fmt.Sprintf("the user group @%s is disabled, so the step pages nobody", n.Named),
				Remedy: "Enable it in Slack, or page somebody else.",
			})
		}
	}
	return faults
}

// IndexGroup returns the index of a user group: the one with the id found before, or else with the
// handle; -1 if there is none.
func IndexGroup(named, before string, all []oncall.SlackGroup) int {
	return slices.IndexFunc(all, func(g oncall.SlackGroup) bool {
		if before != "" {
			return g.ID == before
		}
		return g.Names(named)
	})
}

// SlackNames returns what the document names in Slack.
func (s Setup) SlackNames() SlackNames {
	var names SlackNames
	private := map[string]bool{}
	for _, t := range s.Teams {
		private[t.Name] = t.Private
		names.Channels = append(names.Channels, SlackName{Where: "team " + t.Name, Named: t.Channel, Secret: t.Private})
		for _, channel := range t.Updates {
			names.Channels = append(names.Channels, SlackName{Where: "team " + t.Name, Named: channel, Secret: t.Private})
		}
		if handle := t.ManagedBy(); handle != "" {
			names.Groups = append(names.Groups, SlackName{Where: "team " + t.Name, Named: handle})
		}
	}
	for _, p := range s.Policies {
		for _, st := range p.Steps {
			for _, written := range st.Page {
				t, err := parseTarget(written)
				if err != nil {
					continue // reported by Check
				}
				names.add("policy "+p.Name, t.target(IDs{}), private[p.Team])
			}
		}
	}
	loose := s.inNoTeam()
	for _, u := range s.Users {
		if u.Slack != "" {
			names.People = append(names.People, SlackName{Where: "user " + u.Name, Named: string(u.Slack), NoTeam: loose[u.Name]})
		}
	}
	for _, g := range s.UserGroups {
		names.Groups = append(names.Groups, SlackName{Where: "user group " + g.Name(), Named: g.Name()})
	}
	return names
}

// inNoTeam returns the people, by name, who are paged but belong to no team in the document.
func (s Setup) inNoTeam() map[string]bool {
	loose := map[string]bool{}
	mark := func(value bool, names []string) {
		for _, name := range names {
			loose[name] = value
		}
	}
	for _, sc := range s.Schedules {
		for _, v := range append([]Version{{Rotations: sc.Rotations}}, sc.Later...) {
			for _, r := range v.Rotations {
				for _, turn := range r.Turns {
					mark(true, turn)
				}
			}
		}
		for _, shift := range sc.Shifts {
			mark(true, shift.Users)
		}
	}
	for _, p := range s.Policies {
		for _, st := range p.Steps {
			for _, written := range st.Page {
				if t, err := parseTarget(written); err == nil && t.kind == "user" {
					mark(true, []string{t.name})
				}
			}
		}
	}
	for _, t := range s.Teams {
		mark(true, t.Fallback)
	}
	for _, t := range s.Teams {
		mark(false, t.Members)
	}
	return loose
}

// add adds the names in a step, once per policy.
func (n *SlackNames) add(where string, t oncall.Target, secret bool) {
	is := SlackName{Where: where, Named: t.Channel, Secret: secret && t.Channel != ""}
	switch {
	case t.Channel != "" && !slices.Contains(n.Channels, is):
		n.Channels = append(n.Channels, is)
	case t.Group != "":
		is.Named = t.Group
		if !slices.Contains(n.Groups, is) {
			n.Groups = append(n.Groups, is)
		}
	}
}

// NamesOfPolicy returns the names in a policy's steps; secret marks a private team's.
func NamesOfPolicy(p oncall.Policy, secret bool) SlackNames {
	var names SlackNames
	for _, s := range p.Steps {
		for _, t := range s.Targets {
			names.add("policy "+p.Name, t, secret)
		}
	}
	return names
}
