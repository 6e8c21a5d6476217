//go:build browser

package main

import "fmt"

// who asks for the people on call.
func (b *tour) who() {
	b.Helper()
	b.as(b.primary, b.payments)
	b.say("/oncall who")
	b.see("#messages", `payments-primary: @`+name(b.primary)+` until .*payments-secondary: @`+name(b.second))
	b.costs(0)
	b.shoot("#head, #messages article")
}

// paged shows a page and its reason.
func (b *tour) paged() {
	b.Helper()
	b.as(b.primary, "dm")
	b.see("#messages", `#1 critical: Checkout answers 5xx.*Triggered.*`+
		`You are paged because you are on call in payments-primary.*Escalates at .* to @`+name(b.second))
	b.costs(0)
	b.shoot("#head, " + latest(1))
}

func (b *tour) acknowledge() {
	b.Helper()
	b.as(b.primary, "dm")
	b.tap(`#messages [data-action-id="ack"]`)
	b.see("#messages", `#1 critical.*Acknowledged by @`+name(b.primary))
	b.costs(1)
	b.shoot("#head, " + latest(1))
	b.as(b.second, b.payments)
	b.see("#messages", `#1 critical.*Acknowledged by @`+name(b.primary))
}

// details opens the details of an incident.
func (b *tour) details() {
	b.Helper()
	b.as(b.primary, "dm")
	b.pick("more")
	b.see("#modal", `What happens next.*acknowledged by @`+name(b.primary)+`.*Why you were paged.*Slack at`)
	b.costs(2)
	b.shoot("#modal form")
	b.shut()
}

func (b *tour) note() {
	b.Helper()
	b.as(b.primary, "dm")
	b.pick("note")
	b.set(`textarea`, "a bad deploy, rolling back")
	b.tap(`#modal-submit`)
	b.closed()
	b.costs(3)
	b.as(b.primary, b.payments)
	b.thread(1)
	b.see("#thread", `a bad deploy, rolling back`)
	b.shoot("#thread .top, #thread article")
}

func (b *tour) snooze() {
	b.Helper()
	b.as(b.primary, "dm")
	b.pick("snooze")
	b.tap(`#modal [data-action-id="snooze_for/1h"]`)
	b.see("#modal", `Snoozed until .* by @`+name(b.primary))
	b.costs(3)
	b.shoot("#modal form")
	b.shut()
	b.see("#messages", `#1 critical.*Snoozed until`)
}

// escalate passes a second incident on.
func (b *tour) escalate() {
	b.Helper()
	b.as(b.primary, b.payments) // as direct messages about it wait until 30 seconds after the first incident's
	b.see("#messages", `#2 critical: Refunds are stuck.*Paged @`+name(b.primary)+`\..*Escalates at`)
	b.pick("escalate")
	b.see("#messages", `#2 critical.*Paged @`+name(b.primary)+` and @`+name(b.second)+`\.`)
	b.costs(2)
	b.shoot(latest(2))
	b.as(b.second, "dm")
	b.see("#messages", `#2 critical: Refunds are stuck.*you are on call in payments-secondary`)
}

// resolve resolves the second incident, and gives a verdict.
func (b *tour) resolve() {
	b.Helper()
	b.as(b.second, b.payments)
	b.tap(`#messages [data-action-id="resolve"]`)
	b.see("#messages", `#2 critical.*Resolved by @`+name(b.second))
	b.thread(2)
	b.tap(`#thread [data-action-id="verdict/noise"]`)
	b.see("#thread", `@`+name(b.second)+`: it was noise\.`)
	b.costs(3)
	b.shoot("#thread .top, #thread article")
}

// pageSomebody pages a team by hand.
func (b *tour) pageSomebody() {
	b.Helper()
	b.as(b.second, b.payments)
	b.say("/oncall page payments refunds are stuck again")
	b.see("#messages", `Paged\. #3.*refunds are stuck again`)
	b.see("#messages", `#3 high: refunds are stuck again`)
	b.costs(0)
	b.shoot(latest(2))
	b.as(b.primary, "dm")
	b.see("#messages", `#3 high: refunds are stuck again`)
}

// home opens a person's home tab.
func (b *tour) home() {
	b.Helper()
	b.as(b.primary, b.payments)
	b.find(`document.querySelector('#open-home') && (document.querySelector('#open-home').click(), 'opened')`)
	b.see("#home", `You are on call in payments-primary until .*#3 high: refunds are stuck again.*`+
		`Quick actions.*Your next shifts.*On call in your teams`)
	b.shoot("#home .sheet")
}

// swap offers a shift for somebody else's, who takes it.
func (b *tour) swap() {
	b.Helper()
	b.as(b.primary, b.payments)
	b.say("/oncall swap @" + name(b.next))
	b.tap(`#modal-submit`)
	b.see("#modal", `@`+name(b.next)+` is asked`)
	b.shut()
	b.as(b.next, "dm")
	b.tap(`#messages [data-action-id="swap_accept"]`)
	b.see("#messages", `Accepted by @`+name(b.next))
	b.costs(2)
	b.shoot(latest(1))
	b.as(b.primary, "dm")
	b.see("#messages", `@`+name(b.next)+` has accepted your swap`)
}

// override takes over a shift at once.
func (b *tour) override() {
	b.Helper()
	b.as(b.second, b.payments)
	b.say("/oncall override me now 2h payments-primary")
	b.see("#messages", `@`+name(b.second)+` is on call in payments-primary .*instead of @`+name(b.primary))
	b.costs(0)
	b.shoot("#messages article.ephemeral:nth-last-of-type(-n+2)") // the channel is told, too, before it or after
}

// away takes a day off and asks for cover, after which there is no shift left to cover.
func (b *tour) away() {
	b.Helper()
	b.as(b.second, b.payments)
	b.say("/oncall away tomorrow")
	b.tap(`#messages [data-action-id="away_cover"]`)
	b.see("#messages", `Somebody is wanted for payments-secondary`)
	b.find(`document.querySelector('#messages [data-action-id="away_cover"]') ? '' : 'gone'`)
	b.costs(1)
	b.shoot(latest(1))
}

// report asks for the report about being on call.
func (b *tour) report() {
	b.Helper()
	b.as(b.second, b.payments)
	b.say("/oncall report payments")
	b.see("#messages", `comes as a direct message`)
	b.as(b.second, "dm")
	b.see("#messages", `Interruptions: payments.*Report of payments, .*interruption.*paged by hand: 1 incident`)
	b.find(`[...document.querySelectorAll('#messages figure.file img')].some((n) => n.naturalWidth > 300) ? 'drawn' : ''`)
	b.find(`document.querySelector('#messages a.file.doc') && 'table'`)
	b.costs(0)
	b.shoot(latest(3))
}

// setUp makes a team whose monitor pages somebody.
func (b *tour) setUp() {
	b.Helper()
	b.as(b.owner, "dm")
	b.say("/oncall setup")
	b.tap(`#modal [data-action-id="setup_new"]`)
	b.set(`[data-action-id="name"]`, "checkout")
	b.set(`[data-action-id="setup_channel"]`, b.payments)
	b.tap(`#modal-submit`)
	b.see("#modal", `checkout is set up\..*On call: @`+name(b.owner))
	b.tap(`#modal [data-action-id="setup_test"]`)
	b.see("#modal", `A test alert was sent`)
	b.shut()
	b.as(b.owner, "dm")
	b.see("#messages", `Test alert of checkout`)
	b.tap(`#messages [data-action-id="ack"]`)
	b.see("#messages", `Test alert of checkout.*Acknowledged by @`+name(b.owner))
	b.costs(9)
	b.shoot("#head, " + latest(1))
}

// latest selects the last messages.
func latest(n int) string {
	return fmt.Sprintf("#messages article:nth-last-of-type(-n+%d)", n)
}
