package view

import (
	"strings"

	"github.com/watchbill/watchbill/oncall"
)

// notices draws each kind of notice.
var notices = map[oncall.NoticeKind]func(oncall.Notice) Drawing{
	oncall.NoticeSwapAsk:      drawSwap,
	oncall.NoticeSwapSent:     drawSwap,
	oncall.NoticeSwapNews:     drawSwap,
	oncall.NoticeSwapDone:     drawSwap,
	oncall.NoticeComing:       drawComing,
	oncall.NoticeGoing:        drawGoing,
	oncall.NoticeHandoff:      drawHandoff,
	oncall.NoticeUnanswered:   drawUnanswered,
	oncall.NoticeReminder:     drawReminder,
	oncall.NoticeMoved:        drawMoved,
	oncall.NoticeCoverage:     drawCoverage,
	oncall.NoticeLeaver:       func(n oncall.Notice) Drawing { return Leaver(n, nil) },
	oncall.NoticeVoid:         drawVoid,
	oncall.NoticeHoliday:      drawHoliday,
	oncall.NoticeAwayCalendar: drawAwayCalendar,

	oncall.NoticeHolidaysUnread: drawWarning,

	oncall.NoticeGroup:        drawWarning,
	oncall.NoticeCoverAsk:     drawCover,
	oncall.NoticeCoverSent:    drawCover,
	oncall.NoticeCoverNews:    drawCover,
	oncall.NoticeCoverDone:    drawCover,
	oncall.NoticeContact:      drawContactOff,
	oncall.NoticeContactOn:    drawContactOn,
	oncall.NoticeSilent:       drawContactSilent,
	oncall.NoticePhones:       drawWarning,
	oncall.NoticePhoneRests:   drawPhoneRests,
	oncall.NoticeCanary:       drawCanary,
	oncall.NoticeUnsent:       drawContactUnsent,
	oncall.NoticeProof:        drawProof,
	oncall.NoticeTest:         drawTest,
	oncall.NoticeBlocked:      drawBlocked,
	oncall.NoticeChannel:      drawChannelRefused,
	oncall.NoticeUnreached:    drawUnreached,
	oncall.NoticeBundle:       func(n oncall.Notice) Drawing { return Bundle(n, nil) },
	oncall.NoticeStillOn:      drawStillOn,
	oncall.NoticeUnacked:      drawUnacked,
	oncall.NoticeUnassigned:   drawWarning,
	oncall.NoticeEnded:        drawWarning,
	oncall.NoticeDigest:       drawDigest,
	oncall.NoticeUpdate:       drawUpdate,
	oncall.NoticeReviewAction: drawReviewAction,
	oncall.NoticeActionGiven:  drawReviewAction,
	oncall.NoticeBadNight:     drawBadNight,
	oncall.NoticeBadNights:    drawBadNights,
	oncall.NoticeMaintenance:  drawMaintenance, oncall.NoticeMaintenanceOver: drawMaintenanceOver,
}

// Notice draws a notice. A kind written by a newer version is shown by its sentences.
func Notice(n oncall.Notice) Drawing {
	if draw := notices[n.Kind]; draw != nil {
		return draw(n)
	}
	return drawLines(n)
}

// drawLines draws the sentences of a notice.
func drawLines(n oncall.Notice) Drawing { return Text(sentences(n.Detail)) }

// drawWarning draws the sentences of a notice as a warning.
func drawWarning(n oncall.Notice) Drawing { return Text(":warning: " + sentences(n.Detail)) }

// drawCanary tells an admin about Watchbill's own health: the second notice of an outage is its end.
func drawCanary(n oncall.Notice) Drawing {
	if n.Detail.State != "" {
		return Text(":large_green_circle: " + sentences(n.Detail))
	}
	return drawWarning(n)
}

// sentences joins a notice's sentences.
func sentences(d oncall.NoticeDetail) string {
	if len(d.Said) > 0 {
		return foreignSentence(d.Said, maxSection/2)
	}
	return strings.Join(d.Lines, "\n")
}
