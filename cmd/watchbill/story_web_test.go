package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// browsers: there are pages for browsers. It must come before start.
func (s *story) browsers(_ *testscript.TestScript, _ bool, _ []string) {
	s.web = webSettings{on: true}
	s.browser = map[string]*http.Client{}
}

var signInLink = regexp.MustCompile(`/sign-in/link/[A-Z0-9]+`)

// signin PERSON TEXT: opens the link in the text in the person's browser, and presses its button.
func (s *story) signin(ts *testscript.TestScript, neg bool, args []string) {
	path := signInLink.FindString(ts.ReadFile(args[1]))
	if path == "" {
		ts.Fatalf("there is no link to sign in")
	}
	s.openPage(ts, args[0], path) // as Slack does, too, which must not use it up
	code, text := s.sendForm(ts, args[0], path, url.Values{})
	if signed := code == http.StatusOK; signed == neg {
		ts.Fatalf("answered %d: %s", code, text)
	}
	s.printPage(ts, text)
}

// browse PERSON PATH [BUTTON]: opens a page in the person's browser, presses a button on it, and prints what it shows.
func (s *story) browse(ts *testscript.TestScript, _ bool, args []string) {
	text := s.openPage(ts, args[0], args[1])
	if len(args) > 2 {
		button := regexp.MustCompile(`<button name="do" value="([a-z]+)"[^>]*>` + regexp.QuoteMeta(args[2])).FindStringSubmatch(text)
		if button == nil {
			ts.Fatalf("there is no button %s: %s", args[2], pageWords(text))
		}
		_, text = s.sendForm(ts, args[0], args[1], url.Values{"do": {button[1]}})
		s.settle(ts)
	}
	s.printPage(ts, text)
}

// browserOf returns somebody's browser, which keeps its cookies.
func (s *story) browserOf(name string) *http.Client {
	if s.browser[name] == nil {
		jar, _ := cookiejar.New(nil) // it can't fail
		s.browser[name] = &http.Client{Jar: jar}
	}
	return s.browser[name]
}

func (s *story) openPage(ts *testscript.TestScript, name, path string) string {
	resp, err := s.browserOf(name).Get("http://" + s.addr + path)
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	return string(text)
}

func (s *story) sendForm(ts *testscript.TestScript, name, path string, form url.Values) (int, string) {
	resp, err := s.browserOf(name).PostForm("http://"+s.addr+path, form)
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	return resp.StatusCode, string(text)
}

func (s *story) printPage(ts *testscript.TestScript, text string) {
	_, err := fmt.Fprintln(ts.Stdout(), pageWords(text))
	ts.Check(err)
}

var pageTag = regexp.MustCompile(`<[^>]*>`)

// pageWords returns the visible text of a page.
func pageWords(text string) string {
	return strings.Join(strings.Fields(pageTag.ReplaceAllString(text, " ")), " ")
}
