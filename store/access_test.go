package store_test

import (
	"go/ast"
	"strings"
	"testing"
)

// withoutActor are the exported methods of Store that take no actor, and why.
var withoutActor = map[string]string{
	"Answer":         "the address or the token that it came from says who",
	"SwitchContacts": "so here: STOP counts from whoever has the phone",
	"ProveContact":   "the code says whose contact method it is",
	"ReadToken":      "the token says who",
	"TokenIsKnown":   "it asks about a token, and tells nothing of what it is for",
	"Bundle":         "the key of a message that is being sent",
	"Roots":          "where messages are that Slack shows or hides by itself",
	"Pressed":        "it notes in Slack's stead which message was pressed",
	"PressDrawn":     "so here",
	"NoticeDrawn":    "so here: where a message is",
	"FirstSeen":      "whether Slack has delivered something before",
	"Forget":         "so here",
	"SaveUser":       "what Slack says of people",
	"SaveChannels":   "what Slack says of channels",
	"ChannelRenamed": "so here",
	"ChannelMoved":   "so here",
	"ChannelClosed":  "so here",
	"ChannelOpened":  "so here",
	"Workspace":      "what Slack says of the workspace",
	"SaveWorkspace":  "so here",
}

// Whatever people can do through a Store asks whether they may: its methods take the actor.
func TestEveryMethodForPeopleTakesTheActor(t *testing.T) {
	t.Parallel()
	_, parsed := sources(t)
	met := map[string]bool{}
	for _, file := range parsed {
		for _, d := range file.Decls {
			f, is := d.(*ast.FuncDecl)
			if !is || f.Recv == nil || !f.Name.IsExported() || receiver(f) != "Store" {
				continue
			}
			met[f.Name.Name] = true
			_, excepted := withoutActor[f.Name.Name]
			switch takes := takesActor(f); {
			case !takes && !excepted:
				t.Errorf("%s takes no actor: ask whether they may, or say here why not", f.Name.Name)
			case takes && excepted:
				t.Errorf("%s takes an actor, and needs no exception", f.Name.Name)
			}
		}
	}
	for name := range withoutActor {
		if !met[name] {
			t.Errorf("there is no method %s", name)
		}
	}
	if len(met) < 60 {
		t.Errorf("found %d methods, want at least 60", len(met))
	}
}

func receiver(f *ast.FuncDecl) string {
	star, is := f.Recv.List[0].Type.(*ast.StarExpr)
	if !is {
		return ""
	}
	name, _ := star.X.(*ast.Ident)
	return name.Name
}

func takesActor(f *ast.FuncDecl) bool {
	for _, p := range f.Type.Params.List {
		kind, is := p.Type.(*ast.SelectorExpr)
		if is && kind.Sel.Name == "Actor" && strings.EqualFold(p.Names[0].Name, "by") {
			return true
		}
	}
	return false
}
