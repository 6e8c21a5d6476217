package main

import (
	"cmp"
	"os"
	"os/user"
	"strconv"

	"github.com/watchbill/watchbill/oncall"
)

// operator is whoever runs a command, for the audit log: their account on this machine, and the machine. The
// way is "command line", or another that says more. No Slack account is known, nor asked for: who has the
// database could give any.
func (p process) operator() oncall.Actor { return oncall.ByCommandLine(p.account() + "@" + hostname()) }

// account is the account of the operating system; that of the person where they have become another by sudo.
func (p process) account() string {
	if sudo := p.getenv("SUDO_USER"); sudo != "" {
		return sudo
	}
	is, err := user.Current()
	if err != nil { // as in an image without /etc/passwd
		return "uid " + strconv.Itoa(os.Getuid())
	}
	return cmp.Or(is.Username, "uid "+is.Uid)
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "an unnamed machine"
	}
	return name
}
