//go:build browser

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/schedule"
	"github.com/watchbill/watchbill/store"
	"github.com/watchbill/watchbill/store/storetest"
)

// tourPictures is where docs/tour.md has its pictures, which -update takes anew.
const tourPictures = "../../docs/tour"

// The size of the page, in pixels.
const tourWidth, tourHeight = 650, 560

// A tour is a browser on the local Slack's page, which people use one after the other.
type tour struct {
	*testing.T
	ctx      context.Context //nolint:containedctx // the browser's
	page     string
	payments string // the id of the channel
	act      int    // its number
	taps     int    // in this act

	primary, next, second, owner oncall.UserID // who is on call, who has the next shift, who is paged second, who may set up teams
}

// TestBrowserTour does the fifteen acts of docs/tour.md as people do them: by pointing at what they see and by typing.
func TestBrowserTour(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("no chromium on PATH: install it (Debian: apt-get install chromium)")
	}
	url := storetest.NewEmpty(t).Config().ConnString()
	s := newDemo(t, url, t.TempDir())
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.UserDataDir(t.TempDir()))...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil { // starts the browser, which runs until ctx ends
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	b := &tour{T: t, ctx: ctx, page: s.page}
	b.meet(url)

	for _, act := range []struct {
		name string
		do   func(*tour)
	}{
		{"who", (*tour).who},
		{"page", func(b *tour) {
			s.fire(b.T, "Checkout answers 5xx", "checkout/5xx")
			b.paged()
		}},
		{"acknowledge", (*tour).acknowledge},
		{"details", (*tour).details},
		{"note", (*tour).note},
		{"snooze", (*tour).snooze},
		{"escalate", func(b *tour) {
			s.fire(b.T, "Refunds are stuck", "refunds/stuck")
			b.escalate()
		}},
		{"resolve", (*tour).resolve},
		{"page-somebody", (*tour).pageSomebody},
		{"home", (*tour).home},
		{"swap", (*tour).swap},
		{"override", (*tour).override},
		{"away", (*tour).away},
		{"report", (*tour).report},
		{"setup", (*tour).setUp},
	} {
		b.act++
		t.Run(act.name, func(t *testing.T) {
			one := *b
			one.T = t
			act.do(&one)
		})
	}
}

// meet looks up which people the demo has today, and has an owner of the workspace join, because the demo has none.
func (b *tour) meet(url string) {
	b.Helper()
	db, err := store.Open(b.Context(), url, store.Options{MaxConns: 2})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	dir, err := db.Directory(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	for _, c := range dir.Schedules {
		onCall := c.At(now, schedule.RolePrimary)
		if len(onCall) != 1 {
			b.Fatalf("on call in %s: %v, want one person", c.Name(), onCall)
		}
		if c.Name() == "payments-secondary" {
			b.second = onCall[0]
			continue
		}
		b.primary = onCall[0]
		b.next = c.At(now.AddDate(0, 0, 7), schedule.RolePrimary)[0]
	}
	b.do("open the page", chromedp.EmulateViewport(tourWidth, tourHeight), chromedp.Navigate(b.page+"/?user="+string(b.primary)))
	b.payments = b.find(`document.querySelector('[data-name="payments"]')?.dataset.channel`)
	b.owner = "U0BOSS"
	const boss = `{"person": {"id": "U0BOSS", "name": "boss", "real_name": "Boss", "tz": "Europe/Berlin", "owner": true}}`
	resp, err := http.Post(b.page+"/sim/user", "application/json", strings.NewReader(boss))
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b.Fatalf("the owner's joining was answered %s", resp.Status)
	}
}

// do runs actions in the browser.
func (b *tour) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.fail(what, err)
	}
}

func (b *tour) fail(what string, err error) {
	b.Helper()
	(&demo{}).picture(b.T, b.ctx, "failed.png")
	text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body.innerText`))
	b.Fatalf("%s: %v; the page shows:\n%s", what, err, text)
}

// find waits until an expression has a value that isn't empty.
func (b *tour) find(expression string) string {
	b.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Poll[string](expression, chromedp.WithPollingTimeout(20*time.Second), chromedp.WithPollingInterval(50*time.Millisecond)))
	if err != nil {
		b.fail("wait for "+expression, err)
	}
	return value
}

// as shows the page as a person sees it, at a place: a channel's id, or "dm".
func (b *tour) as(user oncall.UserID, place string) {
	b.Helper()
	at := "/?user=" + string(user)
	if place != "dm" {
		at += "&channel=" + place
	}
	b.do("open the page", chromedp.Navigate(b.page+at), chromedp.WaitReady(chromedp.CSS(`#side [data-channel]`)))
	if place == "dm" {
		// It clicks again if the page fell back to the channel because it drew a state from before the conversation existed.
		b.find(`((dm) => dm && (dm.classList.contains('on') || dm.click()) ? 'open' : '')(document.querySelector('#open-dm'))`)
		b.find(`((dm, shown) => dm && shown.every((n) => n.dataset.channel === dm.dataset.channel) ? 'open' : '')(
			document.querySelector('#open-dm.on'), [...document.querySelectorAll('#messages article')])`)
	}
}

// tap clicks the last element of a selector. It first waits until the element stays in place and nothing covers it,
// such as an open form.
func (b *tour) tap(selector string) {
	b.Helper()
	const point = `((nodes) => {
		const node = [...nodes].filter((n) => n.getClientRects().length && !n.disabled).at(-1);
		if (!node) return '';
		node.scrollIntoView({ block: 'center' });
		const r = node.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
		const at = JSON.stringify([x, y]), stays = window.tapped?.node === node && window.tapped.at === at;
		window.tapped = { node, at };
		return stays && node.contains(document.elementFromPoint(x, y)) ? at : '';
	})(document.querySelectorAll(%s))`
	var at [2]float64
	if err := json.Unmarshal([]byte(b.find(fmt.Sprintf(point, quoted(selector)))), &at); err != nil {
		b.Fatal(err)
	}
	b.do("press "+selector, chromedp.MouseClickXY(at[0], at[1]))
	b.taps++
}

// pick chooses from the menu of the newest incident.
func (b *tour) pick(action string) {
	b.Helper()
	b.tap(`#messages [data-action-id="incident_menu"]`)
	b.tap(`[role="menuitem"][data-value^="` + action + `/"]`)
}

// say types a command or a message, and sends it.
func (b *tour) say(text string) {
	b.Helper()
	b.do("type "+text, chromedp.SendKeys(chromedp.CSS(`#slash`), text+"\r"))
}

// set fills in an input of the open form.
func (b *tour) set(selector, value string) {
	b.Helper()
	b.find(fmt.Sprintf(`((n) => {
		if (!n) return '';
		n.value = %s;
		for (const kind of ['input', 'change']) n.dispatchEvent(new Event(kind, { bubbles: true }));
		return 'set';
	})(document.querySelector(%s))`, quoted(value), quoted("#modal "+selector)))
}

// see waits until a place shows what matches the pattern.
func (b *tour) see(selector, pattern string) {
	b.Helper()
	b.find(fmt.Sprintf(`((n) => n && n.getClientRects().length && new RegExp(%s, 's').test(n.innerText) ? 'seen' : '')(document.querySelector(%s))`, quoted(pattern), quoted(selector)))
}

// shut closes the open form, as nothing under it can be clicked before.
func (b *tour) shut() {
	b.Helper()
	taps := b.taps
	b.tap(`#modal-x`)
	b.closed()
	b.taps = taps
}

func (b *tour) closed() {
	b.Helper()
	b.find(`document.querySelector('#modal').open ? '' : 'closed'`)
}

// costs checks that an act takes no more clicks and keys than docs/tour.md says.
func (b *tour) costs(taps int) {
	b.Helper()
	if b.taps > taps {
		b.Errorf("it took %d taps, want %d at most", b.taps, taps)
	}
}

// thread opens the thread of an incident in its channel.
func (b *tour) thread(incident int) {
	b.Helper()
	head := fmt.Sprintf("#%d ", incident)
	ts := b.find(fmt.Sprintf(`[...document.querySelectorAll('#messages article')].find((n) => n.innerText.includes(%s) && n.querySelector('.replies'))?.dataset.ts`,
		quoted(head)))
	b.tap(`#messages article[data-ts="` + ts + `"] .replies`)
	b.see("#thread", head)
}

// shoot takes a picture of all that a selector finds for docs/tour.md, if asked to.
func (b *tour) shoot(selector string) {
	b.Helper()
	if !*update {
		return
	}
	b.do("make room", chromedp.EmulateViewport(tourWidth, 2000), chromedp.MouseEvent(chromedp.MouseMoved, 0, 0),
		chromedp.Evaluate[chromedp.Void](`document.activeElement?.blur(); undefined`))
	picture := fmt.Sprintf("%02d-%s.png", b.act, filepath.Base(b.Name()))
	png, err := chromedp.Run(b.ctx, chromedp.Screenshot(chromedp.CSSAll(selector)))
	if err == nil {
		err = os.WriteFile(filepath.Join(tourPictures, picture), png, 0o600)
	}
	if err != nil {
		b.fail("take the picture "+picture, err)
	}
	b.do("as before", chromedp.EmulateViewport(tourWidth, tourHeight))
}

// name returns the name of a person of the demo.
func name(id oncall.UserID) string { return strings.ToLower(strings.TrimPrefix(string(id), "U0")) }

func quoted(text string) string {
	out, _ := json.Marshal(text) //nolint:errchkjson // a string
	return string(out)
}
