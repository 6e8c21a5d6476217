package jobs

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	late      prometheus.Histogram
	stale     prometheus.Counter
	pages     *prometheus.CounterVec
	delivery  prometheus.Histogram
	failures  *prometheus.CounterVec
	rescued   prometheus.Counter
	lostTimer prometheus.Counter
	bundled   *prometheus.CounterVec
	receipts  *prometheus.CounterVec
	replies   *prometheus.CounterVec
	failing   *prometheus.GaugeVec
}

// register makes the metrics; without a registry they count for nobody.
func (m *metrics) register(r prometheus.Registerer) error {
	m.late = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "watchbill_timer_late_seconds",
		Help:    "How long after it was due an escalation timer fired.",
		Buckets: []float64{.05, .1, .15, .25, .5, 1, 2, 5, 15, 60, 300},
	})
	m.stale = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "watchbill_timers_stale_total",
		Help: "Escalation timers that fired when the incident had moved on, and did nothing.",
	})
	m.pages = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "watchbill_pages_total",
		Help: "Attempts to page a person, by contact method and outcome.",
	}, []string{"method", "outcome"})
	m.delivery = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "watchbill_page_delivery_seconds",
		Help:    "Time from the decision to page to the provider's acceptance.",
		Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
	})
	m.failures = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "watchbill_job_failures_total",
		Help: "Attempts of jobs that failed, by kind.",
	}, []string{"kind"})
	m.rescued = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "watchbill_jobs_rescued_total",
		Help: "Running jobs that were put back into the queue, as their instance had died or their end was never written.",
	})
	m.lostTimer = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "watchbill_timers_lost_total",
		Help: "Overdue escalation timers that were not in the queue and were inserted again.",
	})
	m.bundled = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "watchbill_pages_bundled_total",
		Help: "Incidents that people were told of by one message about several.",
	}, []string{"method"})
	m.receipts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "watchbill_page_receipts_total",
		Help: "What providers said of messages that they had accepted.",
	}, []string{"method", "state"})
	m.replies = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "watchbill_replies_total",
		Help: "Answers of people, by contact method.",
	}, []string{"method"})
	m.failing = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "watchbill_provider_failing",
		Help: "1 while a provider fails, so that people are paged by other methods first.",
	}, []string{"method"})
	if r == nil {
		return nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.late, m.stale, m.pages, m.delivery, m.failures, m.rescued, m.lostTimer,
		m.bundled, m.receipts, m.replies, m.failing,
	} {
		errs = append(errs, r.Register(c))
	}
	return errors.Join(errs...)
}
