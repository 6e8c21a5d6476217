package localpg

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// Suggested to the user, as /etc/os-release does not exist.
const (
	systemPackage = "brew install postgresql@18"
	systemName    = "macOS"
)

func namespaces() []runAs { return nil }

// endWithParent can do nothing here: the server outlives us and the next start adopts it.
func endWithParent(*syscall.SysProcAttr) {}

// alive reports whether the process exists and is not a zombie.
func alive(pid int) bool {
	state := ps(pid, "stat")
	return state != "" && !strings.HasPrefix(state, "Z")
}

// worksIn reports whether the process is a server that was started for the directory.
func worksIn(pid int, dir string) bool {
	return strings.Contains(ps(pid, "args")+" ", " -D "+dir+" ")
}

// workingIn cannot be determined on this system.
func workingIn(string) []int { return nil }

func ps(pid int, column string) string {
	out, err := exec.Command("ps", "-o", column+"=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
