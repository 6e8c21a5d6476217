package oncall

import "testing"

func TestNearestSuggestsTheClosestName(t *testing.T) {
	t.Parallel()
	names := []string{"who", "override", "help"}
	for typed, want := range map[string]string{
		"woh": "who", "overide": "override", "hlep": "help", "OVERRIDES": "override", "frobnicate": "", "x": "",
	} {
		if got := Nearest(typed, names); got != want {
			t.Errorf("Nearest(%q) = %q; want %q", typed, got, want)
		}
	}
}
