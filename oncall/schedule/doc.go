// Package schedule computes who is on call. It knows nothing of incidents, and nothing here reads a
// clock, does I/O or logs.
//
// A Definition is what is stored: rotations, versioned so that an edit never changes the past, and
// the overrides on top. Compile turns it into a Schedule, which answers for any instant. A turn is
// who holds a rotation for one period; shifts are computed from turns, restriction windows and
// overrides. A Stint is a shift as its person sees it.
//
// One rule governs all local time: it happens once, at the first instant at which the zone's wall
// clock shows that time or later.
package schedule
