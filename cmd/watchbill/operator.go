package main

import (
	"cmp"
	"os"

	"github.com/watchbill/watchbill/oncall"
)

// operator is who runs this command, as far as the machine knows: "deploy@ci-7".
func (p process) operator() oncall.Actor {
	who := cmp.Or(p.getenv("SUDO_USER"), p.getenv("USER"), p.getenv("LOGNAME"), "somebody")
	if host, err := os.Hostname(); err == nil {
		who += "@" + host
	}
	return oncall.ByCommandLine(who)
}
