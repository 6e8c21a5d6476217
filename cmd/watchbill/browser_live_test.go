//go:build browser

package main

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// TestBrowserKeepsUp leaves an incident's page open while others act. The page shows what they do without a reload,
// doesn't disturb somebody who is typing, and says so when it can't keep up.
func TestBrowserKeepsUp(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("no chromium on PATH: install it (Debian: apt-get install chromium)")
	}
	url := storetest.NewEmpty(t).Config().ConnString()
	s := newDemo(t, url, t.TempDir())
	pages := s.signals[:strings.Index(s.signals, "/v1/")]
	s.furnish(t, url)
	db, err := store.Open(t.Context(), url, store.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.UserDataDir(t.TempDir()))...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil { // starts the browser, which runs until ctx ends
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	run := func(what string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			s.picture(t, ctx, "failed.png")
			t.Fatalf("%s: %v", what, err)
		}
	}
	script := func(text string) chromedp.Action[chromedp.Void] {
		return chromedp.Evaluate[chromedp.Void](text + "; undefined")
	}
	const looked = `document.dispatchEvent(new Event('visibilitychange'))` // as when somebody comes back to the tab, and each half a minute
	act := func(do oncall.ActKind) {
		t.Helper()
		if _, err := db.Act(t.Context(), 1, oncall.ByUser("U0BO"), oncall.Act{Do: do}, time.Now()); err != nil {
			t.Fatalf("%s: %v", do, err)
		}
	}
	run("open the incident", chromedp.Navigate(pages+"/incidents/1"), chromedp.WaitVisible(chromedp.CSS(`.state.triggered`)), script(`window.stays = 1`))
	act(oncall.ActAck)
	run("see that Bo has it", script(looked), chromedp.WaitVisible(chromedp.CSS(`.state.acknowledged`)))

	run("type", chromedp.SetValue(chromedp.CSS(`main textarea`), "on it, one mo"))
	act(oncall.ActResolve)
	run("look while typing", script(looked), script(`window.asked = 0; const ask = window.fetch; window.fetch = (...a) => { window.asked++; return ask(...a) }`), script(looked))
	typed, err := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify([window.asked, document.querySelector('main textarea').value, document.querySelectorAll('.state.acknowledged').length > 0])`))
	if err != nil || typed != `[0,"on it, one mo",true]` {
		t.Errorf(`whoever types is disturbed: %s, %v, want "[0,\"on it, one mo\",true]"`, typed, err)
	}
	run("stop typing", script(`document.querySelector('main textarea').value = ''; document.activeElement.blur()`), script(looked),
		chromedp.WaitVisible(chromedp.CSS(`.state.resolved`)))
	run("lose the network", script(`window.back = window.fetch; window.fetch = () => Promise.reject(new Error('away'))`), script(looked),
		chromedp.WaitReady(chromedp.CSS(`body.stale`)))
	run("have it again", script(`window.fetch = window.back`), script(looked), chromedp.WaitReady(chromedp.CSS(`body:not(.stale)`)))
	if stays, err := chromedp.Run(ctx, chromedp.Evaluate[int](`window.stays`)); err != nil || stays != 1 {
		t.Errorf("the page was loaded anew: %d, %v, want 1", stays, err)
	}
}
