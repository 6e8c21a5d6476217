package view

import (
	"fmt"
	"time"

	"github.com/watchbill/watchbill/oncall"
)

// silenceLine says what became of a silence in Alertmanager.
func silenceLine(e oncall.Event) string {
	d := e.Detail
	where := "Alertmanager"
	if len(d.To) > 0 {
		where += " at " + Foreign(d.To[0], maxTitle)
	}
	alerts := Count(d.Count, "alert")
	switch {
	case e.Kind == oncall.EventSilenced:
		return fmt.Sprintf("Silenced in %s until %s: %s. What else comes still pages.", where, stamp(d.Until, asDay, time.UTC), alerts)
	case e.Kind == oncall.EventUnsilenced:
		return fmt.Sprintf("No longer silenced in %s: %s.", where, alerts)
	case e.Kind == oncall.EventSilenceFailed && d.Text == "":
		return fmt.Sprintf("%s could not be silenced in Alertmanager: their labels are not known here as they are there, or there are too many.", alerts)
	case e.Kind == oncall.EventSilenceFailed && d.Over:
		return fmt.Sprintf("The silence of %s in %s could not be ended: %s. It is tried again every minute.", alerts, where, Foreign(d.Text, maxTitle))
	case e.Kind == oncall.EventSilenceFailed:
		return fmt.Sprintf("%s could not be silenced in %s: %s. It is tried again every minute.", alerts, where, Foreign(d.Text, maxTitle))
	}
	return ""
}
