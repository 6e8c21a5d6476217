package view

import (
	"fmt"

	"github.com/watchbill/watchbill/oncall"
)

// SignInLink shows a sign-in link to the web pages.
func SignInLink(pages, address string, local bool) string {
	text := fmt.Sprintf("%s\nThis link signs you in to the pages, in the browser that opens it. It works once, for five minutes: give it to nobody.\nThe pages are at %s",
		link(address, address), link(pages+"/", pages))
	if local {
		text += "\nThey open only on Watchbill's own machine until an admin sets WATCHBILL_PUBLIC_URL."
	}
	return text
}

// browserLink links to an incident's web page; empty if there are no pages.
func browserLink(pages string, id oncall.IncidentID) string {
	if pages == "" {
		return ""
	}
	return link(fmt.Sprintf("%s/incidents/%d", pages, id), "Open in a browser")
}
