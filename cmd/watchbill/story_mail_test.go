package main

import (
	"fmt"
	"net/smtp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// mailin ADDRESS SUBJECT [TEXT]: a monitor sends a mail, and the answer is printed. KEY in the address is the key of the
// integration demo.
func (s *story) mailin(ts *testscript.TestScript, _ bool, args []string) {
	text := "Subject: " + args[1] + "\r\n\r\n" + strings.Join(args[2:], " ") + "\r\n"
	to := strings.ReplaceAll(args[0], "KEY", storyKey)
	if err := smtp.SendMail(s.app.mailAddr, nil, "monitor@example.com", []string{to}, []byte(text)); err != nil {
		fmt.Fprintln(ts.Stdout(), err)
		return
	}
	fmt.Fprintln(ts.Stdout(), "taken")
	s.settle(ts)
}
