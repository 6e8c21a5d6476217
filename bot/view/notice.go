package view

import (
	"strings"

	"github.com/slack-go/slack"

	"github.com/watchbill/watchbill/oncall"
)

// noticeViews draws each kind of notice. Pure: facts in, words and blocks out.
var noticeViews = map[oncall.NoticeKind]func(oncall.Notice) Drawing{
	oncall.NoticeSwapAsk: drawSwap, oncall.NoticeSwapSent: drawSwap, oncall.NoticeSwapNews: drawSwap, oncall.NoticeSwapDone: drawSwap,
	oncall.NoticeComing: drawComing, oncall.NoticeGoing: drawGoing, oncall.NoticeHandoff: drawHandoff, oncall.NoticeUnanswered: drawUnanswered,
	oncall.NoticeReminder: drawReminder, oncall.NoticeMoved: drawMoved, oncall.NoticeCoverage: drawCoverage, oncall.NoticeGroup: drawTrouble,
	oncall.NoticeCoverAsk: drawCover, oncall.NoticeCoverSent: drawCover, oncall.NoticeCoverNews: drawCover, oncall.NoticeCoverDone: drawCover,
	oncall.NoticeContact: drawContactOff, oncall.NoticeContactOn: drawContactOn, oncall.NoticeSilent: drawContactSilent,
	oncall.NoticeUnsent: drawContactUnsent, oncall.NoticeProof: drawProof, oncall.NoticeTest: drawTest,
	oncall.NoticeBlocked: drawBlocked, oncall.NoticeUnreached: drawUnreached, oncall.NoticeBundle: DrawBundle,
	oncall.NoticeStillOn: drawStillOn, oncall.NoticeUnacked: drawUnacked, oncall.NoticeUnassigned: drawUnassigned,
}

// DrawNotice draws a notice. A kind that this version does not know, because a newer
// one wrote it, is told by its sentences.
func DrawNotice(n oncall.Notice) Drawing {
	if view := noticeViews[n.Kind]; view != nil {
		return view(n)
	}
	return drawLines(n)
}

// drawLines shows the sentences of a notice.
func drawLines(n oncall.Notice) Drawing {
	text := strings.Join(n.Facts.Lines, "\n")
	return Drawing{Text: text, Blocks: []slack.Block{section(text)}}
}

// drawTrouble tells an admin what is wrong with a user group.
func drawTrouble(n oncall.Notice) Drawing {
	text := ":warning: " + strings.Join(n.Facts.Lines, "\n")
	return Drawing{Text: text, Blocks: []slack.Block{section(text)}}
}
