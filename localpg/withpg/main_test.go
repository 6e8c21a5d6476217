package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const commandVariable = "WATCHBILL_WITHPG_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(commandVariable) != "" {
		main()
	}
	os.Exit(m.Run())
}

// withpg runs the program in dir, with a server of its own unless address is set.
func withpg(dir, address string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), commandVariable+"=1", variable+"="+address)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestCommandGetsServerAtStableAddress(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var addresses [2]string
	for n := range addresses {
		out, err := withpg(dir, "", "--", "sh", "-c", "echo $TEST_DATABASE_URL; exit 7").Output()
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) || exit.ExitCode() != 7 {
			t.Errorf("ended with %v; want the command's status 7", err)
		}
		addresses[n] = string(out)
	}
	if addresses[0] != addresses[1] || !strings.HasPrefix(addresses[0], "postgres://") {
		t.Errorf("addresses %q; want the same one twice", addresses)
	}
}

func TestTwoRunsInOneDirectoryDoNotMeet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, err := withpg(dir, "", "--", "sh", "-c",
		`echo "$TEST_DATABASE_URL"; TEST_DATABASE_URL= "$0" -- sh -c 'echo "$TEST_DATABASE_URL"'`, os.Args[0]).Output()
	if err != nil {
		t.Fatal(err)
	}
	one, two, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if one == "" || two == "" || one == two {
		t.Errorf("addresses %q and %q; want two servers", one, two)
	}
}

func TestConfiguredAddressIsPassedOn(t *testing.T) {
	t.Parallel()
	out, err := withpg(t.TempDir(), "postgres://elsewhere/db", "printenv", variable).Output()
	if err != nil || string(out) != "postgres://elsewhere/db\n" {
		t.Errorf("the command saw %q, %v; want the address that was set before", out, err)
	}
}

func TestSignalReachesCommandAndServerIsCleanedUp(t *testing.T) {
	t.Parallel()
	cmd := withpg(t.TempDir(), "", "--", "sh", "-c",
		`trap 'exit 5' TERM; echo "$TEST_DATABASE_URL"; while :; do sleep 0.05; done`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	exit := (*exec.ExitError)(nil)
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 5 {
		t.Errorf("ended with %v; want the command's status 5", err)
	}
	_, socket, _ := strings.Cut(strings.ReplaceAll(address, "%2F", "/"), "host=")
	socket, _, _ = strings.Cut(socket, "&")
	if _, err := os.Lstat(socket); !filepath.IsAbs(socket) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the server's directory %q is still there: %v", socket, err)
	}
}

func TestUnrunnableCommandsFail(t *testing.T) {
	t.Parallel()
	for status, args := range map[int][]string{2: nil, 127: {"--", "/no/such/command"}, 143: {"sh", "-c", "kill -TERM $$"}} {
		cmd := withpg(t.TempDir(), "postgres://elsewhere/db", args...)
		cmd.Stderr = nil
		err := cmd.Run()
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != status {
			t.Errorf("%q ended with %v; want status %d", args, err, status)
		}
	}
}
