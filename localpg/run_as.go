package localpg

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// runAs is a user account for the server.
type runAs struct {
	name     string
	uid, gid int // who owns its files
	attr     func() *syscall.SysProcAttr
}

// candidates lists the accounts in the order in which to try them.
func candidates() []runAs {
	uid := os.Geteuid()
	asIs := runAs{
		name: "the current user", uid: uid, gid: os.Getegid(),
		attr: func() *syscall.SysProcAttr { return &syscall.SysProcAttr{} },
	}
	if uid != 0 {
		if _, err := user.LookupId(strconv.Itoa(uid)); err != nil {
			return append(namespaces(), asIs) // a user without a name
		}
		return []runAs{asIs}
	}
	var list []runAs
	for _, name := range []string{"postgres", "nobody"} {
		if w, ok := dropTo(name); ok {
			list = append(list, w)
			break
		}
	}
	return append(list, namespaces()...)
}

// dropTo is for root: it returns that user, without any of root's groups.
func dropTo(name string) (runAs, bool) {
	u, err := user.Lookup(name)
	if err != nil {
		return runAs{}, false
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return runAs{}, false
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return runAs{}, false
	}
	return runAs{
		name: "user " + name, uid: int(uid), gid: int(gid),
		attr: func() *syscall.SysProcAttr {
			return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		},
	}, true
}

// mayOwn reports whether a directory owned by that user can be one that we created.
func mayOwn(uid int) bool {
	if uid == os.Geteuid() {
		return true
	}
	for _, w := range candidates() {
		if w.uid == uid {
			return true
		}
	}
	return false
}

func ownerOf(path string) (int, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	return int(info.Sys().(*syscall.Stat_t).Uid), nil
}
