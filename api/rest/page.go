package rest

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// A documentedOperation is an operation as the page shows it.
type documentedOperation struct {
	Method, Path, Summary, About, Scope, Curl string
	Params                                    []documentedParam
}

type documentedParam struct{ Name, In, About string }

// operationsPage lists all operations, each with a command line to try it. It has no script, and is
// rendered once.
func operationsPage(doc *huma.OpenAPI) http.HandlerFunc {
	var all []documentedOperation
	for path, item := range doc.Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete, "PATCH": item.Patch} {
			if op == nil {
				continue
			}
			o := documentedOperation{Method: method, Path: path, Summary: op.Summary, About: op.Description, Scope: string(scopeOf(op)), Curl: curl(method, path, op)}
			for _, p := range op.Parameters {
				o.Params = append(o.Params, documentedParam{p.Name, p.In, p.Description})
			}
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b documentedOperation) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, map[string]any{"CSS": template.CSS(pageCSS), "Operations": all, "Base": Base}); err != nil { //nolint:gosec // our own style sheet
		panic(fmt.Sprintf("rest: write the page: %v", err)) // the template doesn't change
	}
	hash := sha256.Sum256([]byte(pageCSS))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		_, _ = w.Write(out.Bytes())
	}
}

// curl returns a command line to try an operation.
func curl(method, path string, op *huma.Operation) string {
	line := `curl -H "Authorization: Bearer $WATCHBILL_KEY"`
	if method != http.MethodGet {
		line += " -X " + method
	}
	if op.RequestBody != nil {
		line += ` -H 'Content-Type: application/json' -d @body.json`
	}
	return line + ` "$WATCHBILL_URL` + path + `"`
}
