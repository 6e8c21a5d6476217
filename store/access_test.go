package store_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// withoutActor are the exported methods of Store that take no actor, and why.
var withoutActor = map[string]string{
	"Answer":         "the address or the token that it came from says who",
	"SwitchContacts": "so here: STOP counts from whoever has the phone",
	"ProveContact":   "the code says whose contact method it is",
	"ReadToken":      "the token says who",
	"APIKeyBy":       "the key says who",
	"ServiceKey":     "the token, which was checked, says who",
	"SignInLinkUser": "the link says who",
	"SignInByLink":   "so here",
	"SignInByMail":   "the identity provider says who",
	"SessionBy":      "the browser shows who",
	"StatusPosts":    "what was written for everybody",
	"TokenIsKnown":   "it asks about a token, and tells nothing of what it is for",
	"Bundle":         "the key of a message that is being sent",
	"Roots":          "where messages are that Slack shows or hides by itself",
	"IncidentAt":     "which incident a channel or thread of Slack's is about, for whom Slack shows it; what it is, is asked with the actor",
	"Pressed":        "it notes in Slack's stead which message was pressed",
	"PressedDrawn":   "so here",
	"NoticeDrawn":    "so here: where a message is",
	"RememberEvent":  "whether Slack has delivered something before",
	"SaveUser":       "what Slack says of people",
	"SaveStanding":   "so here",
	"SaveChannels":   "what Slack says of channels",
	"ChannelRenamed": "so here",
	"ChannelMoved":   "so here",
	"ChannelClosed":  "so here",
	"ChannelOpened":  "so here",
	"Workspace":      "what Slack says of the workspace",
	"SaveWorkspace":  "so here",
}

// Every method of Store takes the actor and checks their permissions.
func TestEveryMethodForPeopleTakesTheActor(t *testing.T) {
	t.Parallel()
	_, parsed := sources(t)
	met := map[string]bool{}
	for _, file := range parsed {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !f.Name.IsExported() || receiver(f) != "Store" {
				continue
			}
			met[f.Name.Name] = true
			_, excepted := withoutActor[f.Name.Name]
			switch takes := takesActor(f); {
			case !takes && !excepted:
				t.Errorf("%s takes no actor: ask whether they may, or say here why not", f.Name.Name)
			case takes && excepted:
				t.Errorf("%s takes an actor, and needs no exception", f.Name.Name)
			}
		}
	}
	for name := range withoutActor {
		if !met[name] {
			t.Errorf("there is no method %s", name)
		}
	}
	if len(met) < 60 {
		t.Errorf("found %d methods, want at least 60", len(met))
	}
}

func receiver(f *ast.FuncDecl) string {
	star, ok := f.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return ""
	}
	name, _ := star.X.(*ast.Ident)
	return name.Name
}

func takesActor(f *ast.FuncDecl) bool {
	for _, p := range f.Type.Params.List {
		kind, ok := p.Type.(*ast.SelectorExpr)
		if ok && kind.Sel.Name == "Actor" && strings.EqualFold(p.Names[0].Name, "by") {
			return true
		}
	}
	return false
}

// No way of editing puts people on call who can't be; people who are in the schedule already stay.
func TestUnpageablePeopleCannotBeScheduled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const eve, gil, una oncall.UserID = "U0EVE", "U0GIL", "U0UNA"
	for id, standing := range map[oncall.UserID]oncall.Standing{eve: oncall.Stranger, gil: oncall.GuestMember, una: oncall.UnknownStanding} {
		w.person(oncall.User{ID: id, Standing: standing})
	}
	s := w.stored("primary")
	edit := func(users ...oncall.UserID) error {
		was := w.stored("primary")
		r := slices.Clone(was.Current(start))
		r[0].Turns = nil
		for _, u := range users {
			r[0].Turns = append(r[0].Turns, []oncall.UserID{u})
		}
		_, err := w.EditSchedule(t.Context(), oncall.ByUser(ann), s.ID, schedule.Version{Rotations: r}, was.Latest(), start)
		return err
	}
	shift := func(user oncall.UserID) error {
		_, err := w.AddShift(t.Context(), oncall.ByUser(ann), s.ID, schedule.ManualShift{
			Start: start.Add(time.Hour), End: start.Add(2 * time.Hour), Users: []oncall.UserID{user},
		}, start)
		return err
	}
	const why = " is of another organisation and can't be paged."
	isRefused(t, edit(ann, eve), "U0EVE"+why)
	isRefused(t, shift(eve), "U0EVE"+why)
	isRefused(t, edit(ann, gil), "U0GIL is a guest whom no team names, and can't be paged.")
	isRefused(t, shift(gil), "U0GIL is a guest whom no team names, and can't be paged.")
	if err := edit(ann, una); err == nil {
		t.Error("somebody whose standing Slack has not told was let in")
	}

	w.exec(`UPDATE users SET standing = 'member' WHERE id = ANY ($1)`, []oncall.UserID{eve, una})
	for _, turns := range [][]oncall.UserID{{ann, eve, una}, {ann, eve}} { // eve stands in it, una did
		if err := edit(turns...); err != nil {
			t.Fatal(err)
		}
	}
	w.exec(`UPDATE users SET standing = CASE id WHEN 'U0EVE' THEN 'stranger' ELSE '' END WHERE id = ANY ($1)`, []oncall.UserID{eve, una})
	if err := edit(ann, bo, eve); err != nil {
		t.Errorf("somebody who stands in it is in the way of edits: %v", err)
	}
	versions := w.stored("primary").Versions
	with := versions[len(versions)-3].ID
	restore := func() error {
		_, err := w.RestoreVersion(t.Context(), oncall.ByUser(ann), s.ID, with, w.stored("primary").Latest(), start)
		return err
	}
	if err := restore(); err != nil {
		t.Errorf("somebody of whom Slack has not told can't come back: %v", err)
	}
	if err := edit(ann, bo); err != nil {
		t.Fatal(err)
	}
	isRefused(t, restore(), "U0EVE"+why)
}

// An address stands for everybody who has it and may do something.
func TestAdminsByAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := store.Open(t.Context(), w.url, store.Options{
		MaxConns: 4, Secrets: storetest.Secrets(), Log: zerolog.Nop(), Admins: []string{"Boss@example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for id, standing := range map[oncall.UserID]oncall.Standing{"U0A": oncall.Stranger, "U0B": oncall.FullMember, "U0C": oncall.FullMember, "U0D": oncall.Stranger} {
		w.person(oncall.User{ID: id, Email: "boss@example.com", Standing: standing})
	}
	w.exec(`UPDATE users SET deactivated_at = $1 WHERE id = 'U0C'`, start)
	admins := must[*store.Directory](t)(s.Directory(t.Context())).Access().Admins
	if diff := cmp.Diff([]oncall.UserID{"Boss@example.com", "U0B"}, admins); diff != "" {
		t.Errorf("admins (-want +got):\n%s", diff)
	}
}

// Members of the user group that manages a team are told and paged like managers named one by one.
func TestManagersByGroupAreNotifiedAndPaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE teams SET managed_by = 'leads'`)
	w.exec(`INSERT INTO slack_groups (handle, users) VALUES ('leads', '{U0BO}')`)
	dir := must[*store.Directory](t)(w.Directory(t.Context()))
	team := dir.Teams[0].ID
	if diff := cmp.Diff([]string{"U0BO"}, dir.Watchers(team)); diff != "" {
		t.Errorf("watchers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]oncall.UserID{bo}, dir.Roster().Teams[team].Managers); diff != "" {
		t.Errorf("whom a step for admins pages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]oncall.UserID{bo}, dir.Managers(team)); diff != "" {
		t.Errorf("admins (-want +got):\n%s", diff)
	}
}
