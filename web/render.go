package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/watchbill/watchbill/oncall"
	"github.com/watchbill/watchbill/oncall/access"
	"github.com/watchbill/watchbill/store"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static/*
var staticFiles embed.FS

// templates are the pages by name, each inside the frame.
var templates = func() map[string]*template.Template {
	frame := template.Must(template.New("").Funcs(template.FuncMap{
		"asset": asset, "count": count, "dict": dict, "hours": hours, "states": func() []choice { return states },
	}).ParseFS(templateFiles, "templates/frame.html", "templates/parts.html"))
	files, _ := fs.Glob(templateFiles, "templates/*.html")
	out := map[string]*template.Template{}
	for _, f := range files {
		name := strings.TrimSuffix(path.Base(f), ".html")
		if name != "frame" && name != "parts" {
			out[name] = template.Must(template.Must(frame.Clone()).ParseFS(templateFiles, f))
		}
	}
	return out
}()

// assets are static files that browsers may cache: their names change with their contents.
var assets, assetNames = func() (map[string][]byte, map[string]string) {
	files, names := map[string][]byte{}, map[string]string{}
	all, _ := staticFiles.ReadDir("static")
	for _, f := range all {
		text, err := staticFiles.ReadFile("static/" + f.Name())
		if err != nil {
			panic(fmt.Sprintf("web: read %s: %v", f.Name(), err)) // it is compiled in
		}
		sum := sha256.Sum256(text)
		ending := path.Ext(f.Name())
		name := strings.TrimSuffix(f.Name(), ending) + "-" + hex.EncodeToString(sum[:6]) + ending
		files[name], names[f.Name()] = text, name
	}
	return files, names
}()

// asset returns the path of a static file.
func asset(name string) string { return "/static/" + assetNames[name] }

var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}

func static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	text, known := assets[name]
	if !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", assetTypes[path.Ext(name)])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(text) // an error means that the browser is gone
}

// A templateData is the data of a template.
type templateData struct {
	Title, Tab string
	R          reader
	D          any
	Demo       []oncall.User // people to choose from in the demo
	Path       string
	Status     bool // the status page is on
	Live       bool // a script refreshes it
}

// write writes a page.
func (s *server) write(w http.ResponseWriter, r *http.Request, to reader, p page) {
	switch {
	case p.done:
		return
	case p.to != "":
		http.Redirect(w, r, s.base+p.to, http.StatusSeeOther)
		return
	}
	f := templateData{Title: p.title, Tab: p.tab, R: to, D: p.data, Path: ownPath(r.URL.RequestURI()), Live: p.live, Status: s.Status != StatusOff}
	if s.Demo != "" && to.dir != nil {
		f.Demo = demoUsers(to.dir)
	}
	var out bytes.Buffer
	if err := templates[p.name].ExecuteTemplate(&out, "frame", f); err != nil {
		panic(fmt.Errorf("web: write the page %s: %w", p.name, err)) // the template does not fit its data
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(max(p.code, http.StatusOK))
	_, _ = w.Write(out.Bytes())
}

func refused(err error) bool {
	_, ok := errors.AsType[oncall.Refusal](err)
	return ok
}

// fail renders an error. Internal errors are logged and not shown.
func (s *server) fail(w http.ResponseWriter, r *http.Request, to reader, err error) {
	p := page{name: "said"}
	denial, denied := errors.AsType[access.Denial](err)
	refusal, ok := errors.AsType[oncall.Refusal](err)
	switch {
	case denied && denial.Act == access.See, errors.Is(err, oncall.ErrNotFound): // the reader can't tell which
		p.code, p.title, p.data = http.StatusNotFound, "There is nothing here", "This page does not exist, or it is not yours to see."
	case denied:
		p.code, p.title, p.data = http.StatusForbidden, "That is not yours", to.Said(denial.Refusal)
	case ok:
		p.code, p.title, p.data = http.StatusConflict, "Nothing was changed", to.Said(refusal)
	case store.IsUnavailable(err):
		p.code, p.title, p.data = http.StatusServiceUnavailable, "The database does not answer", "Please try again in a moment. Pages and escalations go on as soon as it is back."
		w.Header().Set("Retry-After", "5")
	default:
		p.code, p.title, p.data = http.StatusInternalServerError, "Watchbill failed on this page", "Its log says why."
	}
	if p.code >= http.StatusInternalServerError && r.Context().Err() == nil {
		s.outages.Error().Err(err).Str("route", r.Pattern).Msg("page not served")
	}
	s.write(w, r, to, p)
}

// count formats "1 incident" or "7 incidents".
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// list joins words with commas and "and".
func list(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// dict passes named arguments to a template.
func dict(pairs ...any) map[string]any {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return out
}

// percent formats a fraction for SVG.
func percent(part, whole float64) string {
	if whole <= 0 {
		return "0%"
	}
	return strconv.FormatFloat(math.Round(part/whole*100_000)/1_000, 'f', -1, 64) + "%"
}
