package localpg

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// way is a user as whom the server can run.
type way struct {
	name     string
	uid, gid int // who owns its files
	attr     func() *syscall.SysProcAttr
}

// ways lists the ways in the order in which to try them.
func ways() []way {
	uid := os.Geteuid()
	asIs := way{
		name: "the current user", uid: uid, gid: os.Getegid(),
		attr: func() *syscall.SysProcAttr { return &syscall.SysProcAttr{} },
	}
	if uid != 0 {
		if _, err := user.LookupId(strconv.Itoa(uid)); err != nil {
			return append(namespaces(), asIs) // a user without a name
		}
		return []way{asIs}
	}
	var list []way
	for _, name := range []string{"postgres", "nobody"} {
		if w, ok := dropTo(name); ok {
			list = append(list, w)
			break
		}
	}
	return append(list, namespaces()...)
}

// dropTo is the way for root: become that user, without any of root's groups.
func dropTo(name string) (way, bool) {
	u, err := user.Lookup(name)
	if err != nil {
		return way{}, false
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return way{}, false
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return way{}, false
	}
	return way{
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
	for _, w := range ways() {
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
