package main

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the list of story commands anew")

// docs/stories.md lists the commands of the stories in the words of the comments on the methods that
// do them: "name ARGUMENTS: what it does."
func TestDocumentListsEveryStoryCommand(t *testing.T) {
	t.Parallel()
	const file = "docs/stories.md"
	commands, comments := storyCommands(t)
	var list []string
	for name, method := range commands {
		said := strings.Join(strings.Fields(comments[method]), " ")
		usage, does, found := strings.Cut(said, ": ")
		if word, _, _ := strings.Cut(usage, " "); !found || word != name {
			t.Errorf("the comment on %s should begin with %q and its arguments, then a colon; it is %q", method, name, said)
		}
		list = append(list, "- `"+usage+"`: "+does+"\n")
	}
	if len(list) < 50 {
		t.Errorf("found %d commands only: has the form of the table changed? want at least 50", len(list))
	}
	slices.Sort(list)
	text, want := document(t, file), strings.Join(list, "")
	before, rest, _ := strings.Cut(text, "\n- `")
	_, after, _ := strings.Cut("\n- `"+rest, "\n\n## ")
	wanted := before + "\n" + want + "\n## " + after
	if *update {
		if err := os.WriteFile("../../"+file, []byte(wanted), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(wanted, text); diff != "" {
		t.Errorf("%s (run with -update to write it anew; -want +got):\n%s", file, diff)
	}
}

// storyCommands gives the method of each command, and the comments of all methods.
func storyCommands(t *testing.T) (commands, comments map[string]string) {
	t.Helper()
	commands, comments = map[string]string{}, map[string]string{}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv != nil && n.Doc != nil {
					comments[n.Name.Name] = n.Doc.Text()
				}
			case *ast.KeyValueExpr:
				key, isName := n.Key.(*ast.BasicLit)
				method, isMethod := n.Value.(*ast.SelectorExpr)
				if !isName || !isMethod {
					return true
				}
				if of, ok := method.X.(*ast.Ident); ok && of.Name == "s" && strings.HasPrefix(name, "story_") {
					if command, err := strconv.Unquote(key.Value); err == nil {
						commands[command] = method.Sel.Name
					}
				}
			}
			return true
		})
	}
	return commands, comments
}
