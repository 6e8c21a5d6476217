package view

import (
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// silenceLine says what became of a silence in Alertmanager.
func silenceLine(event oncall.Event) string {
	detail := event.Detail
	where := "Alertmanager"
	if len(detail.To) > 0 {
		where += " at " + Foreign(detail.To[0], maxTitle)
	}
	alerts := Count(detail.Count, "alert")
	switch {
	case event.Kind == oncall.EventSilenced:
		return fmt.Sprintf("Silenced in %s until %s: %s. What else comes still pages.", where, stamp(detail.Until, asDay, time.UTC), alerts)
	case event.Kind == oncall.EventUnsilenced:
		return fmt.Sprintf("No longer silenced in %s: %s.", where, alerts)
	case event.Kind == oncall.EventSilenceFailed && detail.Text == "":
		return fmt.Sprintf("%s could not be silenced in Alertmanager: their labels are not known here as they are there, or there are too many.", alerts)
	case event.Kind == oncall.EventSilenceFailed && detail.Over:
		return fmt.Sprintf("The silence of %s in %s could not be ended: %s. It is tried again every minute.", alerts, where, Foreign(detail.Text, maxTitle))
	case event.Kind == oncall.EventSilenceFailed:
		return fmt.Sprintf("%s could not be silenced in %s: %s. It is tried again every minute.", alerts, where, Foreign(detail.Text, maxTitle))
	}
	return ""
}
