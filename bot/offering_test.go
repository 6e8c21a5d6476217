package bot

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/bot/view"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store"
)

// These are the readers other than Bo, who belongs to other teams, with their role in the three teams
// that the views show.
const (
	anAdmin     oncall.UserID = "U0ADMIN"
	aManager    oncall.UserID = "U0MANAGER"
	aResponder  oncall.UserID = "U0RESPONDER"
	aMember     oncall.UserID = "U0MEMBER"
	aGuest      oncall.UserID = "U0GUEST"
	pagedMember oncall.UserID = "U0PAGED"
	pagedGuest  oncall.UserID = "U0PAGEDGUEST"
)

var readers = []oncall.UserID{anAdmin, aManager, aResponder, aMember, aGuest, pagedMember, pagedGuest, bo}

// offered is a button, a menu entry, or a choice in a form.
type offered struct {
	action view.Action
	block  view.Block // of a choice; it has no action
	value  string
	meta   string // of the view
}

// An offering is a world with three teams: one whose incidents every full member may act on, one restricted to
// its members, and a private one.
type offering struct {
	*world
	incidents []oncall.IncidentID
}

func newOffering(t *testing.T) *offering {
	t.Helper()
	off := &offering{world: newWorld(t, slacksim.Options{})}
	var doc setup.Setup
	for _, id := range readers {
		if id == bo {
			continue
		}
		name := strings.ToLower(strings.TrimPrefix(string(id), "U0"))
		off.sim.AddUser(slacksim.User{
			ID: string(id), Name: name, RealName: name, Email: name + "@example.com", TZ: "Europe/Berlin",
			Guest: id == aGuest || id == pagedGuest, Owner: id == anAdmin,
		})
		doc.Users = append(doc.Users, setup.User{Name: name, Slack: id, Email: name + "@example.com", TimeZone: "Europe/Berlin"})
	}
	for _, team := range []setup.Team{{Name: "anybody"}, {Name: "closed", Acts: oncall.TeamActs}, {Name: "secret", Private: true}} {
		team.Members, team.Managers = []string{"manager", "responder"}, []string{"manager"}
		doc.Teams = append(doc.Teams, team)
		doc.Schedules = append(doc.Schedules, setup.Schedule{Name: team.Name + " days", Team: team.Name, TimeZone: "Europe/Berlin", Rotations: []setup.Rotation{
			{Name: "weeks", Start: "2026-03-02 09:00", Every: "week", Turns: []setup.Turn{{"manager"}, {"responder"}}},
		}})
		doc.Policies = append(doc.Policies, setup.Policy{Name: team.Name, Team: team.Name, Steps: []setup.Step{{Page: []string{"schedule " + team.Name + " days"}, Wait: "5m"}}})
		doc.Integrations = append(doc.Integrations, setup.Integration{Name: team.Name, Team: team.Name, Format: "generic", Policy: team.Name})
	}
	if _, err := off.store.Apply(off.ctx, doc, store.ApplyOptions{Write: true}, off.now); err != nil {
		t.Fatal(err)
	}
	off.exec(`UPDATE users SET standing = CASE WHEN id = ANY ($1) THEN 'guest' ELSE 'member' END, owner = (id = $2)`, []oncall.UserID{aGuest, pagedGuest}, anAdmin)
	off.exec(`SELECT pg_notify('watchbill_config', '')`)
	off.until("the teams and people are known", func() bool {
		d := off.directory()
		return len(d.Integrations) == 4 && d.Users[anAdmin].Owner && d.Users[aGuest].Standing == oncall.GuestMember
	})
	for _, in := range off.directory().Integrations {
		if err := off.store.Accept(off.ctx, in.ID, []oncall.Signal{{Action: oncall.Trigger, DedupKey: "checkout", Title: "Checkout fails", Severity: oncall.Critical}}, off.now); err != nil {
			t.Fatal(err)
		}
	}
	off.until("the incidents are open", func() bool {
		open, err := off.store.OpenIncidents(off.ctx, oncall.ByTimer(), 10)
		if err != nil {
			t.Fatal(err)
		}
		off.incidents = nil
		for _, in := range open {
			off.incidents = append(off.incidents, in.ID)
		}
		return len(open) == 4
	})
	slices.Sort(off.incidents)
	off.exec(`
		INSERT INTO pages (incident_id, user_id, method, why, key, state, attempt, detail)
		SELECT i.id, u.id, 'slack', '', i.id || u.id, 'waiting', 0, '' FROM incidents i, users u WHERE u.id = ANY ($1)`, []oncall.UserID{pagedMember, pagedGuest})
	return off
}

func (off *offering) exec(query string, args ...any) {
	off.t.Helper()
	if _, err := off.store.Pool().Exec(off.ctx, query, args...); err != nil {
		off.t.Fatal(err)
	}
}

func (off *offering) directory() *store.Directory {
	off.t.Helper()
	d, err := off.store.Directory(off.ctx)
	if err != nil {
		off.t.Fatal(err)
	}
	return d
}

// A readView is a view with one reader.
type readView struct {
	name string
	draw func(oncall.UserID) (any, error)
	meta string
}

// views returns the single-reader views of all three teams.
func (off *offering) views() []readView {
	b := off.bot
	ask := func(draw func(request) (any, error)) func(oncall.UserID) (any, error) {
		return func(user oncall.UserID) (any, error) {
			r, err := b.request(off.ctx, user, nil)
			if err != nil {
				off.t.Fatal(err)
			}
			return draw(r)
		}
	}
	all := []readView{
		{name: "home", draw: func(user oncall.UserID) (any, error) { h, err := b.home(off.ctx, user); return h.Draw(), err }},
		{name: "integrations", draw: ask(func(r request) (any, error) { d, err := b.integrations(off.ctx, r); return d.Blocks, err })},
		{name: "contacts", draw: func(user oncall.UserID) (any, error) { v, err := b.reachView(off.ctx, user); return v.Draw(), err }},
		{name: "contact form", draw: ask(func(r request) (any, error) {
			return view.ContactForm(b.addable(r.directory, r.user.ID), "", ""), nil
		})},
		{name: "override", draw: ask(func(r request) (any, error) {
			return b.overrideModal(r, view.OverrideDraft{Replaces: view.ReplaceAll}, "")
		})},
		{name: "what Bo has", meta: string(bo), draw: ask(func(r request) (any, error) {
			if !r.endsOthers() {
				return nil, nil
			}
			v, err := b.belongings(off.ctx, r, bo, "")
			return v.Draw(), err
		})},
		{name: "new schedule", draw: ask(func(r request) (any, error) {
			teams := slices.DeleteFunc(slices.Clone(r.directory.Teams), func(t oncall.Team) bool { return r.mayEdit(t.ID) != nil })
			if len(teams) == 0 {
				_, err := b.newSchedule(off.ctx, r)
				return nil, err
			}
			return view.NewScheduleForm(teams, ""), nil
		})},
		{name: "cover for the manager", draw: ask(func(r request) (any, error) {
			stints, err := b.coverable(r, aManager)
			return view.CoverForm(aManager, stints, view.ReadStintPart(""), r.location, ""), err
		})},
	}
	all = append(all, readView{name: "set-up", draw: ask(func(r request) (any, error) { v, err := b.setupTeams(off.ctx, r); return v.Draw(), err })})
	for _, name := range []string{"anybody", "closed", "secret"} {
		all = append(all, readView{name: "set-up of " + name, meta: view.SetupMeta{Team: name}.String(), draw: ask(func(r request) (any, error) {
			t, err := b.setupTeam(off.ctx, r, name, "")
			return t.Draw(), err
		})})
	}
	for _, s := range off.directory().Schedules {
		meta := view.EditMeta{Schedule: s.ID()}.String()
		all = append(all, readView{name: "schedule " + s.Name(), meta: meta, draw: func(user oncall.UserID) (any, error) {
			e, err := b.scheduleEdit(off.ctx, user, meta)
			return e.overview(e.schedule, "").Draw(), err
		}})
	}
	for _, id := range off.incidents {
		all = append(all,
			readView{name: "details of " + id.String(), draw: func(user oncall.UserID) (any, error) {
				s, err := b.incidentOverview(off.ctx, id, user)
				return s.Draw(), err
			}},
			readView{name: "incident " + id.String(), draw: func(user oncall.UserID) (any, error) {
				s, err := b.incidentOverview(off.ctx, id, user)
				return s.Answer("").Blocks, err
			}},
			readView{name: "merging " + id.String(), meta: strconv.FormatInt(int64(id), 10), draw: func(user oncall.UserID) (any, error) { return b.formOn(off.ctx, id, user, view.ActionMerge) }})
	}
	return all
}

// offersIn returns what a drawn view offers.
func offersIn(t *testing.T, drawn any, meta string) map[offered]bool {
	t.Helper()
	data, err := json.Marshal(drawn)
	if err != nil {
		t.Fatal(err)
	}
	var parsed any
	if err := json.Unmarshal(data, &parsed); err != nil {
		t.Fatal(err)
	}
	found := map[offered]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, each := range v {
				walk(each)
			}
		case map[string]any:
			id, _ := v["action_id"].(string)
			action, _, _ := strings.Cut(id, "/")
			options, _ := v["options"].([]any)
			switch v["type"] {
			case "button":
				value, _ := v["value"].(string)
				found[offered{action: view.Action(action), value: value, meta: meta}] = true
			case "overflow", "static_select":
				for _, each := range options {
					o := offered{action: view.Action(action), value: each.(map[string]any)["value"].(string), meta: meta}
					if v["type"] == "static_select" {
						o.action, o.block = "", view.Block(action)
					}
					found[o] = true
				}
			}
			for _, each := range v {
				walk(each)
			}
		}
	}
	walk(parsed)
	return found
}

// press presses something; nothing changes if it is refused or opens a form.
func (off *offering) press(user oncall.UserID, o offered) error {
	_, err := off.bot.pressed(off.ctx, o.action, press{user: user, value: o.value, trigger: "1.2.3", view: slack.View{PrivateMetadata: o.meta}})
	return err
}

// may returns whether a person may do what is offered, according to the store and the model.
func (off *offering) may(user oncall.UserID, o offered) error {
	off.t.Helper()
	if o.block != "" {
		return off.mayChoose(user, o)
	}
	by, model := oncall.ByUser(user), off.directory().Access()
	id, _ := readIncidentValue(o.value)
	switch {
	case plainActs[o.action] != "":
		return off.store.CheckRespond(off.ctx, by, off.picture(id).Incident)
	case o.action == view.ActionReview:
		return off.store.CheckRespond(off.ctx, by, off.picture(id).Incident)
	case actForms[o.action] != nil:
		_, err := off.bot.formOn(off.ctx, id, user, o.action)
		return err
	case strings.HasPrefix(o.meta, `{"team"`) && o.action != view.ActionIntegration:
		act := map[view.Action]access.Permission{view.ActionSetupMonitor: access.Integrations, view.ActionSetupMaintenance: access.Maintain}[o.action]
		if act == "" {
			act = access.EditSchedule
		}
		_, err := off.bot.setupEdit(off.ctx, user, o.meta, act)
		return err
	case strings.HasPrefix(o.meta, "{") && o.action != view.ActionIntegration: // of the edit of a schedule
		_, err := off.bot.scheduleEdit(off.ctx, user, o.meta)
		return err
	}
	switch o.action { //nolint:exhaustive // the others are for everybody, or asked about above
	case view.ActionIntegration:
		_, value, _ := strings.Cut(o.value, " ")
		id, _ := strconv.ParseInt(value, 10, 64)
		if _, err := off.store.ManagedIntegration(off.ctx, by, oncall.IntegrationID(id)); err != nil {
			return integrationGone(err)
		}
		return nil
	case view.ActionSetupTeam:
		for _, t := range off.directory().Teams {
			if t.Name == o.value {
				return model.May(by, access.See, access.Object{Team: t.ID})
			}
		}
	case view.ActionHomeFind, view.ActionHomeSetup:
		return model.May(by, access.See, access.Object{})
	case view.ActionSetupOpen:
		words := strings.Fields(o.value)
		id, _ := strconv.ParseInt(words[1], 10, 64)
		act := map[string]access.Permission{view.OpenMaintenance: access.Maintain, view.OpenRoutes: access.EditSchedule}[words[0]]
		return model.May(by, act, access.Object{Team: oncall.TeamID(id)})
	case view.ActionSetupNew:
		return model.May(by, access.OthersThings, access.Object{})
	case view.ActionEnd:
		return model.May(by, access.OthersThings, access.Object{})
	case view.ActionHomeOverride, view.ActionOverrideMore:
		return off.inAny(user, access.Override)
	case view.ActionHomeSchedule:
		return off.inAny(user, access.EditSchedule)
	case view.ActionContactAdd:
		var err error
		for _, method := range off.bot.methods {
			if err = model.May(by, store.PermissionToAdd(method), access.Object{}); err == nil {
				return nil
			}
		}
		return err
	case view.ActionDetails:
		_, err := off.store.Incident(off.ctx, by, id)
		return err
	}
	return model.May(by, access.OwnThings, access.Object{})
}

// inAny returns nil if a person may do something in some team.
func (off *offering) inAny(user oncall.UserID, do access.Permission) error {
	d, err := off.directory(), error(nil)
	for _, team := range d.Teams {
		if err = d.Access().May(oncall.ByUser(user), do, access.Object{Team: team.ID}); err == nil {
			return nil
		}
	}
	return err
}

// mayChoose is may for a choice in a form.
func (off *offering) mayChoose(user oncall.UserID, o offered) error {
	off.t.Helper()
	by, d := oncall.ByUser(user), off.directory()
	model := d.Access()
	number, _, _ := strings.Cut(o.value, "/")
	id, _ := strconv.ParseInt(number, 10, 64)
	var on access.Object
	if s, known := d.Schedule(oncall.ScheduleID(id)); known {
		on.Team = s.TeamID()
	}
	switch o.block { //nolint:exhaustive // the others offer nothing to choose
	case view.BlockOther:
		this, _ := readIncidentValue(o.meta)
		if err := off.store.CheckRespond(off.ctx, by, off.picture(this).Incident); err != nil {
			return err
		}
		return off.store.CheckRespond(off.ctx, by, off.picture(oncall.IncidentID(id)).Incident)
	case view.BlockSchedule:
		return model.May(by, access.Override, on)
	case view.BlockShift: // of the manager's
		if user == aManager {
			return model.May(by, access.OwnThings, access.Object{})
		}
		return model.May(by, access.Override, on)
	case view.BlockTeam:
		return model.May(by, access.EditSchedule, access.Object{Team: oncall.TeamID(id)})
	case view.BlockMethod:
		return model.May(by, store.PermissionToAdd(oncall.Method(o.value)), access.Object{})
	}
	off.t.Fatalf("no rule for choices in %s, want one here", o.block)
	return nil
}
