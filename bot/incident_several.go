package bot

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
)

// maxSeveral is the maximum number of incidents that one command acts on, so that it finishes in time.
const maxSeveral = 40

// severalCommand returns a command that acts on one incident, on several, or on all.
func severalCommand(name string, do oncall.ActKind) command {
	return command{name, func(b *Bot, ctx context.Context, r request) (view.Drawing, error) {
		if len(r.words) == 1 && (strings.EqualFold(r.words[0], "all") || strings.EqualFold(r.words[0], "everything")) {
			ids, left, err := b.allOf(ctx, r, do)
			if err != nil {
				return view.Drawing{}, err
			}
			return b.actOnSeveral(ctx, r, ids, left, oncall.Act{Do: do})
		}
		ids, ok := readNumbers(r.words)
		if some, text := numbersAndNote(r.words); !ok && len(some) > 1 && len(some) <= maxSeveral {
			return b.actOnSeveral(ctx, r, some, nil, withRemark(do, text)...)
		} else if !ok && len(some) == 1 {
			answer, err := b.actAndShow(ctx, r, some[0], withRemark(do, text)...)
			return view.Drawing{Text: answer}, err
		}
		if !ok || len(ids) == 0 {
			here, err := b.store.IncidentAt(ctx, r.place)
			if err != nil {
				return view.Drawing{}, err
			}
			if here != 0 && (ok || isNote(r.words)) {
				return b.actHere(ctx, r, here, do)
			}
		}
		if !ok {
			id, found, err := b.incidentByTitle(ctx, r, name)
			if err != nil {
				return view.Drawing{}, err
			}
			if found {
				ids, ok = []oncall.IncidentID{id}, true
			}
		}
		switch {
		case !ok:
			return view.Drawing{}, oncall.Refuse("`/oncall %s` takes the numbers of incidents and nothing else: `/oncall %s 12`, `/oncall %s 2 3 4`, `/oncall %s all`.", name, name, name, name)
		case len(ids) > maxSeveral:
			return view.Drawing{}, oncall.Refuse("At most %d incidents at once.", maxSeveral)
		case len(ids) == 0:
			id, err := b.onlyIncident(ctx, r, name, "12")
			if err != nil {
				return view.Drawing{}, err
			}
			ids = []oncall.IncidentID{id}
		}
		if len(ids) == 1 {
			r.words = nil
			return b.actHere(ctx, r, ids[0], do)
		}
		return b.actOnSeveral(ctx, r, ids, nil, oncall.Act{Do: do})
	}}
}

var numberRange = regexp.MustCompile(`^#?([0-9]{1,9})-#?([0-9]{1,9})$`)

// readNumbers parses "12", "2 3 4", "#2, #3 and #4" and "2-4".
func readNumbers(words []string) (ids []oncall.IncidentID, ok bool) {
	for _, word := range strings.FieldsFunc(strings.ToLower(strings.Join(words, " ")), func(r rune) bool { return r == ' ' || r == ',' || r == ';' }) {
		if word == "and" || word == "&amp;" || word == "+" || word == "incident" || word == "incidents" {
			continue
		}
		first, last := strings.TrimPrefix(word, "#"), ""
		if m := numberRange.FindStringSubmatch(word); m != nil {
			first, last = m[1], m[2]
		}
		id, known := readIncidentValue(first)
		end := id
		if last != "" {
			end, _ = readIncidentValue(last)
		}
		if !known || end < id || end-id > maxSeveral {
			return nil, false
		}
		for ; id <= end; id++ {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids, true
}

// numbersAndNote parses numbers and a note: "12 fixed by a restart", "2, 3 and 4 all fixed by a restart".
func numbersAndNote(words []string) ([]oncall.IncidentID, string) {
	n := 0
	for n < len(words) {
		if _, ok := readNumbers([]string{strings.TrimRight(words[n], ":,")}); !ok {
			break
		}
		n++
	}
	note := words[n:]
	ids, ok := readNumbers(strings.Fields(strings.ReplaceAll(strings.Join(words[:n], " "), ":", "")))
	if len(note) > 1 && oneOf(note, 0, "all", "both") { // "all fixed by a restart"
		note = note[1:]
	}
	if !ok || len(ids) == 0 || len(note) == 0 || !isNote(note) {
		return nil, ""
	}
	return ids, unescape(strings.Join(words[n:], " "))
}

// judged matches what people call an incident when they resolve it: "noise", "as a false alarm: the
// probe was broken".
var judged = regexp.MustCompile(`(?i)^(?:as |it |was |is |a |just |- )*(noise|noisy|false (?:alarm|alert|positive)|real)[.!]*(?:$|[:,;] *(.*)$)`)

// withRemark returns an act, and what the words after it add: what the incident was, or else a note.
func withRemark(do oncall.ActKind, text string) []oncall.Act {
	m := judged.FindStringSubmatch(text)
	if do != oncall.ActResolve || m == nil {
		return []oncall.Act{{Do: do}, {Do: oncall.ActNote, Text: text}}
	}
	verdict := oncall.VerdictNoise
	if strings.EqualFold(m[1], "real") {
		verdict = oncall.VerdictReal
	}
	return []oncall.Act{{Do: do, Verdict: verdict, Text: m[2]}}
}

// isNote reports whether words after an act are a note, rather than more about which incidents are meant.
func isNote(words []string) bool {
	return !oneOf(words, 0, "to", "not", "and", "or", "until", "for") && !slices.ContainsFunc(words, func(w string) bool {
		return oneOf([]string{w}, 0, "all", "except", "but") || strings.HasPrefix(w, "#") || numberPattern.MatchString(w)
	})
}

// appliesTo reports whether an act makes sense for an incident in its current state.
func appliesTo(in oncall.Incident, do string, user oncall.UserID) bool {
	switch do {
	case "ack":
		return in.Status == oncall.Triggered || in.AckAgain && slices.Contains(in.Holders(), user)
	case "unack":
		return slices.Contains(in.Holders(), user) || slices.Contains(in.Acks, user)
	case "unsnooze":
		return in.Status == oncall.Snoozed
	}
	return in.Open()
}

// onlyIncident returns the incident that a command without a number means: that of the channel or thread in which it is typed, or
// else the only one of the person's. It never takes one of other people's: it lists what is open, and asks for a number.
func (b *Bot) onlyIncident(ctx context.Context, r request, name, example string) (oncall.IncidentID, error) {
	if id, err := b.store.IncidentAt(ctx, r.place); id != 0 || err != nil {
		return id, err
	}
	open, err := b.store.OpenIncidents(ctx, r.by(), maxOpenLoaded)
	if err != nil {
		return 0, fmt.Errorf("load open incidents: %w", err)
	}
	busy, err := b.busyWith(ctx, r, open)
	if err != nil {
		return 0, err
	}
	if id, err := b.impliedIncident(ctx, r, name, open, busy); id != 0 || err != nil {
		return id, err
	}
	rank, err := b.rankIncidents(ctx, r.directory, r.user.ID, open)
	if err != nil {
		return 0, err
	}
	own := slices.DeleteFunc(slices.Clone(open), func(in oncall.Incident) bool { return rank(in) == rankOthers })
	fits, err := b.fittingIncidents(ctx, r, name, own)
	if err != nil {
		return 0, err
	}
	hint := fmt.Sprintf("Say which incident by its number: `/oncall %s %s`.", name, example)
	switch {
	case name == "reopen" || name == "review":
		return 0, oncall.Refuse("%s `/oncall incidents closed` lists what is over.", hint)
	case len(open) == 0:
		return 0, oncall.Refuse("No incident is open%s.", r.noneVisible())
	case name == "merge" || name == "link":
	case len(fits) == 1:
		return fits[0].ID, nil
	case busy.followsLastAct(name, r.now, append(slices.Clone(own), raisedBy(r.user.ID, open)...)):
		return busy.acted, nil
	case len(fits) == 0 && name == "ack" && busy.followsLastAct("resolve", r.now, own):
		return busy.acted, nil // "got it", said twice
	case len(fits) == 0 && len(own) == 1:
		return own[0].ID, nil // the act's refusal gives the reason
	case byTitle[name] && len(open) == 1:
		return open[0].ID, nil // to look at it changes nothing
	}
	if len(fits) > 0 && name == "ack" && busy.followsLastAct("resolve", r.now, own) {
		return 0, r.askIncident(name, view.Already(busy.acted)+" "+hint, fits)
	}
	if len(fits) > 0 {
		return 0, r.askIncident(name, hint, fits)
	}
	if raised := raisedBy(r.user.ID, open); len(own) == 0 && len(raised) > 0 {
		if len(raised) == 1 {
			return raised[0].ID, nil
		}
		return 0, r.askIncident(name, hint, raised)
	}
	return b.amongOthers(ctx, r, name, open, noneFits(r, name, own), hint)
}

// noneFits says that a command fits none of somebody's own incidents.
func noneFits(r request, name string, own []oncall.Incident) string {
	switch {
	case len(own) == 0:
		return "Your teams have no open incident."
	case name == "ack":
		return view.NothingWaits(own, r.user.ID, r.location)
	}
	return "That fits none of your incidents."
}

// amongOthers asks which of other people's incidents a command is about. It takes the only one if the act will be refused anyway.
func (b *Bot) amongOthers(ctx context.Context, r request, name string, open []oncall.Incident, lead, hint string) (oncall.IncidentID, error) {
	others, err := b.fittingIncidents(ctx, r, name, open)
	if err != nil {
		return 0, err
	}
	may, err := b.store.MayRespond(ctx, r.by(), others)
	if err != nil {
		return 0, err
	}
	if len(others) == 1 && !may[others[0].ID] {
		return others[0].ID, nil // the act's refusal says who may
	}
	if len(others) == 0 {
		return 0, oncall.Refuse("%s %s%s", lead, hint, view.WhichIncident(nil))
	}
	return 0, r.askIncident(name, lead+" "+hint, others)
}

// fittingIncidents returns the incidents to which a command can apply.
func (b *Bot) fittingIncidents(ctx context.Context, r request, name string, of []oncall.Incident) ([]oncall.Incident, error) {
	fits := slices.DeleteFunc(slices.Clone(of), func(in oncall.Incident) bool { return !appliesTo(in, name, r.user.ID) })
	return b.withoutViewOnly(ctx, r, name, fits)
}

// withoutViewOnly drops the incidents that the person may only view, unless the command only shows them. If that
// leaves none, it keeps all, so that the refusal says who may act.
func (b *Bot) withoutViewOnly(ctx context.Context, r request, name string, incidents []oncall.Incident) ([]oncall.Incident, error) {
	if byTitle[name] {
		return incidents, nil
	}
	may, err := b.store.MayRespond(ctx, r.by(), incidents)
	if err != nil {
		return nil, err
	}
	left := slices.DeleteFunc(slices.Clone(incidents), func(in oncall.Incident) bool { return !may[in.ID] })
	if len(left) == 0 {
		return incidents, nil
	}
	return left, nil
}

// allOf returns the incidents that "all" means for a person: their teams' incidents that nobody else holds.
// left are those that others hold.
func (b *Bot) allOf(ctx context.Context, r request, do oncall.ActKind) (ids, left []oncall.IncidentID, err error) {
	word, can := map[oncall.ActKind]string{
		oncall.ActAck: "waits for an acknowledgement", oncall.ActResolve: "is open", oncall.ActUnack: "is yours", oncall.ActSnooze: "is open",
	}[do]
	if !can {
		return nil, nil, oncall.Refuse("`/oncall %s` takes numbers: `/oncall %s 2 3 4`.", do, do)
	}
	open, err := b.store.OpenIncidents(ctx, r.by(), maxOpenLoaded)
	if err != nil {
		return nil, nil, fmt.Errorf("load open incidents: %w", err)
	}
	rank, err := b.rankIncidents(ctx, r.directory, r.user.ID, open)
	if err != nil {
		return nil, nil, err
	}
	for _, in := range open {
		own := slices.Contains(in.Holders(), r.user.ID)
		if rank(in) == rankOthers {
			continue
		}
		switch {
		case !appliesTo(in, string(do), r.user.ID):
		case len(in.Holders()) > 0 && !own, in.Status == oncall.Snoozed && in.SnoozedBy.User != r.user.ID:
			left = append(left, in.ID)
		default:
			ids = append(ids, in.ID)
		}
	}
	if len(ids) == 0 {
		if len(left) > 0 {
			return nil, nil, oncall.Refuse("Nothing of your teams %s but what others have: %s. Their numbers take them, too.", word, view.Numbers(left))
		}
		return nil, nil, oncall.Refuse("Nothing of your teams %s.", word)
	}
	return ids, left, nil
}

// actOnSeveral performs acts, the first with what is added to it, on several incidents, and offers to undo it.
func (b *Bot) actOnSeveral(ctx context.Context, r request, ids, left []oncall.IncidentID, acts ...oncall.Act) (view.Drawing, error) {
	later := max(0, len(ids)-maxSeveral)
	done, refused, err := b.actOnEach(ctx, r.user.ID, ids[:len(ids)-later], acts...)
	if err != nil {
		return view.Drawing{}, err
	}
	act := acts[0]
	if act.Do == oncall.ActAck {
		var notes refusals
		for _, id := range done {
			if note := b.outsiderNote(ctx, r.by(), id); note != "" {
				notes.add(id, note)
			}
		}
		refused = append(refused, notes.lines()...)
	}
	return view.ActedOn(act, done, refused, left, later, r.location), nil
}

// actOnEach performs the acts on each incident, and returns the refusals.
func (b *Bot) actOnEach(ctx context.Context, user oncall.UserID, ids []oncall.IncidentID, acts ...oncall.Act) (done []oncall.IncidentID, refused []string, err error) {
	var reasons refusals
	for _, id := range ids {
		err := b.acts(ctx, id, user, acts)
		refusal, isRefusal := errors.AsType[oncall.Refusal](err)
		switch {
		case isRefusal:
			reasons.add(id, view.Sentence(refusal.Sentence))
		case err != nil && len(done) > 0: // report what was done
			b.log.Error().Err(err).Msg("could not change all of several incidents")
			return done, append(reasons.lines(), id.String()+" and what follows it: "+sorryFailedRest), nil
		case err != nil:
			return nil, nil, err
		default:
			done = append(done, id)
		}
	}
	return done, reasons.lines(), nil
}

// A refusals collects why an act was refused for each of several incidents. The same reason is given once.
type refusals struct {
	reasons []string
	of      map[string][]oncall.IncidentID
}

func (r *refusals) add(id oncall.IncidentID, why string) {
	if r.of == nil {
		r.of = map[string][]oncall.IncidentID{}
	}
	if len(r.of[why]) == 0 {
		r.reasons = append(r.reasons, why)
	}
	r.of[why] = append(r.of[why], id)
}

// lines returns a line for each reason, with the numbers of its incidents if it doesn't name them itself.
func (r *refusals) lines() (lines []string) {
	for _, why := range r.reasons {
		named := slices.ContainsFunc(strings.FieldsFunc(why, func(c rune) bool { return c != '#' && (c < '0' || c > '9') }),
			func(word string) bool { return word == r.of[why][0].String() })
		if !named {
			why = view.Numbers(r.of[why]) + ": " + why
		}
		lines = append(lines, why)
	}
	return lines
}

const sorryFailedRest = "something went wrong in Watchbill. Please look again in a moment."

// undoActs undoes a command that acted on several incidents.
func (b *Bot) undoActs(ctx context.Context, p press) (string, error) {
	name, list, _ := strings.Cut(p.value, "/")
	var ids []oncall.IncidentID
	for part := range strings.SplitSeq(list, ",") {
		if id, err := strconv.ParseInt(part, 10, 64); err == nil {
			ids = append(ids, oncall.IncidentID(id))
		}
	}
	do := oncall.ActKind(name)
	if do != oncall.ActUnack && do != oncall.ActReopen && do != oncall.ActAck && do != oncall.ActUnmerge || len(ids) == 0 {
		return "", oncall.Refuse("This version of Watchbill doesn't know that button, and nothing was changed.")
	}
	done, refused, err := b.actOnEach(ctx, p.user, ids, oncall.Act{Do: do})
	if err != nil {
		return "", err
	}
	return view.ActedOn(oncall.Act{Do: do}, done, refused, nil, 0, time.UTC).Text, nil
}

// why answers `/oncall why [number]` with the plan of the latest incident that paged the person, and why it
// did.
func (b *Bot) why(ctx context.Context, r request) (string, error) {
	words := slices.DeleteFunc(slices.Clone(r.words), func(w string) bool {
		return slices.Contains([]string{"was", "am", "i", "me", "did", "you", "page", "paged", "is", "it", "paging", "being", "do", "get", "got", "have", "been", "were"}, strings.ToLower(strings.Trim(w, "?!.")))
	})
	if len(words) > 0 {
		if id, known := readIncidentValue(strings.Trim(words[0], "#?")); known {
			return b.showPlan(ctx, r, id)
		}
	}
	if id, err := b.store.IncidentAt(ctx, r.place); err != nil || id != 0 && len(words) == 0 {
		if err != nil {
			return "", err
		}
		return b.showPlan(ctx, r, id)
	}
	open, err := b.store.OpenIncidents(ctx, r.by(), maxOpenLoaded)
	if err != nil {
		return "", err
	}
	if id, _, err := b.store.LastPagedOf(ctx, r.by(), numbersOf(open)); id != 0 || err != nil { // one that was opened anew has a low number
		if err != nil {
			return "", err
		}
		return b.showPlan(ctx, r, id)
	}
	id, paged, err := b.store.LastPaged(ctx, r.by(), r.user.ID)
	if err != nil {
		return "", err
	}
	if !paged {
		return "No incident has paged you yet. `/oncall plan 12` says whom one pages, and why.", nil
	}
	return b.showPlan(ctx, r, id)
}
