package bot

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	calls     *prometheus.CounterVec
	limited   *prometheus.CounterVec
	latency   *prometheus.HistogramVec
	envelopes *prometheus.CounterVec
}

func newMetrics(to prometheus.Registerer, b *Bot) (*metrics, error) {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_slack_calls_total",
			Help: "Calls of Slack's Web API by method and outcome.",
		}, []string{"method", "outcome"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_slack_rate_limited_total",
			Help: "Calls that Slack answered with 429.",
		}, []string{"method"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "watchbill_slack_call_seconds",
			Help:    "How long Slack took to answer, without the wait before the call.",
			Buckets: []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
		}, []string{"method"}),
		envelopes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_slack_envelopes_total",
			Help: "What came in over the sockets, by type and what became of it.",
		}, []string{"type", "outcome"}),
	}
	if to == nil {
		return m, nil
	}
	sockets := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "watchbill_slack_sockets",
		Help: "Socket Mode connections that Slack has greeted.",
	}, func() float64 { return float64(b.Connected()) })
	for _, c := range []prometheus.Collector{m.calls, m.limited, m.latency, m.envelopes, sockets} {
		if err := to.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
