// Package rest is the REST API: what people do in Slack and set up in files, for programs with an
// API key. Like bot, it calls package store with the actor, which here is the key; it holds no
// rules. The OpenAPI document and the validation of requests are generated from the Go types of
// each operation.
//
// # Size
//
// It has some 7,300 lines: a file for each kind of object, and pagerduty_*.go and opsgenie_*.go, a third of
// them, for other vendors' clients. All share one way in (identify: keys, tokens, limits), one way to look up what
// a path names, and one kind of error; a package of its own for the vendors' clients would need all three exported,
// and they are what must not be called in part.
package rest
