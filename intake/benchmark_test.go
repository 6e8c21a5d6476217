package intake_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/intake"
)

// BenchmarkRead reads the costliest bodies: many fields, and a group of many alerts.
func BenchmarkRead(b *testing.B) {
	var fields, alerts strings.Builder
	for i := range 150_000 {
		fmt.Fprintf(&fields, `"f%d":1,`, i)
	}
	for i := range 10_000 {
		fmt.Fprintf(&alerts, `{"status":"firing","fingerprint":"%d","labels":{"alertname":"A","instance":"i-%d"},"startsAt":"2026-03-02T04:10:01Z"},`, i, i)
	}
	for name, body := range map[string]string{
		"fields": "{" + fields.String() + `"x":1}`,
		"nested": `{"data":{` + fields.String() + `"x":1}}`,
		"alerts": `{"status":"firing","groupKey":"g","alerts":[` + alerts.String() + `{"status":"firing","fingerprint":"z"}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				_, _, _ = intake.Read(intake.Auto, []byte(body))
			}
		})
	}
}
