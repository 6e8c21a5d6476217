// Command watchbill is the on-call desk that lives in Slack. This package parses the settings,
// wires the parts together, starts them, and stops them in reverse order. It is the only one that
// reads the environment and the clock.
//
// # Size
//
// It has some 11,100 lines: app.go and what it wires (a tenth), and a file or two for each of some thirty commands, which
// share the way they read settings, print, and end, and nothing else. A package for each command would be one
// file and its exported struct.
package main
