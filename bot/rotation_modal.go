package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchbill/watchbill/bot/view"

	"github.com/watchbill/watchbill/oncall/schedule"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
)

func readEditMeta(s string) (view.EditMeta, error) {
	var m view.EditMeta
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		return m, oncall.Refuse("This form is from another version of Watchbill. Please open it again.")
	}
	return m, nil
}

// An editing is an edit of a schedule with everything that it needs, checked anew at
// every step.
type editing struct {
	request
	meta     view.EditMeta
	schedule schedule.Definition
	current  []schedule.Rotation // in force now
}

func (b *Bot) editing(ctx context.Context, user oncall.UserID, meta string) (editing, error) {
	m, err := readEditMeta(meta)
	if err != nil {
		return editing{}, err
	}
	r, err := b.request(ctx, user, nil)
	if err != nil {
		return editing{}, err
	}
	e := editing{request: r, meta: m}
	e.schedule, err = b.store.Schedule(ctx, m.Schedule)
	if errors.Is(err, oncall.ErrNotFound) {
		return e, oncall.Refuse("This schedule has been removed.")
	}
	if err != nil {
		return e, fmt.Errorf("load schedule %d: %w", m.Schedule, err)
	}
	e.current = e.schedule.Current(r.now)
	if m.Rotation >= len(e.current) {
		e.meta.Rotation = -1 // only if somebody has changed it: the save will say so
	}
	return e, r.mayEdit(e.schedule.TeamID)
}

// mayEdit refuses people who have no say in a team's schedules.
func (r request) mayEdit(team oncall.TeamID) error {
	if slices.Contains(r.directory.Members[team], r.user.ID) || slices.Contains(r.directory.Admins(team), r.user.ID) {
		return nil
	}
	t, _ := r.directory.Team(team)
	return oncall.Refuse("Only members of the team %q can change its schedules.", view.Foreign(t.Name, view.MaxName))
}

func (e editing) form() view.RotationForm {
	f := view.RotationForm{Meta: e.meta, Schedule: e.schedule, Name: func(u oncall.UserID) string { return nameOf(e.directory, u) }}
	if e.meta.Rotation >= 0 {
		f.Rotation = e.current[e.meta.Rotation]
		if f.Rotation.TimeZone == e.schedule.TimeZone {
			f.Rotation.TimeZone = ""
		}
	}
	return f
}

// rotationMore shows the other inputs, and keeps what was typed.
func (b *Bot) rotationMore(ctx context.Context, p press) (string, error) {
	e, err := b.editing(ctx, p.user, p.view.PrivateMetadata)
	if err != nil {
		return "", err
	}
	f := e.form()
	f.More = true
	return "", b.updateModal(ctx, p.view, f.Draw())
}

// submitRotation shows what an edit would change, and saves it when it was sent again as
// it was shown.
func (b *Bot) submitRotation(ctx context.Context, s submission) (answer, error) {
	e, err := b.editing(ctx, s.user, s.meta())
	if err != nil {
		return answer{}, err
	}
	r, wrong := e.readRotation(s.form)
	for _, id := range s.form.users(view.BlockPeople) {
		u, err := b.user(ctx, id)
		if err != nil {
			return answer{}, err
		}
		if u.DeactivatedAt != nil {
			wrong[view.BlockPeople] = nameOf(e.directory, id) + " is deactivated in Slack and can't be on call."
		}
		r.Turns = append(r.Turns, []oncall.UserID{id})
	}
	if len(r.Turns) == 0 && wrong[view.BlockTurns] == "" {
		wrong[view.BlockTurns] = "Nobody has a turn yet. For nobody on purpose, write nobody."
	}
	at := s.form.instant(view.BlockInForce)
	if !at.IsZero() && at.Before(e.now) {
		wrong[view.BlockInForce] = "This is in the past, which never changes. Leave it empty for at once."
	}
	if len(wrong) > 0 {
		return correct(wrong), nil
	}
	version, err := e.version(r, at)
	if err != nil {
		return answer{}, err
	}
	if digest := s.form.digest(); digest != e.meta.Previewed {
		after, err := e.schedule.Edit(version, e.meta.Seen, e.now)
		if err != nil {
			return answer{}, err
		}
		f := e.form()
		f.Rotation, f.More = r, s.form.has(view.BlockZone)
		f.Meta.Previewed = digest
		if f.Preview, err = e.preview(after, at); err != nil {
			return answer{}, err
		}
		return replace(f.Draw()), nil
	}
	saved, err := b.saveEdit(ctx, e, version)
	if err != nil {
		return answer{}, err
	}
	if err := b.updateBelow(ctx, s.view, e.overview(saved, "Saved.").Draw()); err != nil {
		b.log.Warn().Err(err).Msg("the schedule's form could not be drawn again")
	}
	return answer{}, nil
}

// version is the schedule's rotations with one of them changed.
func (e editing) version(r schedule.Rotation, at time.Time) (schedule.Version, error) {
	v := schedule.Version{Rotations: slices.Clone(e.current), CreatedBy: e.user.ID}
	for i, o := range e.current {
		if i != e.meta.Rotation && strings.EqualFold(o.Name, r.Name) {
			return v, oncall.Refuse("There is a rotation %q already.", view.Foreign(r.Name, view.MaxName))
		}
	}
	if e.meta.Rotation < 0 {
		v.Note = "added " + r.Name
		v.Rotations = append(v.Rotations, r)
	} else {
		was := e.current[e.meta.Rotation]
		v.Note = "changed " + r.Name
		begin := e.now
		if !at.IsZero() {
			begin = at
		}
		asBefore := was
		asBefore.Name, asBefore.Role = r.Name, r.Role // to be known by, whatever it is called now
		kept, err := schedule.KeepTurns([]schedule.Rotation{asBefore}, []schedule.Rotation{r}, e.schedule.TimeZone, begin)
		if err != nil {
			return v, err
		}
		v.Rotations[e.meta.Rotation] = kept[0]
	}
	if !at.IsZero() {
		v.EffectiveFrom = &at
	}
	return v, nil
}

// saveEdit saves a version.
func (b *Bot) saveEdit(ctx context.Context, e editing, v schedule.Version) (schedule.Definition, error) {
	saved, err := b.store.EditSchedule(ctx, e.schedule.ID, v, e.meta.Seen, e.now)
	if err != nil {
		return schedule.Definition{}, fmt.Errorf("save schedule %d: %w", e.schedule.ID, err)
	}
	return saved, nil
}

// readRotation reads the form; what is wrong is said by block.
func (e editing) readRotation(f form) (r schedule.Rotation, wrong mistakes) {
	wrong = mistakes{}
	say := func(block view.Block, err error) {
		if err != nil {
			wrong[block] = sentence(err)
		}
	}
	if e.meta.Rotation >= 0 {
		r = e.current[e.meta.Rotation]
	}
	if r.Name = strings.TrimSpace(f.text(view.BlockName)); r.Name == "" {
		wrong[view.BlockName] = "A rotation needs a name."
	}
	var err error
	r.Turns, err = readTurns(e.directory, f.text(view.BlockTurns), len(f.users(view.BlockPeople)) > 0)
	say(view.BlockTurns, err)
	r.Period, err = schedule.ParsePeriod(f.text(view.BlockPeriod))
	say(view.BlockPeriod, err)
	day, clock, _ := strings.Cut(strings.TrimSpace(f.text(view.BlockStart)), " ")
	r.StartDate, err = schedule.ParseDate(day)
	if err == nil {
		r.HandOff, err = schedule.ParseTimeOfDay(strings.TrimSpace(clock))
	}
	if err != nil {
		wrong[view.BlockStart] = "Write a day and a time such as 2026-03-02 09:00."
	}
	r.Members = slices.DeleteFunc(slices.Clone(r.Members), func(m schedule.Member) bool {
		return !slices.ContainsFunc(r.Turns, func(t []oncall.UserID) bool { return slices.Contains(t, m.User) })
	})
	if f.has(view.BlockZone) {
		e.readMore(f, &r, wrong)
	}
	return r, wrong
}

// readMore reads the inputs that are not always shown.
func (e editing) readMore(f form, r *schedule.Rotation, wrong mistakes) {
	var err error
	if r.Windows, err = schedule.ParseWindows(f.text(view.BlockWindows)); err != nil {
		wrong[view.BlockWindows] = sentence(err)
	}
	r.Role = strings.ToLower(strings.TrimSpace(f.text(view.BlockRole)))
	r.TimeZone = strings.TrimSpace(f.text(view.BlockZone))
	if r.TimeZone != "" {
		if _, err := schedule.LoadZone(r.TimeZone); err != nil {
			wrong[view.BlockZone] = fmt.Sprintf("%q is no time zone such as Europe/Berlin.", r.TimeZone)
		}
	}
	if r.Priority, err = strconv.Atoi(strings.TrimSpace(f.text(view.BlockPriority))); err != nil || r.Priority < -1000 || r.Priority > 1000 {
		wrong[view.BlockPriority] = "The priority is a whole number, such as 0 or 10."
	}
	r.Advance = schedule.Advance(f.choice(view.BlockAdvance))
	if r.Advance == schedule.AdvanceCalendar {
		r.Advance = ""
	}
	r.Until = nil
	if until := f.instant(view.BlockUntil); !until.IsZero() {
		r.Until = &until
	}
}

// sentence makes one of what the rules say is wrong.
func sentence(err error) string {
	text := strings.TrimSuffix(err.Error(), ".")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// has reports whether a view shows an input.
func (f form) has(block view.Block) bool { return len(f[string(block)]) > 0 }

// users are the people chosen.
func (f form) users(block view.Block) []oncall.UserID {
	var users []oncall.UserID
	for _, u := range f.input(block).SelectedUsers {
		users = append(users, oncall.UserID(u))
	}
	return users
}

// digest tells whether a form holds the same as before.
func (f form) digest() string {
	held := map[string][]string{}
	for block := range f {
		in := f.input(view.Block(block))
		held[block] = append([]string{in.Value, in.SelectedOption.Value, in.SelectedUser, strconv.FormatInt(in.SelectedDateTime, 10)}, in.SelectedUsers...)
	}
	data, _ := json.Marshal(held) // strings only, in the order of the keys
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// nameOf is how a person is written in a form: by name, or by id if others are called
// the same.
func nameOf(d *store.Directory, id oncall.UserID) string {
	u := d.Users[id]
	if found := peopleCalled(d, u.Name); u.Name == "" || len(found) != 1 || strings.ContainsAny(u.Name, "+\n") {
		return string(id)
	}
	return u.Name
}

// peopleCalled finds people who are called the same.
func peopleCalled(d *store.Directory, name string) []oncall.UserID {
	var found []oncall.UserID
	for id, u := range d.Users {
		if strings.EqualFold(u.Name, name) || string(id) == name {
			found = append(found, id)
		}
	}
	return found
}

// readTurns reads turns, one a line or between semicolons.
func readTurns(d *store.Directory, text string, mayBeEmpty bool) ([][]oncall.UserID, error) {
	turns := [][]oncall.UserID{}
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if strings.EqualFold(line, view.Nobody) {
			turns = append(turns, []oncall.UserID{})
			continue
		}
		var turn []oncall.UserID
		for word := range strings.SplitSeq(line, "+") {
			u, err := readPerson(d, strings.TrimPrefix(strings.TrimSpace(word), "@"))
			if err != nil {
				return nil, err
			}
			turn = append(turn, u)
		}
		turns = append(turns, turn)
	}
	if len(turns) == 0 && !mayBeEmpty {
		return nil, oncall.Refuse("Nobody has a turn yet. For nobody on purpose, write nobody.")
	}
	return turns, nil
}

func readPerson(d *store.Directory, name string) (oncall.UserID, error) {
	found := peopleCalled(d, name)
	switch {
	case len(found) == 0:
		var names []string
		for _, u := range d.Users {
			names = append(names, u.Name)
		}
		slices.Sort(names)
		guess := ""
		if n := nearest(name, names); n != "" {
			guess = fmt.Sprintf(" Did you mean %s?", n)
		}
		return "", oncall.Refuse("Watchbill knows nobody called %q.%s People who are new to it are added below.", view.CutPlain(name, view.MaxName), guess)
	case len(found) > 1:
		slices.Sort(found)
		return "", oncall.Refuse("Several people are called %q: write %s or %s.", view.CutPlain(name, view.MaxName), found[0], found[1])
	case d.Users[found[0]].DeactivatedAt != nil:
		return "", oncall.Refuse("%s is deactivated in Slack and can't be on call.", d.Users[found[0]].Name)
	}
	return found[0], nil
}
