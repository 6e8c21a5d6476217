package main

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
)

// processCollectors report on the process itself.
func processCollectors() []prometheus.Collector {
	return []prometheus.Collector{collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})}
}

// gathered gathers the metrics of all organisations, each with the label "organisation", and the
// process's own.
type gathered struct {
	own    prometheus.Gatherer
	server *orgServer
}

// Gather implements prometheus.Gatherer.
func (g gathered) Gather() ([]*dto.MetricFamily, error) {
	all, err := g.own.Gather()
	errs := []error{err}
	byName := map[string]*dto.MetricFamily{}
	for _, family := range all {
		byName[family.GetName()] = family
	}
	for name, registry := range g.server.registries() {
		families, err := registry.Gather()
		errs = append(errs, err)
		for _, family := range families {
			for _, m := range family.GetMetric() {
				label, value := "organisation", name
				m.Label = append(m.Label, &dto.LabelPair{Name: &label, Value: &value})
				slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
			}
			if known := byName[family.GetName()]; known != nil {
				known.Metric = append(known.Metric, family.GetMetric()...)
			} else {
				byName[family.GetName()] = family
			}
		}
	}
	out := make([]*dto.MetricFamily, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, byName[name])
	}
	return out, errors.Join(errs...)
}

// registries returns the organisations' metrics by name.
func (srv *orgServer) registries() map[string]*prometheus.Registry {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	all := map[string]*prometheus.Registry{}
	for name, s := range srv.serving {
		if registry := s.metrics.Load(); registry != nil {
			all[name] = registry
		}
	}
	return all
}
