package store_test

import (
	"fmt"
	"testing"

	"github.com/watchbill/watchbill/store"
)

// Of several hosts, the writable one is used. A single host is used without a check.
func TestWritableHostIsChosen(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]struct {
		hosts  string
		choose bool
	}{
		"postgres://w@one/w":                                           {"[one:5432]", false},
		"postgres://w@one/w?sslmode=prefer":                            {"[one:5432]", false},
		"postgres://w@one,two/w":                                       {"[one:5432 two:5432]", true},
		"postgres://w@one:5433,two:5434/w?sslmode=prefer":              {"[one:5433 two:5434]", true},
		"postgres://w@one,two/w?target_session_attrs=read-write":       {"[one:5432 two:5432]", true},
		"postgres://w@one:5432,one:5433/w":                             {"[one:5432 one:5433]", true},
		"postgres://w@/w?host=/run/one,/run/two&port=5432":             {"[/run/one:5432 /run/two:5432]", true},
		"host=one,two user=w dbname=w target_session_attrs=standby":    {"[one:5432 two:5432]", true},
		"host=one user=w dbname=w target_session_attrs=any":            {"[one:5432]", false},
		"postgres://w@one/w?target_session_attrs=read-write":           {"[one:5432]", true},
		"postgres://w@one/w?sslmode=prefer&target_session_attrs=any":   {"[one:5432]", false},
		"postgres://w@one,two,three/w?sslmode=prefer&pool_max_conns=3": {"[one:5432 two:5432 three:5432]", true},
	} {
		cfg, err := store.ParseAddress(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if got := fmt.Sprint(store.Hosts(cfg)); got != want.hosts || (cfg.ConnConfig.ValidateConnect != nil) != want.choose {
			t.Errorf("%s: hosts %s, chooses: %t, want %s, %t", address, got, cfg.ConnConfig.ValidateConnect != nil, want.hosts, want.choose)
		}
	}
}
