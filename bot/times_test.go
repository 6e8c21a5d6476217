package bot

import "testing"

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"who", "override", "help"}
	for typed, want := range map[string]string{
		"woh": "who", "overide": "override", "hlep": "help", "OVERRIDES": "override", "frobnicate": "", "x": "",
	} {
		if got := nearest(typed, names); got != want {
			t.Errorf("nearest(%q) = %q; want %q", typed, got, want)
		}
	}
}
