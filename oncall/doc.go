// Package oncall holds the rules: which people a step of an escalation policy pages, what a
// monitor's signal does to an incident, when a page goes out, what an answer means.
// Everything here is a function of facts and an instant. Nothing here reads a clock, does
// I/O, logs or knows Slack's markup. Package schedule computes who is on call.
//
// A decision returns a Change: the new Incident, the lines for its timeline, the pages and
// the jobs that follow. The caller stores all of it or nothing. A decision that is refused returns
// a Refusal, the only error whose text people see.
//
// # Words
//
// They mean the same in Go, SQL, Slack and the docs. Stored data keeps older names:
//
//   - columns: turn is RoundRobinCount, pages.held_until DeferredUntil, pages.why and reason a Call's Why;
//     taken_for of integrations is Monitors.
//   - tables: codes has proofs, replies has answers, reaches has each recipient's cooldown, and checks has the
//     probes before a shift.
//   - keys: "kind" in the set-up file and in a stored signal is a format, "line" in a job's arguments a lane,
//     "taken_for" in a stored signal its NewMonitor.
//   - jobs: "escalate" is IncidentTimer, "look" CheckSchedule, "guard" CheckCoverage, "verify" SendProof, "tell" DrawNotice.
//   - events: "handed_over" is EventPassedOn.
//   - logs and metrics: "fate" is a FoldResult.
//
// People and teams:
//
//   - user: a person, identified by their Slack id. Watchbill has no identity of its own.
//   - team: people, their Slack channel, and the services they are responsible for.
//   - actor: the author of a change: a person, a monitor, a timer.
//   - directory: teams, people, schedules and policies, loaded together and shared (package store).
//   - roster: the part of the directory that the rules need.
//   - organisation: one of several that a process serves, each with its own database and Slack app. In
//     sentences about people, "of another organisation" is Slack's: somebody in a shared channel.
//
// Who is on call when (package schedule):
//
//   - schedule: rotations and overrides; it determines who is on call at an instant.
//   - rotation: one layer of a schedule; it has a priority and a role.
//   - role: the capacity in which a person is on call: primary, secondary, shadow.
//   - turn: the people who hold a rotation for one period: one, several, or nobody.
//   - shift: the people on call from one instant to another, as computed.
//   - stint: a shift as one person sees it; it may span several of the schedule's.
//   - override: a temporary change of who is on call.
//   - hand-off: the instant at which one shift ends and the next begins.
//   - swap, cover: two people trade shifts; one person asks others to take theirs.
//   - coverage: whether somebody is on call; a finding is a gap, or another reason
//     why nobody would be paged.
//   - time off: a period in which a person is away.
//   - away calendar: a person's own calendar, read as their time off.
//   - holiday: a day in a rotation's calendar, with a rule for what the rotation does on it.
//   - stand-in: whoever takes the shift of somebody who is away, where their team skips them.
//   - leaver: somebody who has left Slack, or is about to; departure: where a team counts on a leaver.
//
// From signals to incidents:
//
//   - integration: an inbound key that belongs to a team; format: the format that its monitor sends.
//   - signal: one message from a monitor about one alert.
//   - alert: all signals under one dedup key until it clears.
//   - incident: one or more alerts for which people are paged.
//   - storm: an incident that collects a flood of alerts, which would otherwise open one each; an alert
//     can be split off it to get an incident of its own.
//   - service: the subject of an alert: its label "service", or else its integration.
//   - event: one line of an incident's timeline.
//   - act: something a person does with an incident, such as acknowledging it.
//   - verdict: people's judgement of an incident after it is over: real, noise or unsure.
//   - incident channel: the Slack channel of one incident, for those who work on it.
//   - update: what people who don't work on an incident are told of it, in channels of the team's choice.
//   - review: the account of an incident that is over; review action: something to be done after it.
//   - version: a number that grows with every change of an incident; a drawing shows one version.
//   - seq: the number of an incident's timer and of the pages of its latest step; a lower one is stale.
//   - inbox: the table that stores signals until they are folded; fold: one pass over an integration's
//     signals, from the inbox into alerts and incidents.
//   - spool: the queue on disk for signals while the database is unavailable; receiver: chooses between
//     database and spool.
//   - payload: a monitor's request, stored unchanged except for secrets, for a week.
//   - mapping: how arbitrary JSON becomes a signal; route: a rule that decides where an alert goes.
//   - hold: a route delays an alert until it has lasted for a while; drop: a route keeps an alert from
//     opening an incident; suppressed: held or dropped.
//   - to keep: what maintenance does with an alert that would open an incident.
//   - to flap: to resolve and fire again so often that the incident stays open in between.
//   - maintenance: a window in which alerts are kept, and page nobody before its end.
//   - canary: an incident of Watchbill's own that tests the whole path; pulse: the call that reports to an
//     outside service that it works.
//   - heartbeat: a job or system that is expected to send pings regularly.
//
// Paging and answers:
//
//   - policy, step, target: the order in which people are paged. A policy may pass an incident on
//     to another one.
//   - call: the notification of one person by one decision; page: a call by one contact method, one for
//     each notification rule. Sending a page may take several attempts. A phone rings by a phone call; a
//     redial is its second.
//   - recipient: a person at one contact method.
//   - cooldown: the pause after a message to a recipient; a page that comes meanwhile is deferred.
//   - bundle: pages to one recipient that share a message; its lead is the page that is sent.
//   - page batch: pages to one recipient that wait behind one job, before they become a bundle; "convoy" in
//     the database.
//   - doubt: an attempt whose outcome is unknown, so that the provider is asked before another one.
//   - attempt: one try to send a page's message.
//   - code: the number that refers to a message in an answer.
//   - proof: the code that a person types to verify an address; people, and the database, call it a code too.
//   - lane: the queue in which pages of one method wait.
//   - contact method: a way to reach a person; method: the kind of way, such as SMS.
//   - notification rule: which contact method is used, and how long after the page.
//   - answer: a person's response by a contact method; intent: its meaning, once parsed.
//   - probe: a message that tests whether a person can still be reached.
//   - interruption: one or more pages that people would count as one disturbance (package report); a wake
//     is one between 23:00 and 07:00, and a night with two is a bad one.
//   - digest: the weekly report in a team's channel.
//   - notice: a message to people that is not about an incident: hand-offs, reminders, requests.
//   - drawing: a Slack message that shows stored state.
//   - sheet: the window in Slack with the details of an incident.
//   - messenger: posts and edits drawings: Slack, as package jobs sees it.
//   - veil: to show only the number and state of a private team's incident.
//
// Some words have a second meaning elsewhere. In package access, a role is a person's standing in a
// team (manager, responder, member, guest), and a responder may act on its incidents; in an incident, a
// responder is a person who was asked to help. In bot/slackcall a call is a request to Slack's Web
// API. For swaps, covers and hand-offs, to take a shift is to become the person on call.
//
// # Size
//
// This is one package of some 14,900 lines with its blanks and comments, because decisions depend on
// each other: a decision about an incident makes calls, notices and jobs, and pages, answers, merges and
// folds decide about incidents again. They share a Change and its unexported steps. Whatever doesn't need
// those has moved out: who is on call (package schedule), permissions (access), the audit log (audit), the
// set-up file (setup), people's routing rules (route). Files are named noun first: act_ (people's acts on
// an incident), answer_, contact_, cover_, fold_ (from signals to incidents), page_ (when and how a page
// goes out), policy_ and incident_ (steps and timers), user_group_.
package oncall
