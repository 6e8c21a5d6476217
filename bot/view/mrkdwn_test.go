package view

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/watchbill/watchbill/oncall"
)

func TestForReaderWritesTimesInTheirZone(t *testing.T) {
	t.Parallel()
	berlin := location("Europe/Berlin")
	got := forReader("at "+stamp(noon, asTime, time.UTC)+", "+stamp(noon, asDay, time.UTC)+", "+stamp(noon, asAgo, time.UTC)+", <@U0ANN> & <https://example.com|x>", berlin)
	want := "at 13:00, Mon 2 Mar 13:00, " + stamp(noon, asAgo, time.UTC) + ", <@U0ANN> & <https://example.com|x>"
	if got != want {
		t.Errorf("the text for one reader is %q, want %q", got, want)
	}
}

func TestForeignTextIsEscapedAndCut(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in    string
		limit int
		want  string
	}{
		{"plain", 10, "plain"},
		{"exactly10!", 10, "exactly10!"},
		{"one too many", 11, "one too ma…"},
		{" two\n lines\t", 20, "two lines"},
		{"<!here> & co", 40, "&lt;!here&gt; &amp; co"},
		{"db-1 \u202efull\u2066 disk", 40, "db-1 full disk"},
		{"a&b", 5, "a…"}, // "a&amp;b" has seven characters
		{"a&b", 6, "a…"},
		{"a&b", 7, "a&amp;b"},
		{"日本語テスト", 4, "日本語…"},
		{"bad\xff\x00end", 20, "bad�\u0020end"},
	}
	for _, c := range cases {
		if got := Foreign(c.in, c.limit); got != c.want {
			t.Errorf("foreign(%q, %d) = %q; want %q", c.in, c.limit, got, c.want)
		}
	}
}

func FuzzForeign(f *testing.F) {
	f.Add("<@U1> & ünï\x00\xff", 7)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 1 + (limit&0x7fffffff)%3000
		for _, got := range []string{Foreign(s, limit), foreignLines(s, limit, 5)} {
			if n := utf8.RuneCountInString(got); n > limit || !utf8.ValidString(got) {
				t.Fatalf("%q became %q with %d characters, want valid UTF-8 of at most %d", s, got, n, limit)
			}
			if strings.ContainsAny(got, "<>") {
				t.Fatalf("%q became %q, want no brackets", s, got)
			}
		}
	})
}

func TestForeignSentenceKeepsOnlyOurMentions(t *testing.T) {
	t.Parallel()
	nasty := "two\n <@U0BO>  & <!here>" + strings.Repeat("x", 50)
	got := foreignSentence(oncall.Say(" %s asks: %s|%s ", oncall.UserID("U0ANN"), nasty, oncall.UserID("U0CY")), 50)
	if want := "<@U0ANN> asks: two &lt;@U0BO&gt; &amp; &lt;!here&gt;xxxxx…<@U0CY>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := foreignSentence(nil, 50); got != "" {
		t.Errorf("nothing became %q, want nothing", got)
	}
}

// The rest of the product refers to people by id, and each channel formats them in its own way.
func TestOnlyViewsMention(t *testing.T) {
	t.Parallel()
	const root = "../.."
	found := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		view := path == filepath.Join(root, "bot", "view")
		switch {
		case err != nil:
			return err
		case d.IsDir() && (view || d.Name() == "slacksim" || d.Name() == "hostile"):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		found++
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && strings.Contains(l.Value, "<@") {
				t.Errorf("%s: the string %s has a mention, want mentions only in bot/view", files.Position(l.Pos()), l.Value)
			}
			return true
		})
		return nil
	})
	if err != nil || found < 100 {
		t.Errorf("%d files were checked, %v; want at least 100", found, err)
	}
}

func TestBoldLeavesOutWhatWouldEndIt(t *testing.T) {
	t.Parallel()
	cases := []struct{ text, address, want string }{
		{"disk full", "", "*#1 disk full*"},
		{"disk_full on db~1", "", "*#1 disk_full on db~1*"},
		{"disk full", "https://example.com/_a_", "*#1 <https://example.com/_a_|disk full>*"},
		{"5 * 3", "", "*#1* 5 * 3"},
		{"job `sync` fails", "https://example.com/", "*#1* <https://example.com/|job `sync` fails>"},
		{"_total fails", "", "*#1* _total fails"},
		{"fails in ~", "", "*#1* fails in ~"},
		{"_", "", "*#1* _"},
	}
	for _, c := range cases {
		if got := bold("#1", c.text, c.address); got != c.want {
			t.Errorf("bold(%q, %q) = %q; want %q", c.text, c.address, got, c.want)
		}
	}
	if got, want := headline(oncall.Incident{Status: oncall.Triggered, Title: "*no* disk"}), ":red_circle: *Triggered:* *no* disk"; got != want {
		t.Errorf("headline %q; want %q", got, want)
	}
}

func TestLinkTakesOnlyWebAddresses(t *testing.T) {
	t.Parallel()
	cases := []struct{ address, want string }{
		{"https://example.com/a?b=1&c=2", "<https://example.com/a?b=1&amp;c=2|text>"},
		{"http://example.com/a|b>c", "<http://example.com/a%7Cb%3Ec|text>"},
		{"", "text"},
		{"javascript:alert(1)", "text"},
		{"https:///nowhere", "text"},
		{"https://example.com/" + strings.Repeat("a", 2000), "text"},
		{"https://example.com/%zz", "text"},
	}
	for _, c := range cases {
		if got := link(c.address, "text"); got != c.want {
			t.Errorf("link(%q) = %q; want %q", c.address, got, c.want)
		}
	}
}

func TestLastedRoundsDurationsDown(t *testing.T) {
	t.Parallel()
	cases := map[time.Duration]string{
		-time.Second:                  "0 seconds",
		time.Second:                   "1 second",
		59 * time.Second:              "59 seconds",
		time.Minute:                   "1 minute",
		59*time.Minute + 59e9:         "59 minutes",
		time.Hour:                     "1 hour",
		90 * time.Minute:              "1 h 30 min",
		49*time.Hour + 59*time.Minute: "2 d 1 h",
	}
	for d, want := range cases {
		if got := durationText(d); got != want {
			t.Errorf("lasted(%s) = %q; want %q", d, got, want)
		}
	}
}
