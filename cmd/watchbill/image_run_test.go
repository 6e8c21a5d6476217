//go:build image

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/watchbill/watchbill"
	"github.com/watchbill/watchbill/slacksim"
	"github.com/watchbill/watchbill/store/storetest"
)

// A builtImage is made by the steps of the Dockerfile, without a container engine: a folder stands
// for each stage.
type builtImage struct {
	*testing.T
	stages  map[string]string // by name, their folder
	args    map[string]string
	entry   []string
	command []string
	health  []string
	user    string
}

// TestTheImageRuns executes each step of the Dockerfile, and starts the result as its user in a
// read-only root with nothing else in it. It needs root.
func TestTheImageRuns(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("to enter another root, this test must be run by root")
	}
	i := &builtImage{T: t, stages: map[string]string{}, args: map[string]string{"VERSION": "v0.0.0-test", "REVISION": "none", "GO_IMAGE": "this machine", "BUILDPLATFORM": "", "TARGETOS": "linux", "TARGETARCH": ""}}
	root := i.build()
	if out := i.in(root, slices.Concat(i.entry, []string{"version"})); !strings.Contains(out, "watchbill v0.0.0-test (") {
		t.Errorf(`version: %s, want it to contain "watchbill v0.0.0-test ("`, out)
	}
	for _, name := range []string{"THIRD_PARTY_NOTICES", "sbom.cdx.json"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || !bytes.Contains(text, []byte("github.com/jackc/pgx/v5")) {
			t.Errorf("the list of modules of %s is %.200s, %v; want it with pgx", name, text, err)
		}
	}

	sim := slacksim.New(slacksim.Options{Manifest: slacksim.MustManifest(watchbill.Manifest)})
	if _, err := sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	_, database := storetest.NewProxy(t, storetest.NewURL(t)) // over TCP: the database's socket is outside
	listen := unusedAddress(t)
	env := []string{
		"DATABASE_URL=" + database, "WATCHBILL_SECRET=" + storetest.Secret, "SLACK_BOT_TOKEN=xoxb-sim", "SLACK_APP_TOKEN=xapp-sim",
		"WATCHBILL_SLACK_API_URL=" + sim.APIURL(), "WATCHBILL_LISTEN=" + listen, "WATCHBILL_MIGRATE=true", "WATCHBILL_SPOOL=/var/lib/watchbill",
	}
	serve := i.inside(t.Context(), root, slices.Concat(i.entry, i.command), env)
	var log bytes.Buffer
	serve.Stderr = &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve.Wait() }()
	// Healthy, and the migration done: before it is, no key can be looked up.
	ready := func() bool {
		return i.inside(t.Context(), root, i.health, env).Run() == nil && badKey(t, listen) == http.StatusUnauthorized
	}
	for late := time.After(time.Minute); !ready(); {
		select {
		case <-late:
			t.Fatalf("a bad key is not refused\n%s", log.String())
		case err := <-ended:
			t.Fatalf("the container ended at once: %v\n%s", err, log.String())
		case <-time.After(200 * time.Millisecond): // each try starts a program
		}
	}
	if kept, err := filepath.Glob(filepath.Join(root, "var/lib/watchbill/*")); err != nil || len(kept) == 0 {
		t.Errorf("there is no spool: %v, %v, want some", kept, err)
	}
	_ = serve.Process.Signal(syscall.SIGTERM)
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v\n%s", err, log.String())
	}
}

func badKey(t *testing.T, address string) int {
	resp, err := http.Post("http://"+address+"/v1/signals/no-such-key", "application/json", strings.NewReader(`{"title": "disk full"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func unusedAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// build follows the Dockerfile and returns the folder of its last stage.
func (i *builtImage) build() (root string) {
	text := regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(document(i.T, "Dockerfile"), "")
	text = strings.ReplaceAll(text, "\\\n", " ")
	stage, dir := "", "/"
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch word {
		case "", "LABEL", "EXPOSE":
		case "ARG":
			name, _, _ := strings.Cut(rest, "=")
			if _, ok := i.args[name]; !ok {
				i.Fatalf("ARG %s: what should it be?", name)
			}
		case "FROM":
			name := rest
			if words := strings.Fields(rest); len(words) > 2 {
				name = words[len(words)-1]
			}
			stage, dir = i.TempDir(), "/"
			i.stages[name], root = stage, stage
		case "WORKDIR":
			dir = rest
			i.must(os.MkdirAll(filepath.Join(stage, dir), 0o755))
		case "COPY":
			i.copy(stage, dir, strings.Fields(rest))
		case "RUN":
			i.run(stage, dir, rest)
		case "USER":
			i.user = rest
		case "ENTRYPOINT":
			i.entry = words(rest)
		case "CMD":
			i.command = words(rest)
		case "HEALTHCHECK":
			_, rest, _ = strings.Cut(rest, "CMD ")
			i.health = words(rest)
		default:
			i.Fatalf("what does %s do?", word)
		}
	}
	return root
}

// words reads ["/watchbill", "serve"].
func words(list string) (out []string) {
	for _, m := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(list, -1) {
		out = append(out, m[1])
	}
	return out
}

func (i *builtImage) copy(stage, dir string, args []string) {
	from, owner := "../..", ""
	for ; strings.HasPrefix(args[0], "--"); args = args[1:] {
		name, value, _ := strings.Cut(args[0], "=")
		switch name {
		case "--from":
			from = i.stages[value]
		case "--chown":
			owner = value
		default:
			i.Fatalf("COPY %s: what does it do?", args[0])
		}
	}
	last := len(args) - 1
	to := args[last]
	if !filepath.IsAbs(to) {
		to = filepath.Join(dir, to) + map[bool]string{true: "/"}[strings.HasSuffix(to, "/")]
	}
	target := stage + to
	for _, what := range args[:last] {
		source := filepath.Join(from, what)
		if what == "/etc/ssl/certs/ca-certificates.crt" {
			source = what // the stage is this machine's
		}
		at := target
		if info, err := os.Stat(source); err == nil && !info.IsDir() && (strings.HasSuffix(to, "/") || last > 1) {
			at = filepath.Join(target, filepath.Base(what))
		}
		i.must(os.MkdirAll(filepath.Dir(at), 0o755))
		i.output(exec.Command("cp", "-rT", source, at))
		if owner != "" {
			i.output(exec.Command("chown", "-R", owner, at))
		}
	}
}

// run executes a step of a stage whose system is this machine's; only /out is its own.
func (i *builtImage) run(stage, dir, line string) {
	cmd := exec.Command("sh", "-ec", strings.ReplaceAll(line, "/out", stage+"/out"))
	cmd.Dir, cmd.Env = filepath.Join(stage, dir), os.Environ()
	for name, value := range i.args {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	i.output(cmd)
}

// in runs a command in the image and returns what it prints.
func (i *builtImage) in(root string, args []string) string {
	return i.output(i.inside(i.Context(), root, args, nil))
}

// inside returns a command in the image: as its user, in a root that is read-only except for the
// spool's volume.
func (i *builtImage) inside(ctx context.Context, root string, args, env []string) *exec.Cmd {
	const enter = `mount --bind "$1" "$1"; mount --bind "$1/var/lib/watchbill" "$1/var/lib/watchbill"; mount -o remount,bind,ro "$1"; cd "$1"
		root=$1 user=$2; shift 2; exec chroot --userspec="$user" --groups= "$root" "$@"`
	cmd := exec.CommandContext(ctx, "unshare", slices.Concat([]string{"--mount", "sh", "-ec", enter, "sh", root, i.user}, args)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	return cmd
}

func (i *builtImage) output(cmd *exec.Cmd) string {
	i.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		i.Fatalf("%s: %v\n%s", fmt.Sprint(cmd.Args), err, out)
	}
	return string(out)
}

func (i *builtImage) must(err error) {
	i.Helper()
	if err != nil {
		i.Fatal(err)
	}
}
