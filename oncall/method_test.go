package oncall

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// declared returns the constants whose names begin with Method, by their values.
func declared(t *testing.T) []Method {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "method.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []Method
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Method") {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, Method(value))
		}
		return true
	})
	return out
}

func TestEveryMethodHasOneRow(t *testing.T) {
	t.Parallel()
	want, got := declared(t), []Method{}
	for _, info := range methods {
		got = append(got, info.Method)
	}
	slices.Sort(want)
	slices.Sort(got)
	equal(t, "rows", got, want)
}

func TestEveryRowIsComplete(t *testing.T) {
	t.Parallel()
	for _, info := range methods {
		wrong := func(what string) { t.Errorf("%s: %s", info.Method, what) }
		if info.Name == "" || !strings.EqualFold(info.Title, info.Name) {
			wrong("name and title are not the same")
		}
		if info.Check == nil { // it is Slack's
			continue
		}
		if (info.Label == "") != (info.Hint == "") {
			wrong("a label and a hint belong together")
		}
		if _, err := info.Method.CheckAddress(""); (err == nil) != (info.Label == "") {
			wrong("an address is missing exactly where none is typed")
		}
		if (info.Kind == "") != (info.Setting == "") {
			wrong("a kind and a setting belong together")
		}
		if info.Programs != (info.Acts == "") || info.Programs && info.Wakes {
			wrong("it is for people or for programs")
		}
		_, number := info.Check("+12025550100")
		_, mail := info.Check("ann@example.com")
		if info.IsPhone != (number == nil && mail != nil) && info.Label != "" {
			wrong("it is a phone's exactly where a number is typed")
		}
		if info.High == nil && info.Low == nil {
			wrong("it pages nobody who has made no rules")
		}
	}
	for _, info := range []MethodInfo{Method("pigeon").Info(), Method("").Info()} {
		if info.Name != string(info.Method) || info.Check != nil {
			t.Errorf("an unknown method is %+v; want Name %v and Check nil", info, string(info.Method))
		}
	}
}

func TestCheckAddressNormalizesOrRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method        Method
		address, want string
	}{
		{MethodSMS, " +1 (202) 555-0100 ", "+12025550100"},
		{MethodVoice, "0049 30 1234567", "+49301234567"},
		{MethodSMS, "202 555 0100", ""},
		{MethodSMS, "+0123456789", ""},
		{MethodEmail, "ann@example.com", "ann@example.com"},
		{MethodEmail, "Ann <ann@example.com>", ""},
		{MethodEmail, "ann", ""},
		{MethodNtfy, "ann-pages", "ann-pages"},
		{MethodNtfy, "https://ntfy.example.com/ann", "https://ntfy.example.com/ann"},
		{MethodNtfy, "ann pages", ""},
		{MethodNtfy, "http://127.0.0.1:80/err?anything=1&x=/topic", ""},
		{MethodNtfy, "https://ntfy.example.com/ann?", ""},
		{MethodNtfy, "https://ntfy.example.com/ann?x=1", ""},
		{MethodNtfy, "https://ntfy.example.com/ann#top", ""},
		{MethodNtfy, "https://ntfy.example.com/a%2fb", ""},
		{MethodNtfy, "https://ntfy.example.com/admin/ann", ""},
		{MethodNtfy, "https://:443/ann", ""},
		{MethodPushover, strings.Repeat("u", 30), strings.Repeat("u", 30)},
		{MethodPushover, "u", ""},
		{MethodTelegram, "-100123", "-100123"},
		{MethodTelegram, "@ann", ""},
		{MethodWebhook, "https://example.com/page?x=1", "https://example.com/page?x=1"},
		{MethodWebhook, "https://ann:secret@example.com", ""},
		{MethodWebhook, "file:///etc/passwd", ""},
		{MethodSlack, "U1", ""},
		{"pigeon", "coop", ""},
		{MethodEmail, strings.Repeat("a", 300) + "@example.com", ""},
	} {
		got, err := c.method.CheckAddress(c.address)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %q: got %q, %v, want %q", c.method, c.address, got, err, c.want)
		}
	}
	if got, err := MethodTelegram.CheckAddress(""); got != "" || err != nil {
		t.Errorf(`Telegram without an address: %q, %v, want ""`, got, err)
	}
}
