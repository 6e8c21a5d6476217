package store_test

import (
	"errors"
	"testing"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/setup"
	"github.com/watchbill/watchbill/store"
)

// A team from the set-up file keeps its name. One made in Slack is renamed, and removed, with everything that belongs to it.
func TestTeamsAreRenamedAndRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	root := oncall.ByCommandLine("root@db-1")
	var refusal oncall.Refusal
	if err := w.RenameTeam(ctx, root, "payments", "cards", start); !errors.As(err, &refusal) {
		t.Errorf("a team of the file: %v, want a refusal", err)
	}
	w.exec(`UPDATE teams SET owner = 'slack'`)
	w.System = w.another()
	if err := w.RenameTeam(ctx, root, "nobody", "cards", start); !errors.Is(err, oncall.ErrNotFound) {
		t.Errorf("no team: %v, want %v", err, oncall.ErrNotFound)
	}
	if err := w.RenameTeam(ctx, oncall.ByUser(cy), "payments", "cards", start); err == nil {
		t.Error("Cy, who is no admin, has renamed a team")
	}
	if err := w.RenameTeam(ctx, root, "payments", "cards", start); err != nil {
		t.Fatal(err)
	}
	doc, err := w.SetupFor(ctx, root, start)
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Teams) != 1 || doc.Teams[0].Name != "cards" || doc.Policies[0].Team != "cards" {
		t.Fatalf("got the teams %+v and the policies %+v, want the team by its new name", doc.Teams, doc.Policies)
	}
	remove := store.SetupEdit{Part: setup.Part{Kind: setup.TeamPart}, Name: "cards", Remove: true, Formats: intake.Names()}
	if _, err := w.EditSetup(ctx, root, remove, start); err == nil {
		t.Error("a team was removed with what needs it left there")
	}
	remove.All = true
	if _, err := w.EditSetup(ctx, root, remove, start); err != nil {
		t.Fatal(err)
	}
	if doc, err = w.SetupFor(ctx, root, start); err != nil || len(doc.Teams)+len(doc.Schedules)+len(doc.Policies)+len(doc.Integrations) != 0 {
		t.Errorf("got %+v, %v, want nothing left of it", doc, err)
	}
}

// Rules are tried on kept payloads exactly as they would be saved, and nothing is saved.
func TestRoutesAreTried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	root := oncall.ByCommandLine("root@db-1")
	owner := oncall.RouteOwner{Integration: w.integration}
	none, err := w.TryRoutes(ctx, root, owner, nil, false, 20)
	if err != nil || len(none) != 0 {
		t.Errorf("nothing came: %v, %v, want nothing", none, err)
	}
	w.run(w.System)
	w.brought(w.integration, `{"title": "disk full", "status": "firing"}`, trigger("disk"))
	w.fold()
	w.until("the payload is kept", func() bool { return w.count(`SELECT count(*) FROM payloads`) == 1 })
	rules := []setup.Route{{Name: "disks", If: []string{"title contains disk"}, Drop: true}}
	for _, shadow := range []bool{false, true} {
		tried, err := w.TryRoutes(ctx, root, owner, rules, shadow, 20)
		if err != nil || len(tried) != 1 {
			t.Fatalf("got %v, %v, want one integration", tried, err)
		}
		p := intake.Preview(ctx, tried[0].Before, tried[0].After, tried[0].Payloads)
		if want := map[bool]int{false: 1, true: 0}[shadow]; p.Tried != 1 || p.Differ != want {
			t.Errorf("in shadow %t: %d of %d would go elsewhere, want %d of 1", shadow, p.Differ, p.Tried, want)
		}
	}
	if n := w.count(`SELECT count(*) FROM route_lists`); n != 0 {
		t.Errorf("%d lists were saved, want none", n)
	}
	if _, err := w.TryRoutes(ctx, oncall.ByUser("U0NOBODY"), owner, rules, false, 20); err == nil {
		t.Error("a stranger may try out a team's routes, want that refused")
	}
}
