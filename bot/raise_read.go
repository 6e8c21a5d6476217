package bot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// A raiseDraft is a request to raise an incident, as far as it is understood.
type raiseDraft struct {
	oncall.RaiseRequest
	problem string // what is unclear
}

// complete reports whether nothing is missing.
func (d raiseDraft) complete() bool { return d.problem == "" && d.Team != 0 && d.Text != "" }

// readRaise parses "[severity] [team|schedule|@person…] what is wrong". The form asks for what is missing.
func (b *Bot) readRaise(ctx context.Context, r request, words []string) (raiseDraft, error) {
	var draft raiseDraft
	words, draft.Severity = takeSeverity(words)
	words = r.takeWhere(&draft, words)
	if draft.Team == 0 || len(words) > 0 && strings.HasPrefix(unescape(words[0]), "@") {
		user, n, err := b.takePerson(ctx, r, words, draft.Team == 0)
		if err != nil {
			return raiseDraft{}, err
		}
		if n > 0 {
			draft.User, words = user, words[n:]
			if draft.Team == 0 {
				words = r.takeWhere(&draft, words)
			}
		}
	}
	if more, severity := takeSeverity(words); severity != "" && draft.Severity == "" {
		words, draft.Severity = more, severity
	}
	draft.Text, draft.Severity = raisedText(words, draft.Severity)
	if draft.User != "" && draft.Team == 0 {
		team, err := r.teamOf(draft.User)
		if err != nil {
			return raiseDraft{}, err
		}
		draft.Team = team
	}
	if draft.Team == 0 {
		r.guess(&draft, words)
	}
	return draft, nil
}

// guess says what is unclear, and preselects the most likely target.
func (r request) guess(w *raiseDraft, words []string) {
	var name string
	w.problem, name = r.unclear(words)
	switch {
	case name != "":
		r.takeWhere(w, strings.Fields(name))
		w.Text, w.Severity = raisedText(words[1:], w.Severity)
	case len(r.directory.Teams) == 1:
		w.Team = r.directory.Teams[0].ID
	}
}

// takeWhere removes the longest name of a team or schedule from the words. If both match, it is the team.
func (r request) takeWhere(draft *raiseDraft, words []string) []string {
	at := 0
	schedules := false
	for at < len(words)-1 && slices.Contains([]string{"the", "team", "schedule", "in", "of", "for", "on-call", "oncall", "whoever", "is", "on", "call"}, strings.ToLower(words[at])) {
		schedules = schedules || strings.EqualFold(words[at], "schedule")
		at++
	}
	for n := min(len(words), at+maxObjectNameWords); n > at; n-- {
		typed := strings.Trim(unescape(strings.Join(words[at:n], " ")), `"'“”:,;-—@`)
		if !schedules {
			if id, known := r.directory.TeamToPage(strings.TrimSuffix(typed, " team")); known {
				draft.Team = id
				return words[n:]
			}
		}
		for _, s := range r.directory.Schedules {
			if strings.EqualFold(s.Name(), strings.TrimSuffix(typed, " schedule")) {
				draft.Team, draft.Schedule = s.TeamID(), s.ID()
				return words[n:]
			}
		}
		if n == at+1 {
			if team, id := r.scheduleOfGroup(words[at]); id != 0 {
				draft.Team, draft.Schedule = team, id
				return words[n:]
			}
		}
	}
	return words
}

// scheduleOfGroup returns the one schedule whose people are mirrored to a mentioned Slack user group.
func (r request) scheduleOfGroup(word string) (oncall.TeamID, oncall.ScheduleID) {
	if !strings.HasPrefix(word, "<!subteam^") {
		return 0, 0
	}
	id, label, _ := strings.Cut(strings.Trim(strings.TrimPrefix(word, "<!subteam^"), ">"), "|")
	for _, g := range r.directory.UserGroups {
		if len(g.Schedules) != 1 || g.SlackID != id && !strings.EqualFold(g.Handle, strings.TrimPrefix(label, "@")) {
			continue
		}
		if s, known := r.directory.Schedule(g.Schedules[0]); known {
			return s.TeamID(), s.ID()
		}
	}
	return 0, 0
}

// takePerson parses the person to page. After a team, or in a sentence, a name needs its @: "page payments Ann
// can't log in".
func (b *Bot) takePerson(ctx context.Context, r request, words []string, first bool) (oncall.UserID, int, error) {
	if len(words) == 0 {
		return "", 0, nil
	}
	word := strings.TrimRight(words[0], ":,;")
	if slices.Contains([]string{"i", "ich", "mich", "myself", "my"}, plainName(word)) {
		return "", 0, nil // as in "I can't log in"
	}
	_, mentioned := view.ReadMention(word)
	if !mentioned && !strings.HasPrefix(word, "@") && !first {
		return "", 0, nil
	}
	return b.findPerson(ctx, r, append([]string{word}, words[1:]...))
}

// teamOf returns the team through which a person is paged: one that both are in, or else the person's first.
func (r request) teamOf(user oncall.UserID) (oncall.TeamID, error) {
	var team oncall.TeamID
	for _, t := range r.directory.Teams {
		if !slices.Contains(r.directory.Members[t.ID], user) {
			continue
		}
		if slices.Contains(r.directory.Members[t.ID], r.user.ID) {
			return t.ID, nil
		}
		if team == 0 {
			team = t.ID
		}
	}
	if team == 0 {
		return 0, oncall.Refuse("%s is in no team, so nobody would be paged after them. Say which team it is for: `/oncall page TEAM @name what is wrong`.", user)
	}
	return team, nil
}

// unclear says what is missing, and which team's or schedule's name resembles what was typed.
func (r request) unclear(words []string) (problem, name string) {
	if len(words) == 0 {
		return "", ""
	}
	first := strings.Trim(unescape(words[0]), `"'“”:,;`)
	if guess := oncall.Nearest(first, r.whereOnCall()); guess != "" && len([]rune(first)) > 3 {
		return oncall.Say("There is no team or schedule %q.%s", view.Name(first), view.DidYouMean(view.Name(guess), "%q")).String(), guess
	}
	if strings.HasPrefix(first, "@") {
		return oncall.Say("%q is nobody whom Watchbill knows.%s", view.Name(first), view.DidYouMean(view.Name(guessPerson(r.directory, first[1:])), "%s")).String(), ""
	}
	return "Say whom to page.", ""
}

// severityWord parses one word: "critical:", "(sev1)", "SEV-1", "severity=high".
func severityWord(word string) (oncall.Severity, bool) {
	word = strings.Trim(strings.ToLower(word), `:,;.!()[]-`)
	for _, before := range []string{"severity=", "severity:", "sev=", "prio=", "priority="} {
		word = strings.TrimPrefix(word, before)
	}
	return oncall.SpokenSeverity(word)
}

// takeSeverity removes a leading severity, if other words follow.
func takeSeverity(words []string) ([]string, oncall.Severity) {
	if len(words) > 1 {
		if s, known := severityWord(words[0]); known {
			return words[1:], s
		}
	}
	return words, ""
}

// raisedText returns the description without words that only lead up to it. In it, "sev1" and the like set the
// severity, and so does "critical"; but a disk that is low doesn't.
func raisedText(words []string, severity oncall.Severity) (string, oncall.Severity) {
	for len(words) > 1 && slices.Contains([]string{":", "-", "—", "–", "because", "that"}, strings.ToLower(words[0])) {
		words = words[1:]
	}
	var text []string
	for i, word := range words {
		s, known := severityWord(word)
		plain := strings.Trim(strings.ToLower(word), `:,;.!()[]`)
		level := strings.ContainsAny(plain, "0123456789") || strings.Contains(plain, "=")
		switch {
		case severity != "" || !known:
		case level:
			severity = s
			continue
		case s == oncall.Critical && (i == 0 || !strings.EqualFold(words[i-1], "not") && !strings.EqualFold(words[i-1], "non")):
			severity = s
		}
		text = append(text, word)
	}
	return strings.TrimSpace(strings.TrimLeft(unescape(strings.Join(text, " ")), ":-—– ")), severity
}

// refusalOf returns the sentence of a refusal; ok is false for any other error.
func refusalOf(err error) (string, bool) {
	refusal, ok := errors.AsType[oncall.Refusal](err)
	if !ok {
		return "", false
	}
	return view.Sentence(refusal.Sentence), true
}
