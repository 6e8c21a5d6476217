package main

import (
	"cmp"
	"os"
	"os/user"
	"strconv"

	"github.com/watchbill/watchbill/oncall"
)

// operator returns the actor of a command for the audit log: the account on this machine, and the
// machine. The way is "command line", or a more specific one. There is no Slack account to name,
// because anybody with access to the database could claim any.
func (p process) operator() oncall.Actor { return oncall.ByCommandLine(p.account() + "@" + hostname()) }

// account returns the operating system's account; under sudo, that of the person behind it.
func (p process) account() string {
	if sudo := p.getenv("SUDO_USER"); sudo != "" {
		return sudo
	}
	is, err := user.Current()
	if err != nil { // an image without /etc/passwd
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
