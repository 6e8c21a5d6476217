package slacksim_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/slacksim"
)

// browser opens the page in a headless Chromium.
func browser(ctx context.Context, t *testing.T, address string) func(what string, action chromedp.Action[chromedp.Void]) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed, so the page can't be tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()))
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	tab, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(tab) // waits for the browser's end
		cancelTab()
		cancelAllocator()
	})
	do := func(what string, action chromedp.Action[chromedp.Void]) {
		t.Helper()
		err := chromedp.Do(tab, action)
		for err != nil && strings.Contains(err.Error(), "Could not find node with given id") && ctx.Err() == nil {
			err = chromedp.Do(tab, action) // the page was redrawn in between
		}
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	do("start the browser", chromedp.EmulateViewport(1280, 800))
	do("open the page", chromedp.Navigate(address))
	return do
}

func TestPageInABrowser(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	_, sim := bench(t, slacksim.Options{})
	api := app(ctx, t, sim, pager(t, ctx, func() *slack.Client { return client(sim) }))
	_, ts, err := api.PostMessageContext(ctx, "C0OPS", slack.MsgOptionText("x", false),
		slack.MsgOptionBlocks(section(`*Database* <@U0ANN> &lt;img src=x onerror="document.title='hit'"&gt;`), button("ack", "Acknowledge"), button("more", "More")))
	if err != nil {
		t.Fatal(err)
	}
	do := browser(ctx, t, sim.URL()+"/?user=U0ANN&channel=C0OPS")
	do("foreign text is text", chromedp.WaitVisible(`article .mention.me`))
	do("no image was made of it", chromedp.WaitNotPresent(`article img`))

	do("type a command", chromedp.SendKeys(`#slash`, "/oncall who payments\n"))
	do("see the answer", chromedp.WaitVisible(`article.ephemeral`))

	do("open the modal", chromedp.Click(`[data-ts="`+ts+`"] [data-action-id="more"]`))
	do("fill it in", chromedp.SendKeys(`#in-why-reason`, "no"))
	do("submit", chromedp.Click(`#modal-submit`))
	do("see the error", chromedp.WaitVisible(`[data-error="why"]`))
	do("write more", chromedp.SendKeys(`#in-why-reason`, " database"))
	do("submit again", chromedp.Click(`#modal-submit`))
	do("the modal is gone", chromedp.WaitNotPresent(`#modal[open]`))

	do("acknowledge", chromedp.Click(`[data-ts="`+ts+`"] [data-action-id="ack"]`))
	do("see the update", chromedp.WaitVisible(`[data-ts="`+ts+`"] .edited`))
	do("the button is gone", chromedp.WaitNotPresent(`[data-action-id="ack"]`))

	do("open the thread", chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-reply="`+ts+`"]').click()`))
	do("reply", chromedp.SendKeys(`#thread-reply`, "on it\n"))
	wait(ctx, t, sim, "the reply", func(s *slacksim.Sim) bool {
		list := s.Messages("#ops")
		return list[len(list)-1].ThreadTS == ts && list[len(list)-1].Text == "on it"
	})
	do("open the home", chromedp.Click(`#open-home`))
	do("see it", chromedp.WaitVisible(`#home .section b`))

	do("become Bo", chromedp.Evaluate[chromedp.Void](`{ const p = document.querySelector('#person'); p.value = 'U0BO'; p.dispatchEvent(new Event('change')); }`))
	do("go to the channel", chromedp.Click(`[data-channel="C0OPS"].item`))
	do("see its messages", chromedp.WaitVisible(`[data-ts="`+ts+`"]`))
	do("Bo sees no answer to Ann", chromedp.WaitNotPresent(`article.ephemeral`))
	do("open the inspector", chromedp.Click(`#panel-toggle`))
	do("see the calls", chromedp.WaitVisible(`#panel-calls .row`))
}
