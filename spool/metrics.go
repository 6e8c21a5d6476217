package spool

import "github.com/prometheus/client_golang/prometheus"

// receiverMetrics are the metrics of a Receiver.
type receiverMetrics struct {
	receiver *Receiver
	kept     prometheus.Counter
	refused  prometheus.Counter
	messages *prometheus.CounterVec

	signals, bytes, oldest, usable, away *prometheus.Desc
}

func newReceiverMetrics(rc *Receiver) *receiverMetrics {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &receiverMetrics{
		receiver: rc,
		kept: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "watchbill_spool_kept_total", Help: "Signals that were kept in the spool because the database was away.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "watchbill_spool_refused_total", Help: "Requests that neither the database nor the spool took.",
		}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_outage_pages_total", Help: "Messages to people that alerts wait for the database.",
		}, []string{"method", "outcome"}),
		signals: desc("watchbill_spool_signals", "Signals that wait in the spool."),
		bytes:   desc("watchbill_spool_bytes", "Bytes of the signals that wait in the spool."),
		oldest:  desc("watchbill_spool_oldest_seconds", "How long the oldest signal has waited in the spool."),
		usable:  desc("watchbill_spool_usable", "Whether the spool would take signals now: 1 or 0."),
		away:    desc("watchbill_database_away_seconds", "How long the database has been away, as seen by who stores signals; 0: it isn't."),
	}
}

// Describe implements prometheus.Collector.
func (m *receiverMetrics) Describe(to chan<- *prometheus.Desc) {
	m.kept.Describe(to)
	m.refused.Describe(to)
	m.messages.Describe(to)
	for _, d := range []*prometheus.Desc{m.signals, m.bytes, m.oldest, m.usable, m.away} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *receiverMetrics) Collect(to chan<- prometheus.Metric) {
	m.kept.Collect(to)
	m.refused.Collect(to)
	m.messages.Collect(to)
	gauge := func(d *prometheus.Desc, v float64) { to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	now, held := m.receiver.Clock(), m.receiver.spool.Usage()
	gauge(m.signals, float64(held.Signals))
	gauge(m.bytes, float64(held.Bytes))
	age := 0.0
	if !held.Oldest.IsZero() {
		age = max(0, now.Sub(held.Oldest).Seconds())
	}
	gauge(m.oldest, age)
	usable := 0.0
	if m.receiver.spool.Usable(now) == nil {
		usable = 1
	}
	gauge(m.usable, usable)
	since, away := m.receiver.outage.active()
	lasts := 0.0
	if away {
		lasts = max(0, now.Sub(since).Seconds())
	}
	gauge(m.away, lasts)
}
