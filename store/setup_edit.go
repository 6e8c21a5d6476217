package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/audit"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/oncall/setup"
)

// SetupFor returns the parts of the set-up document that the actor may see. URLs of webhooks are secret, so they are
// complete only for actors who may change them.
func (s *Store) SetupFor(ctx context.Context, by oncall.Actor, now time.Time) (setup.Setup, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return setup.Setup{}, err
	}
	if err := g.may(access.See, access.Object{}); err != nil {
		return setup.Setup{}, err
	}
	var in setup.Installation
	err = s.transact(ctx, func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(ctx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`); err != nil {
			return err
		}
		in, err = installation(ctx, tx, now)
		return err
	})
	if err != nil {
		return setup.Setup{}, wrap(err, "load the set-up")
	}
	return g.shown(in.Setup(now)), nil
}

// ErrStale says that the thing to edit has changed since it was read.
var ErrStale = errors.New("it has changed since it was read")

// A SetupEdit changes one thing of the set-up.
type SetupEdit struct {
	Part    setup.Part // its new content; to remove it, only the kind
	Name    string     // its current name
	Remove  bool
	All     bool   // of a team that is removed: with all that is its
	New     bool   // fail if the name exists
	IfMatch string // fail if this isn't its ETag; empty: don't check
	Dry     bool   // only say what it would change; nor is anything of the edits made with it
	Formats []oncall.Format
}

// An EditedSetup is the result of an edit.
type EditedSetup struct {
	Part   setup.Part
	Made   bool // the thing is new
	ByFile bool // the team is managed by the set-up file, so the next apply undoes the edit
	Report ApplyReport
}

// EditSetup changes one thing of the set-up in one transaction, with the code that applies whole documents. The error is
// oncall.ErrNotFound for a thing that the actor may not see. A refusal doesn't name hidden things that the edit would
// break.
func (s *Store) EditSetup(ctx context.Context, by oncall.Actor, e SetupEdit, now time.Time) (EditedSetup, error) {
	all, err := s.EditSetups(ctx, by, []SetupEdit{e}, now)
	if err != nil {
		return EditedSetup{}, err
	}
	return all[0], nil
}

// EditSetups makes several edits as EditSetup makes one: all of them or none, each with those before it done.
func (s *Store) EditSetups(ctx context.Context, by oncall.Actor, edits []SetupEdit, now time.Time) ([]EditedSetup, error) {
	g, err := s.gate(ctx, by)
	if err != nil {
		return nil, err
	}
	var all []EditedSetup
	err = s.transact(ctx, func(tx pgx.Tx) error {
		all = nil
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, applyLock); err != nil {
			return err
		}
		in, err := installation(ctx, tx, now)
		if err != nil {
			return err
		}
		for _, e := range edits {
			var done EditedSetup
			if done, in, err = s.editSetup(ctx, tx, g, e, in, now); err != nil {
				return err
			}
			all = append(all, done)
		}
		if slices.ContainsFunc(edits, func(e SetupEdit) bool { return e.Dry }) {
			return errDryRun
		}
		return announce(ctx, tx)
	})
	if errors.Is(err, errDryRun) {
		for i := range all {
			all[i].Report.Keys = nil // there are none
		}
		return all, nil
	}
	if err != nil {
		return nil, wrap(err, "edit the set-up")
	}
	s.cache.drop()
	return all, nil
}

// editSetup makes one edit of what is there, and returns what is there afterwards.
func (s *Store) editSetup(ctx context.Context, tx pgx.Tx, g gate, edit SetupEdit, in setup.Installation, now time.Time) (out EditedSetup, after setup.Installation, err error) {
	if !edit.Remove && edit.Part.Kind != setup.UserPart && edit.Part.Name() != edit.Name {
		return out, in, oncall.Refuse("The name in the body is %q, and %q in the address; a thing keeps its name.", edit.Part.Name(), edit.Name)
	}
	applying := newApplier(ApplyOptions{By: g.by, Write: true, Prune: edit.Remove}, now)
	applying.only, applying.byHand, applying.tx, applying.before = string(edit.Part.Kind), true, tx, in
	doc := in.Everybody(in.Setup(now))
	before, known := doc.Find(edit.Part.Kind, edit.Name)
	if err := g.mayEdit(edit, before, known, in); err != nil {
		return out, in, err
	}
	next := doc.Without(edit.Part.Kind, edit.Name)
	switch {
	case !edit.Remove:
		next = doc.Put(edit.Part.InNames(doc))
	case edit.All && edit.Part.Kind == setup.TeamPart:
		applying.only = "" // the document holds all that there is, so only what is the team's is removed
		next, _ = doc.WithoutTeam(edit.Name)
	}
	if err := g.checkEdit(doc, next, edit.Formats); err != nil {
		return out, in, err
	}
	if err := s.applyAll(ctx, applying, next); err != nil {
		return out, in, err
	}
	if edit.Dry {
		if err := applying.lookBack(ctx, s, ApplyOptions{Write: true}); err != nil {
			return out, in, err
		}
	}
	if len(applying.report.Changes) > 0 {
		if err := applying.record(ctx, g.by); err != nil {
			return out, in, err
		}
		if err := s.queueJobs(ctx, applying, next); err != nil {
			return out, in, err
		}
	}
	if in, err = installation(ctx, tx, now); err != nil {
		return out, in, err
	}
	out = EditedSetup{Made: !known, Report: applying.report}
	if out.Part, known = in.Setup(now).Find(edit.Part.Kind, edit.Name); known {
		out.ByFile = slices.ContainsFunc(in.Teams, func(t setup.StaffedTeam) bool {
			return t.Name == out.Part.TeamName() && t.Owner != oncall.OwnerSlack
		})
	}
	return out, in, nil
}

// mayEdit checks whether the actor may make an edit. The current and the new team of the thing must both allow it.
func (g gate) mayEdit(edit SetupEdit, before setup.Part, known bool, in setup.Installation) error {
	kind := edit.Part.Kind
	if kind == setup.UserPart {
		return g.may(access.OthersThings, access.Object{})
	}
	teamOf := func(name string) oncall.TeamID {
		for _, t := range in.Teams {
			if t.Name == name {
				return t.ID
			}
		}
		return 0
	}
	if known && kind != setup.UserGroupPart && g.may(access.See, access.Object{Team: teamOf(before.TeamName())}) != nil {
		return oncall.ErrNotFound
	}
	switch {
	case !known && edit.Remove, !known && edit.IfMatch != "":
		return oncall.ErrNotFound
	case known && edit.New, edit.IfMatch != "" && edit.IfMatch != before.ETag():
		return ErrStale
	case kind == setup.TeamPart && (!known || edit.Remove):
		return g.may(access.OthersThings, access.Object{})
	case kind == setup.UserGroupPart:
		return g.mayEditGroup(edit, before, known, in)
	}
	act := access.EditSchedule
	if kind == setup.IntegrationPart {
		act = access.Integrations
	}
	if known {
		if err := g.may(act, access.Object{Team: teamOf(before.TeamName())}); err != nil {
			return err
		}
	}
	if edit.Remove || known && edit.Part.TeamName() == before.TeamName() {
		return nil
	}
	to := teamOf(edit.Part.TeamName())
	if to == 0 || g.dir.access.May(g.by, access.See, access.Object{Team: to}) != nil {
		return oncall.Refuse("There is no team %q, or it is not yours to see.", edit.Part.TeamName())
	}
	return g.may(act, access.Object{Team: to})
}

// mayEditGroup checks whether the actor may change which schedules a user group follows: all of them must be of teams
// that they manage, before and after.
func (g gate) mayEditGroup(e SetupEdit, before setup.Part, known bool, in setup.Installation) error {
	var names []string
	if known {
		names = append(names, before.UserGroup.Schedules...)
	}
	if !e.Remove {
		names = append(names, e.Part.UserGroup.Schedules...)
	}
	for _, name := range names {
		i := slices.IndexFunc(in.Schedules, func(s schedule.Definition) bool { return s.Name == name })
		if i < 0 || g.dir.access.May(g.by, access.See, access.Object{Team: in.Schedules[i].TeamID}) != nil {
			return oncall.Refuse("There is no schedule %q, or it is not yours to see.", name)
		}
		if err := g.may(access.EditSchedule, access.Object{Team: in.Schedules[i].TeamID}); err != nil {
			return err
		}
	}
	return nil
}

// checkEdit returns the problems that an edit causes, in the words of the document's own check and only for things that
// the actor sees.
func (g gate) checkEdit(before, after setup.Setup, formats []oncall.Format) error {
	var wrong []string
	fresh := func(was, is setup.Setup) (all []string) {
		old := was.Check(formats)
		for _, problem := range is.Check(formats) {
			if !slices.Contains(old, problem) {
				all = append(all, problem)
			}
		}
		return all
	}
	if wrong = fresh(g.keepVisible(before), g.keepVisible(after)); len(wrong) > 0 {
		return SetupProblems(wrong)
	}
	if len(fresh(before, after)) > 0 {
		return oncall.Refuse("Something that is not yours to see has this name, or needs what you change; nothing was changed.")
	}
	return nil
}

// SetupProblems lists the problems of an edit, each in one sentence.
type SetupProblems []string

func (p SetupProblems) Error() string { return strings.Join(p, "; ") }

// keepVisible keeps the parts of a document that belong to new teams or to teams that the actor sees.
func (g gate) keepVisible(doc setup.Setup) setup.Setup {
	hidden := map[string]bool{}
	for _, id := range g.dir.hidden(g.by) {
		hidden[g.dir.teams[id].Name] = true
	}
	doc.Teams = filterOut(doc.Teams, func(t setup.Team) bool { return hidden[t.Name] })
	doc.Schedules = filterOut(doc.Schedules, func(s setup.Schedule) bool { return hidden[s.Team] })
	doc.Policies = filterOut(doc.Policies, func(p setup.Policy) bool { return hidden[p.Team] })
	doc.Integrations = filterOut(doc.Integrations, func(i setup.Integration) bool { return hidden[i.Team] })
	doc.Maintenance = filterOut(doc.Maintenance, func(m setup.Maintenance) bool { return hidden[m.Team] })
	return doc
}

func filterOut[T any](all []T, is func(T) bool) []T { return slices.DeleteFunc(slices.Clone(all), is) }

// shown keeps the parts of a document that the actor may see.
func (g gate) shown(doc setup.Setup) setup.Setup {
	edits := map[string]bool{}
	for _, t := range g.dir.Teams {
		edits[t.Name] = g.dir.access.May(g.by, access.EditSchedule, access.Object{Team: t.ID}) == nil
	}
	out := g.keepVisible(doc)
	for _, p := range out.Policies {
		if edits[p.Team] {
			continue
		}
		for _, step := range p.Steps {
			for i, target := range step.Page {
				step.Page[i] = audit.MaskedTarget(target)
			}
		}
	}
	return out
}
