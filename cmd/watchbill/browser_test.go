//go:build browser

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/watchbill/watchbill/store/storetest"
)

// TestBrowser clicks Acknowledge on the local Slack's page, as a person would, and checks that the
// message changes.
func TestBrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("no chromium on PATH: install it (Debian: apt-get install chromium)")
	}
	s := newDemo(t, storetest.NewEmpty(t).Config().ConnString(), t.TempDir())
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Flag("disable-quic", true),
		chromedp.WindowSize(1280, 800), chromedp.UserDataDir(t.TempDir()))...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil { // starts the browser, which runs until ctx ends
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	defer cancel()

	s.fire(t, "disk full on db-1", "db-1/disk")
	const message = chromedp.CSS(`[data-action-id="ack"]`)
	run := func(what string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			s.picture(t, ctx, "failed.png")
			t.Fatalf("%s: %v", what, err)
		}
	}
	run("open the page", chromedp.Navigate(s.page+"/?user=U0ANN"), chromedp.WaitVisible(chromedp.CSS(`[data-channel]`)))
	run("see the incident", chromedp.WaitVisible(message))
	s.picture(t, ctx, "triggered.png")
	run("acknowledge", chromedp.Click(message), chromedp.WaitNotPresent(message))
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(`#messages`)))
	if err != nil {
		t.Fatalf("read the message: %v", err)
	}
	s.picture(t, ctx, "acknowledged.png")
	for _, want := range []string{"disk full on db-1", "Acknowledged"} {
		if !strings.Contains(text, want) {
			t.Errorf("the channel does not show %q:\n%s", want, text)
		}
	}
}

// picture saves a screenshot in the directory WATCHBILL_PICTURES, for a person to look at.
func (d *demo) picture(t *testing.T, ctx context.Context, name string) { //nolint:revive // t comes first in tests
	dir := os.Getenv("WATCHBILL_PICTURES")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Log(err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name), png, 0o600); err != nil {
		t.Log(fmt.Errorf("save a picture: %w", err))
	}
}
