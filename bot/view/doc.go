// Package view is what people see in Slack: messages, forms and the sentences of answers.
// Values go in, words and blocks come out. It imports the rules and slack-go's types of
// blocks and nothing else of ours: what a view shows, its caller has loaded. So a test needs
// no more than values and a golden file.
//
// It is the only place that writes Slack's markup: mentions, links, times, formatting.
// Text that others wrote goes through Foreign before it stands in any of it.
//
// It has some 9,200 lines, because messages, forms and lists of the same things share their pieces; nothing in it
// knows more than its values, so that a file can be read by itself.
package view
