//go:build browser

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// axeFile is axe-core, which `make test-browser` installs.
const axeFile = "../../conformance/axe/node_modules/axe-core/axe.min.js"

// TestBrowserPages opens every page on a phone and a desktop, in light and dark: axe-core finds no
// barrier, nothing is wider than the screen, and pressing Acknowledge works.
func TestBrowserPages(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("no chromium on PATH: install it (Debian: apt-get install chromium)")
	}
	axe, err := os.ReadFile(axeFile)
	if err != nil {
		t.Fatalf("%v: npm ci --prefix conformance/axe", err)
	}
	url := storetest.NewEmpty(t).Config().ConnString()
	s := newDemo(t, url, t.TempDir())
	// Over plain http with a host name, as inside a company, browsers reveal less about where a
	// form comes from than on localhost.
	pages := strings.Replace(s.signals[:strings.Index(s.signals, "/v1/")], "127.0.0.1", "watchbill.internal", 1)
	s.furnish(t, url)

	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("host-resolver-rules", "MAP watchbill.internal 127.0.0.1"))...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil { // starts the browser, which runs until ctx ends
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	run := func(what string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			s.picture(t, ctx, "failed.png")
			t.Fatalf("%s: %v", what, err)
		}
	}
	look := func(name, path, theme string, width int64) {
		t.Helper()
		run(path, chromedp.EmulateViewport(width, 900), inTheme(theme), chromedp.Navigate(pages+path), chromedp.WaitReady(chromedp.CSS(`main h1`)))
		s.picturesOf(t, ctx, fmt.Sprintf("%s-%d-%s.png", name, width, theme))
		wide, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`))
		if err != nil || wide > 0 {
			t.Errorf("%s at %d px is %d px too wide, %v, want 0", path, width, wide, err)
		}
		run("load axe", chromedp.Evaluate[chromedp.Void](string(axe)+"; undefined"))
		found, err := chromedp.Run(ctx, chromedp.Evaluate[string](
			`axe.run().then(r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, help: v.help, at: v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' ' + (n.failureSummary || '').slice(0, 300))}))))`,
			chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatalf("axe on %s: %v", path, err)
		}
		var violations []struct {
			ID, Impact, Help string
			At               []string
		}
		if err := json.Unmarshal([]byte(found), &violations); err != nil {
			t.Fatal(err)
		}
		for _, v := range violations {
			t.Errorf("%s at %d px, %s, breaks a rule of axe-core: %s (%s): %s\n%s", path, width, theme, v.ID, v.Impact, v.Help, strings.Join(v.At, "\n"))
		}
	}
	for _, p := range []struct{ name, path string }{
		{"home", "/"},
		{"found", "/?q=platform"},
		{"team", "/teams/payments"},
		{"team4", "/teams/payments?weeks=4"},
		{"incidents", "/incidents?state=all"},
		{"incident", "/incidents/1"},
		{"reports", "/reports?team=payments&period=30+days"},
		{"mine", "/reports?team=me"},
		{"integrations", "/integrations"},
		{"integration", "/integrations/demo"},
		{"audit", "/audit"},
		{"page", "/page"},
		{"status", "/status"},
		{"nothing", "/nothing"},
	} {
		look(p.name, p.path, "light", 1400)
		look(p.name, p.path, "dark", 390)
	}
	look("home", "/", "dark", 1400)
	look("home", "/", "light", 390)
	look("team", "/teams/payments", "dark", 1400)

	run("acknowledge", chromedp.EmulateViewport(390, 800), chromedp.Navigate(pages+"/incidents/1"), chromedp.Click(chromedp.CSS(`button[value="acknowledge"]`)),
		chromedp.WaitVisible(chromedp.CSS(`.said[role="status"]`)), chromedp.WaitVisible(chromedp.CSS(`.state.acknowledged`)))
	run("become Bo", chromedp.SetValue(chromedp.CSS(`#demo-user`), "U0BO"), chromedp.Click(chromedp.CSS(`.me button`)), chromedp.WaitReady(chromedp.CSS(`option[value="U0BO"][selected]`)))
}

// inTheme makes the device prefer light or dark.
func inTheme(theme string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
		})
		return chromedp.Void{}, err
	}
}

// furnish gives the pages something to show: incidents, an override, a gap.
func (d *demo) furnish(t *testing.T, url string) {
	t.Helper()
	d.fire(t, "disk full on db-1: /var/lib/postgresql is at 97 %, and grows by 2 GB an hour", "db-1/disk")
	d.fire(t, "checkout answers 5xx", "checkout/5xx")
	db, err := store.Open(t.Context(), url, store.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	storetest.Until(t, 30*time.Second, "two incidents", func() bool {
		open, err := db.OpenIncidents(t.Context(), oncall.ByTimer(), 10)
		return err == nil && len(open) == 2
	})
	dir, err := db.Directory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i, o := range []schedule.Override{
		{Kind: schedule.OverrideCover, Start: now.Add(30 * time.Hour), End: now.Add(54 * time.Hour), Users: []oncall.UserID{"U0DI"}, Reason: "a wedding"},
		{Kind: schedule.OverrideRemove, Start: now.Add(90 * time.Hour), End: now.Add(110 * time.Hour), Users: []oncall.UserID{"U0ANN", "U0BO", "U0CY", "U0DI"}},
	} {
		if _, err := db.AddOverride(t.Context(), oncall.ByUser("U0ANN"), dir.Schedules[0].ID(), o, now); err != nil {
			t.Fatalf("override %d: %v", i, err)
		}
	}
}

// picturesOf saves a screenshot of the whole page in the directory WATCHBILL_PICTURES, for a person to look at.
func (d *demo) picturesOf(t *testing.T, ctx context.Context, name string) { //nolint:revive // t comes first in tests
	dir := os.Getenv("WATCHBILL_PICTURES")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(dir+"/"+name, png, 0o600)
	}
	if err != nil {
		t.Log(err)
	}
}
