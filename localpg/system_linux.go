package localpg

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Suggested to the user if /etc/os-release says nothing.
const (
	systemPackage = ""
	systemName    = "Linux"
)

// namespaces is for users who may not become another user: in a user namespace of its own the server
// believes that it runs as nobody, while its files belong to us.
func namespaces() []runAs {
	const nobody = 65534
	return []runAs{{
		name: "nobody in a user namespace", uid: os.Geteuid(), gid: os.Getegid(),
		attr: func() *syscall.SysProcAttr {
			return &syscall.SysProcAttr{
				Cloneflags:  syscall.CLONE_NEWUSER,
				UidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Geteuid(), Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getegid(), Size: 1}},
			}
		},
	}}
}

// endWithParent makes the kernel stop the server when we are killed.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }

// alive reports whether the process exists and is not a zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	// The state follows the name, which is in parentheses and may contain any character.
	_, state, ok := strings.Cut(string(stat)[strings.LastIndexByte(string(stat), ')')+1:], " ")
	return ok && !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}

// worksIn reports whether the process runs in the directory, as servers do. If we may not know that,
// its command line must name the directory.
func worksIn(pid int, dir string) bool {
	proc := "/proc/" + strconv.Itoa(pid)
	if cwd, err := os.Readlink(proc + "/cwd"); err == nil {
		return cwd == dir
	}
	args, err := os.ReadFile(proc + "/cmdline")
	return err == nil && strings.Contains(string(args), "\x00-D\x00"+dir+"\x00")
}

// workingIn lists the processes that run in the directory.
func workingIn(dir string) []int {
	links, _ := filepath.Glob("/proc/[0-9]*")
	var pids []int
	for _, l := range links {
		if pid, err := strconv.Atoi(filepath.Base(l)); err == nil && alive(pid) && worksIn(pid, dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}
