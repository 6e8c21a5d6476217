package jobs

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	late       prometheus.Histogram
	stale      prometheus.Counter
	pages      *prometheus.CounterVec
	delivery   prometheus.Histogram
	failures   *prometheus.CounterVec
	rescued    prometheus.Counter
	lostTimer  prometheus.Counter
	bundled    *prometheus.CounterVec
	receipts   *prometheus.CounterVec
	replies    *prometheus.CounterVec
	failing    *prometheus.GaugeVec
	unreadable *prometheus.GaugeVec
	givenUp    *prometheus.CounterVec
	removed    *prometheus.CounterVec
	watchMetrics
}

// newMetrics makes the metrics. Without a registry they are counted but not exported.
func newMetrics(to prometheus.Registerer) metrics {
	with := promauto.With(to)
	counter := func(name, help string) prometheus.Counter {
		return with.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	counters := func(name, help string, by ...string) *prometheus.CounterVec {
		return with.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, by)
	}
	histogram := func(name, help string, seconds ...float64) prometheus.Histogram {
		return with.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: seconds})
	}
	return metrics{
		watchMetrics: newWatchMetrics(with),
		late: histogram("watchbill_timer_late_seconds",
			"How long after it was due an escalation timer fired.",
			.05, .1, .15, .25, .5, 1, 2, 5, 15, 60, 300),
		stale: counter("watchbill_timers_stale_total",
			"Escalation timers that fired when the incident had moved on, and did nothing."),
		pages: counters("watchbill_pages_total",
			"Messages sent to people, codes and tests included, by contact method and outcome.", "method", "outcome"),
		delivery: histogram("watchbill_page_delivery_seconds",
			"Time from the decision to page to the provider's acceptance.",
			.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
		failures: counters("watchbill_job_failures_total",
			"Attempts of jobs that failed, by kind.", "kind"),
		rescued: counter("watchbill_jobs_rescued_total",
			"Running jobs that were put back into the queue, as their instance had died or their end was never written."),
		lostTimer: counter("watchbill_timers_lost_total",
			"Overdue escalation timers that were not in the queue and were inserted again."),
		bundled: counters("watchbill_pages_bundled_total",
			"Incidents that people were told of by one message about several.", "method"),
		removed: counters("watchbill_removed_total",
			"What has left since its term was over, by what it was: incidents with all that belongs to them, entries of the audit log, other history.", "what"),
		receipts: counters("watchbill_page_receipts_total",
			"What providers said of messages that they had accepted.", "method", "state"),
		replies: counters("watchbill_replies_total",
			"Answers of people, by contact method.", "method"),
		unreadable: with.NewGaugeVec(prometheus.GaugeOpts{
			Name: "watchbill_answers_unread",
			Help: "1 while this instance should read what people answer by a contact method, and has not been able to for a minute.",
		}, []string{"method"}),
		givenUp: counters("watchbill_replies_given_up_total",
			"Answers of people that could not be carried out however often that was tried.", "method"),
		failing: with.NewGaugeVec(prometheus.GaugeOpts{
			Name: "watchbill_provider_failing",
			Help: "1 while a provider fails, so that people are paged by other methods first.",
		}, []string{"method"}),
	}
}

// watchMetrics are the metrics of Watchbill's self-monitoring.
type watchMetrics struct {
	canarySucceeded, canarySeconds, canaryLate, canaryEvery prometheus.Gauge
	pulses                                                  *prometheus.CounterVec
	pulseSent                                               prometheus.Gauge
}

func newWatchMetrics(with promauto.Factory) watchMetrics {
	gauge := func(name, help string) prometheus.Gauge {
		return with.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	return watchMetrics{
		canarySucceeded: gauge("watchbill_canary_last_success_timestamp_seconds",
			"When the canary, an incident of Watchbill's own, last came through, in seconds since 1970; 0: never."),
		canarySeconds: gauge("watchbill_canary_seconds",
			"How long the last canary took until its second page was sent, a second of it waiting for its timer."),
		canaryLate: gauge("watchbill_canary_late",
			"1 while the canary does not come through."),
		canaryEvery: gauge("watchbill_canary_interval_seconds",
			"How often there is a canary; 0: never."),
		pulses: with.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_pulses_total",
			Help: "Pulses to independent services: sent, failed, or withheld because something does not work.",
		}, []string{"outcome"}),
		pulseSent: gauge("watchbill_pulse_last_success_timestamp_seconds",
			"When this instance last sent a pulse that was taken, in seconds since 1970; 0: never."),
	}
}
