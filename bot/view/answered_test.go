package view

import (
	"testing"

	"github.com/slack-go/slack"
)

// An answer takes the place of the button that was pressed; the others stay.
func TestAnswerReplacesButtons(t *testing.T) {
	t.Parallel()
	blocks := []slack.Block{section("One of your shifts"), slack.NewActionBlock("", button(ActionAwayCover, "1", "Ask for cover"), button(ActionAwayCancel, "1", "Cancel"))}
	got, found := Answered(blocks, string(ActionAwayCover), "Asked.")
	if !found || len(got) != 3 {
		t.Fatalf("%d blocks, %t, want the text, the other button and the answer", len(got), found)
	}
	if left := got[1].(*slack.ActionBlock).Elements.ElementSet; len(left) != 1 || left[0].(*slack.ButtonBlockElement).ActionID != string(ActionAwayCancel) {
		t.Errorf("left are %+v, want Cancel", left)
	}
	if text := got[2].(*slack.SectionBlock).Text.Text; text != "Asked." {
		t.Errorf(`the answer is %q, want "Asked."`, text)
	}
	if n := len(blocks[1].(*slack.ActionBlock).Elements.ElementSet); n != 2 {
		t.Errorf("the message that was given has %d buttons left, want both", n)
	}
	if got, found = Answered(got, string(ActionAwayCancel), "Cancelled."); !found || len(got) != 3 {
		t.Errorf("%d blocks, %t, want a text for each", len(got), found)
	}
	if _, found = Answered(got, string(ActionAwayCancel), "Cancelled."); found {
		t.Error("a button that is gone was found")
	}
}
