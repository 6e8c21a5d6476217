// Command notices prints the licences of the modules that are in the program.
//
//	go run ./cmd/notices > bin/THIRD_PARTY_NOTICES
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module
}

// licenceFile matches how such files are called.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	modules, err := inProgram(ctx)
	if err != nil {
		return err
	}
	seen := map[[32]byte]string{}
	fmt.Fprintf(out, "Watchbill contains the Go standard library and these modules.\n\n")
	for _, m := range modules {
		fmt.Fprintf(out, "%s %s\n", m.Path, m.Version)
	}
	for _, m := range modules {
		texts, err := licences(m.Dir)
		if err != nil {
			return err
		}
		if len(texts) == 0 {
			return fmt.Errorf("%s has no file with its licence", m.Path)
		}
		fmt.Fprintf(out, "\n%s\n%s %s\n\n", strings.Repeat("=", 72), m.Path, m.Version)
		for _, text := range texts {
			sum := sha256.Sum256(text)
			if of, ok := seen[sum]; ok {
				fmt.Fprintf(out, "The same text as of %s.\n", of)
				continue
			}
			seen[sum] = m.Path
			fmt.Fprintf(out, "%s\n", bytes.TrimSpace(text))
		}
	}
	return nil
}

// inProgram returns the modules that the program is built of, and the standard library.
func inProgram(ctx context.Context) ([]module, error) {
	text, err := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Module", "./cmd/watchbill").Output()
	if err != nil {
		return nil, err
	}
	all := []module{{Path: "Go", Version: runtime.Version(), Dir: strings.TrimSpace(goroot(ctx))}}
	for dec := json.NewDecoder(bytes.NewReader(text)); ; {
		var p struct{ Module *module }
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			slices.SortFunc(all[1:], func(a, b module) int { return strings.Compare(a.Path, b.Path) })
			return slices.CompactFunc(all, func(a, b module) bool { return a.Path == b.Path }), nil
		case err != nil:
			return nil, err
		}
		switch m := p.Module; {
		case m == nil || m.Main:
		case m.Replace != nil:
			all = append(all, *m.Replace)
		default:
			all = append(all, *m)
		}
	}
}

func goroot(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// licences reads the files with a licence in a module's own folder.
func licences(dir string) (texts [][]byte, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}
