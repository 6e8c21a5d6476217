package main

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// indented nests by indentation.
func indented(n int, mark string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + mark + "\n")
	}
	return b.String()
}

// bombs are small files that once took gigabytes, and their relatives.
func bombs() map[string]string {
	all := map[string]string{
		"indented keys": indented(1500, "a:"), "indented dashes": indented(1500, "-"), "wide dashes": indented(1200, strings.Repeat("- ", 40)),
		"aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n" + strings.Repeat("b: &a [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n", 12), "large": strings.Repeat("# x\n", 1<<20),
		"opened in a text": "x: |\n  \"\nusers: " + strings.Repeat("[", 100_000), "lines": strings.Repeat("[\n", 50_000), "mixed lines": strings.Repeat("a, [{a: [\n", 20_000),
	}
	all["documents"] = strings.Repeat("---\nusers: [{name: Ann, slack: U0ANN}]\n", 10_000)
	for _, unit := range []string{
		"[", "{", "]", "}", "[{a: ", "{a:", "[[]", "- ", "? ", "a: ", ": ", "&a ", "*a ", "!!seq ", "!a ", "<<: ", "<<: *a ", "- &a ", "- - ", "- ? ", "'", "\"", "|\n", ">\n", ",", "---\n", "-\n", "%", "@", "\t", "\r", "#", "# \n", "a\n ", "\u2028", "\ufeff",
	} {
		all["many "+unit] = strings.Repeat(unit, 200_000/len(unit))
	}
	return all
}

func TestYAMLBombsAreRefused(t *testing.T) {
	for name, text := range bombs() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := parseSetup([]byte(text))
		runtime.ReadMemStats(&after)
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 400 {
			t.Errorf("%q: %d MiB for %d KB, %.200v, want at most 400", name, used, len(text)>>10, err)
		}
	}
}

func TestLargeSetups(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"one line": "users: [" + strings.Repeat("{name: Ann, slack: U0ANN},", 20_000) + "]",
		"lines":    "users:\n" + strings.Repeat("  - name: \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"\n    slack: U0ANN\n", 5_000),
	} {
		setup, err := parseSetup([]byte(text))
		if err != nil || len(setup.Users) < 5_000 {
			t.Errorf("%s: %d users, %.200v, want at least 5_000", name, len(setup.Users), err)
		}
	}
	if _, err := parseSetup([]byte(strings.Repeat("[", 51))); err == nil || err.Error() != "line 1: it is nested more than 50 deep" {
		t.Errorf("the error is %v, want that it is nested too deep", err)
	}
}

// The parser crashes on lists with a tag, which have no use in a set-up.
func TestYAMLTagsAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"users: !!binary aGk=\n": "line 1: tags such as !!binary can't be used", "users:\n  - {name: !!str Ann}\n": "line 2: tags such as !!str can't be used",
		"users: !x\n": "line 1: tags such as !x can't be used", "users: !!seq\n": "line 1: tags such as !!seq can't be used",
		"teams: !!null x\n": "line 1: tags such as !!null can't be used", "users: [{name: \"!!str Ann\", slack: U0ANN}]\n": "<nil>",
	} {
		if _, err := parseSetup([]byte(text)); fmt.Sprint(err) != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
