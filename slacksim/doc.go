// Package slacksim is a small Slack that runs on this machine: the Web API, Socket Mode and a page to click
// in. The demo serves it to people, and tests drive it from Go, so that everything a person could do in
// Slack can be tried without a workspace, an account or a network.
//
// It enforces the rules of the real service that a well-behaved app must respect: tokens, scopes, required
// arguments, the lengths and shapes of blocks, three seconds to acknowledge, single-use triggers,
// membership, rate limits. It can also misbehave on request, the way the real service does on a bad day:
// lost answers, dropped sockets, envelopes delivered twice.
//
// Where Slack's behaviour is not documented, the simulator had to choose. Every such choice is listed by
// Assumptions.
//
// The manifest, which the caller provides, determines what the app may do; there are no defaults.
//
// The package depends on the standard library, gorilla/websocket and a YAML parser only, and on no Slack
// client, so that a mistake in a client cannot hide behind the same mistake here.
//
// It has some 6,500 lines: one world under one lock, as a call of nearly any method changes what several others return,
// with a file for each family of methods. The page of the demo, a tenth, reads the same world.
package slacksim
