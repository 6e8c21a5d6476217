// Package view draws what people see in Slack: messages, forms, and the sentences of answers. Values go in,
// text and blocks come out. It imports the rules and slack-go's block types, and nothing else of ours: callers
// load what a view shows. So a test needs no more than values and a golden file.
//
// It is the only package that writes Slack's markup: mentions, links, times, formatting. Foreign text is
// escaped by Foreign before it is used in markup.
//
// It has some 12,300 lines, because messages, forms and lists of the same things share their pieces, from
// mentions to the buttons of an incident. Each file needs only its values, so it can be read by itself;
// packages by subject would export the pieces instead.
package view
