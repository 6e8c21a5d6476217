package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/watchbill/watchbill/store/storetest"
)

// A default of these would win over BuildKit's values, and an image for arm64 would hold a program for amd64.
func TestImageIsBuiltForItsPlatform(t *testing.T) {
	t.Parallel()
	text := document(t, "Dockerfile")
	for _, name := range []string{"TARGETOS", "TARGETARCH"} {
		if !regexp.MustCompile(`(?m)^ARG ` + name + `$`).MatchString(text) {
			t.Errorf("the Dockerfile has no line `ARG %s`, want one without a default", name)
		}
		if strings.Contains(text, "ARG "+name+"=") {
			t.Errorf("the Dockerfile gives %s a default, want none", name)
		}
	}
}

// executable writes a script that stands for a program.
func executable(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text), 0o755); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
}

// The package restarts the service with a new version only where that can start on the database as it is.
func TestPackageRestartsOnlyWhatCanStart(t *testing.T) {
	t.Parallel()
	empty, current := storetest.NewEmpty(t).Config().ConnString(), storetest.New(t).Config().ConnString()
	for name, c := range map[string]struct {
		url, migrate string
		active       bool
		want         bool
	}{
		"a migration is due":           {empty, "false", true, false},
		"serve does it":                {empty, "true", true, true},
		"none is due":                  {current, "false", true, true},
		"the database can't be asked":  {"postgres://watchbill@127.0.0.1:1/watchbill", "false", true, false},
		"the service hasn't been used": {current, "true", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done, said := upgradePackage(t, c.url, c.migrate, c.active)
			if got := strings.Contains(done, "try-restart watchbill.service"); got != c.want {
				t.Errorf("it restarts the service: %v, want %v\n%s\n%s", got, c.want, done, said)
			}
			if got, want := strings.Contains(said, "NOT restarted"), c.active && !c.want; got != want {
				t.Errorf("it says that it didn't: %v, want %v\n%s", got, want, said)
			}
		})
	}
}

// upgradePackage runs the package's script beside a process that serves a database. It returns what systemctl was asked,
// and what is said on the terminal.
func upgradePackage(t *testing.T, url, migrate string, active bool) (done, said string) {
	t.Helper()
	dir := t.TempDir()
	running := exec.CommandContext(t.Context(), "cat")
	running.Env = []string{"DATABASE_URL=" + url, "WATCHBILL_MIGRATE=" + migrate, "WATCHBILL_CONFIG=/run/credentials/watchbill.service/watchbill.yaml"}
	stdin, err := running.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { stdin.Close(); _ = running.Wait() }()

	config := filepath.Join(dir, "watchbill.yaml")
	var dry, errs bytes.Buffer
	p := process{ctx: t.Context(), out: &dry, errOut: &errs, clock: time.Now}
	code := p.run([]string{"migrate", "--dry-run", "--database-url", url})
	if err := os.WriteFile(filepath.Join(dir, "dry"), dry.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	// What the program prints of the settings that it is given.
	executable(t, dir, "watchbill", fmt.Sprintf(`[ "$WATCHBILL_CONFIG" = %s ] && [ "$DATABASE_URL" = '%s' ] || { echo "other settings" >&2; exit 1; }
case "$*" in
"config show") printf 'WATCHBILL_METRICS_LISTEN  -  default\nWATCHBILL_MIGRATE         %%s  environment\n' "$WATCHBILL_MIGRATE" ;;
"migrate --dry-run") cat %s/dry; exit %d ;;
esac
`, config, url, dir, code))
	executable(t, dir, "systemctl", fmt.Sprintf(`echo "$*" >>%s/done
case $1 in
is-active) exit %d ;;
show) echo %d ;;
esac
`, dir, map[bool]int{true: 0, false: 3}[active], running.Process.Pid))
	script := strings.NewReplacer("/run/systemd/system", dir, "=/etc/watchbill/watchbill.yaml ;;", "="+config+" ;;").Replace(document(t, "deploy/deb/postinst"))
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
	var terminal bytes.Buffer
	cmd.Stderr = &terminal
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &terminal)
	}
	asked, err := os.ReadFile(filepath.Join(dir, "done"))
	if err != nil {
		t.Fatal(err)
	}
	return string(asked), terminal.String()
}

// The file of the package is one that the program understands: an upgrade migrates, and doctor finds the spool.
func TestPackagesSettingsAreKnown(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	p := process{ctx: t.Context(), out: &out, errOut: &errs, clock: time.Now, getenv: func(name string) string {
		return map[string]string{"WATCHBILL_CONFIG": "../../deploy/systemd/watchbill.yaml"}[name]
	}}
	if code := p.run([]string{"config", "show"}); code != 0 {
		t.Fatalf("exit status %d: %s, want 0", code, &errs)
	}
	for _, want := range []string{`WATCHBILL_MIGRATE +true `, `WATCHBILL_SPOOL +/var/lib/watchbill `} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("config show has no %q\n%s", want, &out)
		}
	}
}

// A compose file as far as tests read it.
type composeFile struct {
	Services map[string]struct {
		Command     any               `yaml:"command"`
		Environment map[string]string `yaml:"environment"`
		EnvFile     []struct {
			Path     string `yaml:"path"`
			Required bool   `yaml:"required"`
		} `yaml:"env_file"`
		Init  bool     `yaml:"init"`
		Ports []string `yaml:"ports"`
	} `yaml:"services"`
}

func readCompose(t *testing.T) (file composeFile) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(document(t, "compose.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// Any setting in .env reaches Watchbill, and one without which it would be worthless is asked for.
func TestComposePassesSettingsOn(t *testing.T) {
	t.Parallel()
	watchbill := readCompose(t).Services["watchbill"]
	if len(watchbill.EnvFile) != 1 || watchbill.EnvFile[0].Path != ".env" || watchbill.EnvFile[0].Required {
		t.Errorf("env_file is %+v, want .env if there is one", watchbill.EnvFile)
	}
	for _, name := range []string{"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "WATCHBILL_SECRET"} {
		if got := watchbill.Environment[name]; !strings.HasPrefix(got, "${"+name+":?") {
			t.Errorf("%s is %q, want it to be required", name, got)
		}
	}
	for _, name := range []string{"WATCHBILL_PUBLIC_URL", "WATCHBILL_TRUSTED_PROXIES"} {
		if got := watchbill.Environment[name]; !strings.HasPrefix(got, "${"+name+":-") {
			t.Errorf("%s is %q, want it to be that of .env first", name, got)
		}
	}
	if want := "${WATCHBILL_BIND:-${WATCHBILL_DOMAIN:+127.0.0.1}}:8080:8080"; !slices.Contains(watchbill.Ports, want) {
		t.Errorf("ports are %q, want %q: beside a proxy that does TLS only for this machine", watchbill.Ports, want)
	}
}

// The loop of backups keeps a week, and the newest always, however often its container starts.
func TestComposeKeepsDumpsByAge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hours []int // how old the dumps are that are there
		fails bool
		keeps []int
		dumps bool
	}{
		"the first":                    {nil, false, nil, true},
		"a start soon after another":   {[]int{1, 2, 3, 4, 5, 6, 7, 8, 9}, false, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, false},
		"the next day":                 {[]int{24, 48, 169}, false, []int{24, 48}, true},
		"one that fails":               {[]int{48, 167}, true, []int{48, 167}, false},
		"one that fails for two weeks": {[]int{300, 324}, true, []int{300}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Now()
			dumps := dumpOnce(t, now, c.hours, c.fails)
			var kept []int
			made := false
			for _, dump := range dumps {
				age := slices.IndexFunc(c.hours, func(h int) bool { return dump == dumpName(now, h) })
				switch {
				case age >= 0:
					kept = append(kept, c.hours[age])
				case strings.HasSuffix(dump, ".dump"):
					made = true
				default:
					t.Errorf("there is a %s, want only whole dumps", dump)
				}
			}
			slices.Sort(kept)
			if !slices.Equal(kept, c.keeps) || made != c.dumps {
				t.Errorf("it keeps dumps of %v hours and makes one: %v; want %v, %v", kept, made, c.keeps, c.dumps)
			}
		})
	}
}

func dumpName(now time.Time, hours int) string {
	return now.Add(-time.Duration(hours)*time.Hour).UTC().Format("watchbill-20060102T15") + "0000Z.dump"
}

// dumpOnce goes once through the loop of compose.yaml and returns the files there after it.
func dumpOnce(t *testing.T, now time.Time, hours []int, fails bool) (names []string) {
	t.Helper()
	dir, programs := t.TempDir(), t.TempDir()
	for _, h := range hours {
		path, at := filepath.Join(dir, dumpName(now, h)), now.Add(-time.Duration(h)*time.Hour)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "watchbill-20260101T000000Z.dump.part"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	executable(t, programs, "pg_dump", fmt.Sprintf("for a; do case $a in --file=*) : >\"${a#--file=}\" ;; esac; done\nexit %d\n", map[bool]int{true: 1}[fails]))
	executable(t, programs, "sleep", "exit 42\n") // ends the loop
	backup := readCompose(t).Services["backup"]
	if !backup.Init {
		t.Error("backup has no init, want one: it wouldn't stop when told to")
	}
	command, _ := backup.Command.([]any)
	script := strings.NewReplacer("$$", "$", "/backups", dir).Replace(fmt.Sprint(command...))
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
	cmd.Env = []string{"PATH=" + programs + ":" + os.Getenv("PATH")}
	if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 42 {
		t.Fatalf("%v\n%s", err, out)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A service with PrivateUsers=yes has its capabilities only in a user namespace of its own, where they don't reach port 443.
func TestDropInsGiveLowPorts(t *testing.T) {
	t.Parallel()
	if !strings.Contains(document(t, "deploy/systemd/watchbill.service"), "PrivateUsers=yes") {
		t.Fatal("the unit has no PrivateUsers=yes: docs/install.md takes it back in vain")
	}
	for _, dropIn := range regexp.MustCompile(`(?m)^    \[Service\]\n(?:    .+\n)+`).FindAllString(document(t, "docs/install.md"), -1) {
		if strings.Contains(dropIn, "CAP_NET_BIND_SERVICE") && !strings.Contains(dropIn, "PrivateUsers=no") {
			t.Errorf("docs/install.md has\n%s\nwant PrivateUsers=no in it", dropIn)
		}
	}
}

// Both recipes of the Debian package hold what its files speak of.
func TestPackageHasItsDocuments(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"deploy/nfpm.yaml", ".goreleaser.yaml"} {
		for _, name := range []string{"settings.md", "CHANGELOG.md", "manifest.yaml"} {
			if want := "dst: /usr/share/doc/watchbill/" + name + ","; !strings.Contains(document(t, file), want) {
				t.Errorf("%s has no %q", file, want)
			}
		}
	}
}
