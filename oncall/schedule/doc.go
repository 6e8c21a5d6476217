// Package schedule says who is on call. It knows nothing of incidents, and nothing here
// reads a clock, talks to anything or logs.
//
// A Definition is what is stored: rotations, versioned so that an edit never changes the
// past, and the overrides on top. Compile makes a Schedule of it, which answers for any
// instant. Who holds a rotation for one period is a turn; what is computed of turns,
// restriction windows and overrides is shifts. A Stint is a shift as its person sees it.
//
// One rule decides all local time: it happens once, at the first instant at which the
// zone's wall clock shows that time or later.
package schedule
