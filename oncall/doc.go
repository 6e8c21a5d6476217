// Package oncall holds the rules: who is on call, whom a step of an escalation policy
// pages, what a monitor's signal does to an incident. Everything here is a function of
// facts and an instant. Nothing here reads a clock, talks to anything or logs.
//
// A Schedule holds rotations; who holds a rotation for one period is a turn; what is
// computed of them is shifts. An Override puts somebody else on call for a while.
//
// A Signal is what a monitor sends once. All signals under one dedup key until it
// clears are an Alert. An Incident is one or more alerts for which people are paged:
// a Desk folds signals into them. A Policy pages in steps until somebody acknowledges.
//
// A decision returns a Change: the new Incident, the lines for its timeline, the pages
// and the jobs that follow. A caller stores all of it or nothing. What a decision
// refuses it refuses with a Refusal, the only error whose text a person sees.
package oncall
