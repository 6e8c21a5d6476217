package slackcall

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchbill/watchbill/notify"
)

type metrics struct {
	calls   *prometheus.CounterVec
	limited *prometheus.CounterVec
	latency *prometheus.HistogramVec
}

func newMetrics(to prometheus.Registerer) (*metrics, error) {
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
	}
	if to == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.calls, m.limited, m.latency} {
		if err := to.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// count counts a call by its outcome. Two outcomes have other names in the metrics, for the sake of dashboards.
func (m *metrics) count(method string, o notify.Outcome) {
	label := string(o)
	switch o {
	case notify.Accepted:
		label = "ok"
	case notify.Unknown:
		label = "ambiguous"
	case notify.Throttled:
		m.limited.WithLabelValues(method).Inc()
	default:
	}
	m.calls.WithLabelValues(method, label).Inc()
}
