// Package oncall holds the rules: whom a step of an escalation policy pages, what a
// monitor's signal does to an incident, when a page goes out, what an answer means.
// Everything here is a function of facts and an instant. Nothing here reads a clock, talks
// to anything, logs or knows Slack's markup. Who is on call is package schedule's.
//
// A decision returns a Change: the new Incident, the lines for its timeline, the pages and
// the jobs that follow. A caller stores all of it or nothing. What a decision refuses it
// refuses with a Refusal, the only error whose text a person sees.
//
// # Words
//
// They mean the same in Go, SQL, Slack and the docs. What is stored keeps older names:
//
//   - columns: turn is RoundRobinCount, pages.held_until DeferredUntil, pages.why and reason a Call's Why;
//     taken_for of integrations is Senders; the table codes has proofs.
//   - keys: "kind" in the set-up file is a format, "line" in a job's arguments a lane, "taken_for" in a
//     stored signal its Sender.
//   - jobs: "escalate" is IncidentTimer, "look" CheckSchedule, "guard" CheckCoverage, "verify" SendProof.
//   - events: "handed_over" is EventPassedOn.
//
// Who:
//
//   - user: a person, by their Slack id. Watchbill has no second identity.
//   - team: people, their Slack channel, and what they answer for.
//   - actor: who did something: a person, a monitor, a timer.
//
// Who is on call when (package schedule):
//
//   - schedule: rotations and overrides; it answers who is on call at an instant.
//   - rotation: one layer of a schedule; it has a priority and a role.
//   - role: what somebody is on call as: primary, secondary, shadow.
//   - turn: who holds a rotation for one period: one person, several, or nobody.
//   - shift: who is on call from an instant until another, computed.
//   - stint: a shift as one person sees it: it may be several of the schedule's in a row.
//   - override: somebody else is on call for a while.
//   - hand-off: the instant at which one shift ends and the next begins.
//   - swap, cover: two people trade shifts; one asks others to take theirs.
//   - coverage: whether there is somebody on call; a finding is a time without, or another reason
//     why nobody would be paged.
//   - time off: when a person is away.
//   - directory: teams, people, schedules and policies, loaded together and shared (package store).
//   - roster: the part of the directory that the rules need.
//
// What is wrong:
//
//   - integration: an inbound key, of one team; format: what its monitor speaks.
//   - signal: what a monitor sends once.
//   - alert: all signals under one dedup key until it clears.
//   - incident: one or more alerts for which people are paged.
//   - storm: an incident that takes in what a flood of alerts would have opened; an alert is split off it to
//     have an incident of its own.
//   - service: what an alert is about: its label "service", or else its integration.
//   - event: one line of an incident's timeline.
//   - act: what somebody does with an incident.
//   - verdict: what people say an incident was, once it is over: real, noise or unsure.
//   - version: grows with every change of an incident; a drawing shows one.
//   - seq: numbers an incident's timer and the pages of its latest step; a lower one is stale.
//   - inbox: where signals are stored before they are folded; fold: one pass over an integration's signals,
//     from the inbox into alerts and incidents.
//   - spool: where signals wait on the disk while the database is unavailable; receiver: what chooses between database and spool.
//   - payload: what a monitor sent, as it came, kept for a week without secrets.
//   - mapping: how arbitrary JSON becomes a signal; route: a rule that says what becomes of an alert.
//   - hold: what a route does with an alert that must last for a while before it opens an incident; drop: it
//     opens none; suppressed: held or dropped.
//   - to keep: what maintenance does with an alert that would open an incident.
//   - to flap: to come and go so often that the ends don't close the incident.
//   - maintenance: a window in which alerts are kept and page nobody before its end.
//   - canary: an incident of Watchbill's own, to see whether one comes through; pulse: the call that tells a
//     service outside that it does.
//   - heartbeat: what is expected to sign in regularly; a ping is when it does.
//
// Who is told:
//
//   - policy, step, target: in what order to page whom. A policy may pass an incident on
//     to another one.
//   - call: what one decision has to tell one person; page: a call by one contact method, one for each
//     notification rule. Sending it may take several attempts. A phone rings by a phone call; a redial
//     is its second.
//   - recipient: a person by one contact method.
//   - cooldown: how long a recipient is left alone after a message; a page that comes meanwhile is deferred.
//   - bundle: pages to one recipient that share a message; its lead is the page that is sent.
//   - page batch: pages to one recipient that wait behind one job, before they become a bundle; "convoy" in the database.
//   - doubt: an attempt that may have been sent, so that the provider is asked first.
//   - attempt: one try to send a page's message.
//   - code: the number that names a message in an answer.
//   - proof: what somebody types to prove that an address is theirs; to people, and in the database,
//     it is a code as well.
//   - lane: the queue in which pages of one method wait.
//   - contact method: a way to reach a person; method is the kind of way, such as SMS.
//   - notification rule: which contact method is used, and how long after the page.
//   - answer: what a person sends back by a contact method; intent: what the person wants, once it is parsed.
//   - probe: a message that asks whether somebody can still be reached.
//   - interruption: one or several pages of which a person would say that it rang once (package report); a wake
//     is one between 23:00 and 07:00, and a night with two is a bad one.
//   - digest: what a team's channel is told of its week.
//   - notice: what people are told beside incidents: hand-offs, reminders, requests.
//   - drawing: a Slack message, as a picture of stored state.
//   - sheet: the window in Slack with all that is known of an incident.
//   - board: where drawings are posted and edited: Slack, as package jobs sees it.
//   - mirror: a user group or channel topic in Slack that shows who is on call.
//   - veil: to show no more than number and state of a private team's incident.
//
// Some words have a second meaning elsewhere. In package access a role is what somebody is to a team
// (manager, responder, member, guest), and a responder is a member of it; in an incident a responder is
// who was asked to help. In bot/slackcall a call is a request to Slack's Web
// API. In people's mouths, and for swaps and covers, to take is to become who is on call; a hand-off is
// taken by "I have it".
//
// # Size
//
// This is one package of some 12,900 lines with its blanks and comments, because a decision about an
// incident makes calls, notices and jobs, and pages, answers, merges and folds decide about incidents again:
// they share a Change and its unexported steps. What is free of that has left: who is on call (package
// schedule), who may do what (access), what the audit log holds (audit), the set-up file (setup), what
// people's rules make of an alert (route). Its files are named noun first: act_ (what people do with an
// incident), answer_, contact_, cover_, fold_ (from signals to incidents), page_
// (when and how a page goes out), policy_ and incident_ (steps and timers), user_group_.
package oncall
