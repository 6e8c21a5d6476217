// Package bot is the only part of Watchbill that talks to Slack. It listens on two Socket Mode connections,
// runs what commands and clicks ask for, and draws incidents as messages. A message always shows stored state,
// and nothing is kept in memory that a second instance would lack. Package slackcall makes the calls to Slack,
// package view draws.
//
// It is one package of some 17,300 lines with its blanks and comments, because a command, its modal and its
// buttons are three ways to the same act: they share request, press, submission and form, the parsing of people
// and times, and the answers. A package for the set-up's forms or for the home tab would need all of these
// exported first, so that its face would be wider than what it hides.
//
// Files are named noun first, so that x_command.go, x_modal.go and x_press.go stand together; router.go,
// command.go, modal.go and press.go dispatch what comes in. phrase.go and phrase_*.go run before a command is looked
// up: they turn what people say ("give 2 to bo") into the command that means it ("reassign 2 bo").
package bot
