package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/watchbill/watchbill/localpg"
)

// serveVariable makes a test binary the keeper of a server instead of running its tests.
const serveVariable = "WATCHBILL_STORETEST_SERVE"

// A test process has no place where it could stop a server: it may end in the middle of a panic. So
// it starts itself once more, before its own main, as a keeper that ends with it.
func init() {
	if os.Getenv(serveVariable) == "" {
		return
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// serve runs a throw-away server until its input ends, and says where it is.
func serve(in io.Reader, out io.Writer) error {
	server, err := localpg.Start(context.Background(), localpg.Options{Getenv: os.Getenv})
	if err != nil {
		return errors.Join(err, answer(out, "error "+err.Error()))
	}
	err = answer(out, "ok "+server.URL())
	_, _ = io.Copy(io.Discard, in) // any end is the end
	return errors.Join(err, server.Stop(context.Background()))
}

// answer ends with a zero byte, as errors have several lines.
func answer(out io.Writer, text string) error {
	_, err := io.WriteString(out, text+"\x00")
	return err
}

// databaseURL returns the address of the server for tests.
func databaseURL() (string, error) {
	if address := os.Getenv("TEST_DATABASE_URL"); address != "" {
		return address, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.Command(self) //nolint:noctx // it ends with this process
	cmd.Env = append(os.Environ(), serveVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C would end it before it has cleared up
	if _, err = cmd.StdinPipe(); err != nil {             // never closed: it ends with this process
		return "", fmt.Errorf("start a server: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("start a server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start a server: %w", err)
	}
	keepers = append(keepers, cmd)
	text, err := readAnswer(out)
	if err != nil {
		return "", fmt.Errorf("start a server: %w", err)
	}
	address, ok := strings.CutPrefix(text, "ok ")
	if !ok {
		return "", errors.New(strings.TrimPrefix(text, "error "))
	}
	return address, nil
}

// keepers are held so that no pipe to them is closed by the garbage collector.
var keepers []*exec.Cmd

func readAnswer(r io.Reader) (string, error) {
	var text []byte
	for one := make([]byte, 1); ; text = append(text, one[0]) {
		if _, err := io.ReadFull(r, one); err != nil {
			return string(text), err
		}
		if one[0] == 0 {
			return string(text), nil
		}
	}
}
