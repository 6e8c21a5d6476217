package view

import "time"

// Reminders says when a person is reminded of their shifts.
func Reminders(before []time.Duration) string {
	if len(before) == 0 {
		return "You are not reminded of your shifts."
	}
	var times []string
	for _, d := range before {
		switch {
		case d%(24*time.Hour) == 0:
			times = append(times, Count(int(d/(24*time.Hour)), "day"))
		case d%time.Hour == 0:
			times = append(times, Count(int(d/time.Hour), "hour"))
		default:
			times = append(times, Count(int(d/time.Minute), "minute"))
		}
	}
	return "You are reminded " + List(times) + " before a shift of yours."
}
