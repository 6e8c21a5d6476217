package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The major versions that Watchbill runs on.
const (
	oldest = 14
	newest = 18
)

// binDirs lists where systems keep the server's programs, relative to the root.
var binDirs = []string{
	"usr/lib/postgresql/*/bin",
	"usr/pgsql-*/bin",
	"usr/libexec/postgresql*",
	"opt/homebrew/opt/postgresql*/bin",
	"usr/local/opt/postgresql*/bin",
	"home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
	"Applications/Postgres.app/Contents/Versions/*/bin",
	"run/current-system/sw/bin",
}

// Install is one set of PostgreSQL programs.
type Install struct {
	Dir   string // holds initdb and postgres
	Major int
}

// Find returns every usable PostgreSQL on the machine, the preferred one first: only the one in
// WATCHBILL_PG_BIN if that is set, otherwise those on PATH and in the known places, newest first,
// then the one fetched earlier. Nothing is fetched. It is not an error if there is none.
func Find(ctx context.Context, options Options) ([]Install, error) {
	options = options.withDefaults()
	if dir := options.Getenv("WATCHBILL_PG_BIN"); dir != "" {
		install, err := inspect(ctx, dir)
		if err != nil {
			return nil, fmt.Errorf("WATCHBILL_PG_BIN: %w", err)
		}
		return []Install{install}, nil
	}
	var dirs []string
	for _, dir := range filepath.SplitList(options.Getenv("PATH")) {
		// initdb may be a link into the directory that has all the other programs.
		if real, err := filepath.EvalSymlinks(filepath.Join(dir, "initdb")); err == nil && filepath.IsAbs(dir) {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	for _, pattern := range binDirs {
		found, _ := filepath.Glob(filepath.Join(options.Root, pattern)) // only a bad pattern is an error
		dirs = append(dirs, found...)
	}
	var installs []Install
	for _, dir := range dirs {
		if slices.ContainsFunc(installs, func(i Install) bool { return i.Dir == dir }) {
			continue
		}
		if install, err := inspect(ctx, dir); err == nil {
			installs = append(installs, install)
		}
	}
	slices.SortStableFunc(installs, func(a, b Install) int { return b.Major - a.Major })
	// System packages come before what was fetched earlier.
	if cache, err := options.cachedBin(); err == nil {
		if install, err := inspect(ctx, cache); err == nil {
			installs = append(installs, install)
		}
	}
	return installs, ctx.Err()
}

var version = regexp.MustCompile(`^postgres \(PostgreSQL\) (\d+)`)

// inspect asks the programs in dir for their version.
func inspect(ctx context.Context, dir string) (Install, error) {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, program)); err != nil {
			return Install{}, fmt.Errorf("no program %s in %s", program, dir)
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return Install{}, fmt.Errorf("run %s/postgres: %w", dir, err)
	}
	m := version.FindSubmatch(out)
	if m == nil {
		return Install{}, fmt.Errorf("%s/postgres is not PostgreSQL: %q", dir, out)
	}
	major, err := strconv.Atoi(string(m[1]))
	if err != nil || major < oldest || major > newest {
		return Install{}, fmt.Errorf("%s has PostgreSQL %s, needed is %d to %d", dir, m[1], oldest, newest)
	}
	return Install{Dir: dir, Major: major}, nil
}

// choose picks the version that wrote the existing data, otherwise the newest, otherwise fetches one.
func (o Options) choose(ctx context.Context, base string) (Install, error) {
	installs, err := Find(ctx, o)
	if err != nil {
		return Install{}, err
	}
	var have []int
	if o.Durable && !o.Fresh {
		have = majors(base)
	}
	for _, major := range have {
		for _, install := range installs {
			if install.Major == major {
				return install, nil
			}
		}
	}
	// Fetched programs only help with data of their own major version.
	fetchable := len(have) == 0 || slices.Contains(have, pinnedMajor)
	if len(installs) == 0 && fetchable {
		install, err := o.fetch(ctx)
		if err != nil && ctx.Err() == nil {
			err = o.notFound(err)
		}
		return install, err
	}
	if len(have) > 0 {
		return Install{}, o.wrongMajor(base, have, installs)
	}
	return installs[0], nil
}

// majors lists the versions that have data in base, newest first.
func majors(base string) []int {
	files, _ := filepath.Glob(filepath.Join(base, "pg*", "PG_VERSION"))
	var list []int
	for _, f := range files {
		name := filepath.Base(filepath.Dir(f))
		if n, err := strconv.Atoi(strings.TrimPrefix(name, "pg")); err == nil {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	slices.Reverse(list)
	return list
}

func (o Options) wrongMajor(base string, have []int, installs []Install) error {
	found := "none"
	if len(installs) > 0 {
		var list []string
		for _, i := range installs {
			list = append(list, strconv.Itoa(i.Major))
		}
		found = "only " + strings.Join(slices.Compact(list), ", ")
	}
	return fmt.Errorf("your demo data were written by PostgreSQL %d, found %s: install %d, or `make run RESET=1` to start empty (the old data stay in %s)",
		have[0], found, have[0], filepath.Join(base, "pg"+strconv.Itoa(have[0])))
}

// notFound explains what to do on a machine without PostgreSQL.
func (o Options) notFound(reason error) error {
	var b strings.Builder
	fmt.Fprintf(&b, "No PostgreSQL (%d to %d) was found, and it could not be fetched: %v.\n", oldest, newest, reason)
	places := append([]string{"WATCHBILL_PG_BIN (not set)", "PATH"}, binDirs...)
	if cache, err := o.cachedBin(); err == nil {
		places = append(places, cache)
	}
	fmt.Fprintf(&b, "Looked at: %s\n", strings.Join(places, ", "))
	b.WriteString("Any one of these helps:\n")
	if command, system := o.packageCommand(); command != "" {
		fmt.Fprintf(&b, "  %-37s (this system: %s; no service is needed)\n", command, system)
	}
	b.WriteString("  export WATCHBILL_PG_BIN=<directory with initdb and postgres>\n")
	b.WriteString("  export DATABASE_URL=postgres://…      (a server you already have)")
	return errors.New(b.String())
}

// packageCommand returns the command that installs PostgreSQL on this system, if we know it.
func (o Options) packageCommand() (command, system string) {
	release := map[string]string{}
	text, err := os.ReadFile(filepath.Join(o.Root, "etc/os-release"))
	if err != nil {
		return systemPackage, systemName
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		release[key] = strings.Trim(value, `"'`)
	}
	commands := map[string]string{
		"debian": "apt-get install postgresql",
		"alpine": "apk add postgresql",
		"fedora": "dnf install postgresql-server",
		"rhel":   "dnf install postgresql-server",
		"arch":   "pacman -S postgresql",
		"suse":   "zypper install postgresql-server",
		"nixos":  "nix-env -iA nixos.postgresql",
	}
	system = strings.TrimSpace(release["NAME"] + " " + release["VERSION_ID"])
	for _, id := range append([]string{release["ID"]}, strings.Fields(release["ID_LIKE"])...) {
		if commands[id] != "" {
			return commands[id], system
		}
	}
	return "", system
}
