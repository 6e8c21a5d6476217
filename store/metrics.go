package store

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchbill/watchbill/oncall"
)

// scrapeLimit keeps a scrape from hanging when the database does not answer.
const scrapeLimit = time.Second

type metrics struct {
	signals    *prometheus.CounterVec
	results    *prometheus.CounterVec
	misread    *prometheus.CounterVec
	unread     *prometheus.CounterVec
	routes     *prometheus.CounterVec
	incidents  *prometheus.CounterVec
	rejected   prometheus.Counter
	refused    *prometheus.CounterVec
	managed    *prometheus.CounterVec
	inboxDepth *prometheus.Desc
	queueDepth *prometheus.Desc
	findings   *prometheus.Desc
	heartbeats *prometheus.Desc
	oldest     *prometheus.Desc
}

func newMetrics() *metrics {
	return &metrics{
		signals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_signals_total", Help: "Signals folded.",
		}, []string{"integration", "action"}),
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_signal_fates_total",
			Help: "What became of the signals that were folded. Nobody sees those that are repeated, merged, snoozed, late or unmatched by a message of their own.",
		}, []string{"integration", "fate"}),
		misread: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_signals_misread_total", Help: "Signals of which something was not understood, such as a word for a severity.",
		}, []string{"integration"}),
		unread: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_mapping_failed_total", Help: "Bodies of signals that could not be understood, and opened an incident that shows them as they came.",
		}, []string{"integration"}),
		routes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_routes_total",
			Help: "What people's rules have made of alerts: matched, dropped, held, passed (over before it was held for long enough), shadow (matched, and changed nothing), failed.",
		}, []string{"integration", "rule", "what"}),
		incidents: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_incidents_total", Help: "Incidents that were opened, acknowledged, resolved or exhausted.",
		}, []string{"event"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_refused_total", Help: "What somebody wanted to do and may not, by act.",
		}, []string{"act"}),
		managed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchbill_managed_total", Help: "Keys that were rotated, integrations that were muted or unmuted, and what of others was ended, by act.",
		}, []string{"act"}),
		rejected: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "watchbill_signals_rejected_total", Help: "Signals that could not be folded; see the table inbox_rejected.",
		}),
		inboxDepth: prometheus.NewDesc("watchbill_inbox_depth", "Signals that wait to be folded.", nil, nil),
		queueDepth: prometheus.NewDesc("watchbill_queue_depth", "Jobs that wait for a worker.", []string{"queue"}, nil),
		oldest: prometheus.NewDesc("watchbill_oldest_timestamp_seconds",
			"Since when the oldest of what waits does so, in seconds since 1970: signals in the inbox, pages that are due; 0: nothing waits.", []string{"of"}, nil),
		heartbeats: prometheus.NewDesc("watchbill_heartbeats", "Heartbeats, by whether they are down.", []string{"down"}, nil),
		findings: prometheus.NewDesc("watchbill_coverage_findings",
			"What the coverage guard has found and nobody has mended.", []string{"kind"}, nil),
	}
}

func (m *metrics) register(to prometheus.Registerer, s *System) error {
	for _, c := range []prometheus.Collector{m.signals, m.results, m.misread, m.unread, m.routes, m.incidents, m.rejected, m.refused, m.managed, depthCollector{s}} {
		if err := to.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}

// changed counts a committed change of an incident.
func (m *metrics) changed(c oncall.Change) {
	if c.Incident.ID.Canary() {
		return
	}
	for _, e := range c.Events {
		switch e.Kind {
		case oncall.EventOpened, oncall.EventAcknowledged, oncall.EventResolved, oncall.EventExhausted:
			m.incidents.WithLabelValues(string(e.Kind)).Inc()
		default:
		}
	}
}

// depthCollector queries the database at each scrape, so that all instances report the same values.
type depthCollector struct{ *System }

// Describe implements prometheus.Collector.
func (d depthCollector) Describe(to chan<- *prometheus.Desc) {
	to <- d.metrics.inboxDepth
	to <- d.metrics.queueDepth
	to <- d.metrics.findings
	to <- d.metrics.heartbeats
	to <- d.metrics.oldest
}

// heartbeatsDown counts the heartbeats that are down and those that are not.
const heartbeatsDown = `
	SELECT count(*) FILTER (WHERE down_at IS NOT NULL), count(*) FILTER (WHERE down_at IS NULL) FROM heartbeats WHERE removed_at IS NULL`

// Collect implements prometheus.Collector. While the database is unavailable it reports no values.
func (d depthCollector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit) //nolint:forbidigo // a scrape brings no context
	defer cancel()
	var inbox float64
	if err := d.pool.QueryRow(ctx, `SELECT count(*) FROM inbox`).Scan(&inbox); err != nil {
		return
	}
	to <- prometheus.MustNewConstMetric(d.metrics.inboxDepth, prometheus.GaugeValue, inbox)
	queues, err := d.QueueDepths(ctx)
	if err != nil {
		return
	}
	for queue, depth := range queues {
		to <- prometheus.MustNewConstMetric(d.metrics.queueDepth, prometheus.GaugeValue, float64(depth), queue)
	}
	lag, err := d.Lag(ctx)
	if err != nil {
		return
	}
	for of, since := range map[string]*time.Time{"inbox": lag.Inbox, "pages": lag.Pages} {
		var at float64
		if since != nil {
			at = float64(since.UnixMilli()) / 1000
		}
		to <- prometheus.MustNewConstMetric(d.metrics.oldest, prometheus.GaugeValue, at, of)
	}
	var down, rest float64
	if err := d.pool.QueryRow(ctx, heartbeatsDown).Scan(&down, &rest); err != nil {
		return
	}
	to <- prometheus.MustNewConstMetric(d.metrics.heartbeats, prometheus.GaugeValue, down, "true")
	to <- prometheus.MustNewConstMetric(d.metrics.heartbeats, prometheus.GaugeValue, rest, "false")
	open, err := d.openFindings(ctx)
	if err != nil {
		return
	}
	for kind, n := range open {
		to <- prometheus.MustNewConstMetric(d.metrics.findings, prometheus.GaugeValue, float64(n), string(kind))
	}
}
