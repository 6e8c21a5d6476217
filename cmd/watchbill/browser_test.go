//go:build browser

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowser clicks Acknowledge on the local Slack's page, as a person would, and
// sees the message change.
func TestBrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("no chromium on PATH: install it (Debian: apt-get install chromium)")
	}
	s := newDemo(t)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Flag("disable-quic", true),
		chromedp.WindowSize(1280, 800), chromedp.UserDataDir(t.TempDir()))...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	defer cancel()

	s.fire(t, "disk full on db-1", "db-1/disk")
	const message = `[data-action-id="ack"]`
	run := func(what string, actions ...chromedp.Action) {
		t.Helper()
		if err := chromedp.Run(ctx, actions...); err != nil {
			s.picture(t, ctx, "failed.png")
			t.Fatalf("%s: %v", what, err)
		}
	}
	run("open the page", chromedp.Navigate(s.page), chromedp.WaitVisible(`[data-channel]`))
	run("see the incident", chromedp.WaitVisible(message))
	s.picture(t, ctx, "triggered.png")
	run("acknowledge", chromedp.Click(message), chromedp.WaitNotPresent(message))
	var text string
	run("read the message", chromedp.Text(`#messages`, &text))
	s.picture(t, ctx, "acknowledged.png")
	for _, want := range []string{"disk full on db-1", "Acknowledged"} {
		if !contains(text, want) {
			t.Errorf("the channel does not show %q:\n%s", want, text)
		}
	}
}

// picture saves a screenshot where WATCHBILL_PICTURES says, for a person to look at.
func (s *demo) picture(t *testing.T, ctx context.Context, name string) { //nolint:revive // t comes first in tests
	dir := os.Getenv("WATCHBILL_PICTURES")
	if dir == "" {
		return
	}
	var png []byte
	if err := chromedp.Run(ctx, chromedp.FullScreenshot(&png, 100)); err != nil {
		t.Log(err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name), png, 0o600); err != nil {
		t.Log(fmt.Errorf("save a picture: %w", err))
	}
}
