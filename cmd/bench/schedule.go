package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// schedules runs the schedule engine's own benchmarks and prints their results.
func (b *bench) schedules(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark(At|At1000Overrides|Year)$", "-benchmem", "-benchtime", "1s", "./oncall/schedule")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for _, f := range []struct {
		figure, benchmark, column, unit string
		scale                           float64
	}{
		{"oncall_at_ns", "BenchmarkAt", "ns/op", "ns", 1},
		{"oncall_at_allocs", "BenchmarkAt", "allocs/op", "allocations", 1},
		{"oncall_at_1000_overrides_ns", "BenchmarkAt1000Overrides", "ns/op", "ns", 1},
		{"oncall_year_us", "BenchmarkYear/20-overrides", "ns/op", "us", 1e-3},
	} {
		line := regexp.MustCompile(`(?m)^` + f.benchmark + `(?:-\d+)?\s.*?([0-9.]+) ` + f.column)
		m := line.FindSubmatch(out)
		if m == nil {
			return fmt.Errorf("no %s of %s in: %s", f.column, f.benchmark, out)
		}
		value, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			return err
		}
		b.figure(f.figure, value*f.scale, f.unit)
	}
	return nil
}
