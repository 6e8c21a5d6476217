package storetest_test

import (
	"fmt"
	"testing"

	"github.com/watchbill/watchbill/store/storetest"
)

func TestNewGivesEachTestItsOwnDatabase(t *testing.T) {
	t.Parallel()
	for n := range 8 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			pool := storetest.New(t)
			if _, err := pool.Exec(t.Context(), `CREATE TABLE mine (n int)`); err != nil {
				t.Fatal(err)
			}
			if _, err := pool.Exec(t.Context(), `INSERT INTO mine VALUES ($1)`, n); err != nil {
				t.Fatal(err)
			}
			var jobs, rows int
			var jit string
			err := pool.QueryRow(t.Context(),
				`SELECT (SELECT count(*) FROM river_job), (SELECT count(*) FROM mine WHERE n = $1), current_setting('jit')`, n).
				Scan(&jobs, &rows, &jit)
			if err != nil {
				t.Fatal(err)
			}
			if jobs != 0 || rows != 1 || jit != "off" {
				t.Errorf("jobs %d, rows %d, jit %s; want 0, 1, off", jobs, rows, jit)
			}
		})
	}
}
