package setup

import (
	"fmt"
	"strconv"

	"github.com/watchbill/watchbill/oncall"
)

// StormLimit reads after how many incidents in a minute what comes next joins a storm; 0: never.
func (in Integration) StormLimit() (int, error) {
	switch in.Storm {
	case "":
		return oncall.StormLimit, nil
	case "off":
		return 0, nil
	}
	n, err := strconv.Atoi(in.Storm)
	if err != nil || n < 1 || n > oncall.MaxStormLimit {
		return 0, fmt.Errorf("storm is %q; it may be a number from 1 to %d, of incidents in a minute, or \"off\"", in.Storm, oncall.MaxStormLimit)
	}
	return n, nil
}

// writeStorm writes what StormLimit reads.
func writeStorm(limit int) string {
	switch limit {
	case oncall.StormLimit:
		return ""
	case 0:
		return "off"
	}
	return strconv.Itoa(limit)
}
