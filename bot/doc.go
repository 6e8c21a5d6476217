// Package bot is the part of Watchbill that speaks Slack, and the only one. It listens on
// two Socket Mode connections, has the store do what commands and clicks ask for, and
// draws incidents as messages. A message always shows stored state; nothing is kept in
// memory that a second instance would lack. Package slackcall below it makes the calls.
//
// It is one package of some 12,400 lines with its blanks and comments, because a command, its modal and its
// buttons are three ways to the same act, and share how they read people and times and what they answer. What
// could leave has left: the calls (slackcall) and what people see (view). Its files are named noun first, so
// that x_command.go, x_modal.go and x_press.go stand together; router.go, command.go, modal.go and press.go
// say what comes in and who handles it.
package bot
