package schedule

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSaySubstitutesNamesAndIsStored(t *testing.T) {
	t.Parallel()
	names := map[UserID]string{"U1": "Ann", "U2": "Bo"}
	inner := Refuse("%s has it already.", UserID("U1"))
	for _, c := range []struct {
		said       Sentence
		ids, named string
		stored     string
	}{
		{Say("Nobody."), "Nobody.", "Nobody.", `["Nobody."]`},
		{Say("%s asks you: %s", UserID("U1"), "100% <@U2>"), "U1 asks you: 100% <@U2>", "Ann asks you: 100% <@U2>", `["","U1"," asks you: 100% \u003c@U2\u003e"]`},
		{Say("Only %s can.", People([]UserID{"U1", "U2"}, " or ")), "Only U1 or U2 can.", "Only Ann or Bo can.", `["Only ","U1"," or ","U2"," can."]`},
		{Say("Only %s can.", People(nil, " or ")), "Only  can.", "Only  can.", `["Only  can."]`},
		{Say("%s So nothing was done.", inner), "U1 has it already. So nothing was done.", "Ann has it already. So nothing was done.", `["","U1"," has it already. So nothing was done."]`},
		{Say("%d of %2d have %q, %v", 1, 2, "a\"b", errors.New("late")), `1 of  2 have "a\"b", late`, `1 of  2 have "a\"b", late`, `["1 of  2 have \"a\\\"b\", late"]`},
		{Say("%s or %v", "a\x00U1\x00", errors.New("b\x00U2\x00")), "aU1 or bU2", "aU1 or bU2", `["aU1 or bU2"]`},
	} {
		if got := c.said.String(); got != c.ids {
			t.Errorf("got %q, want %q", got, c.ids)
		}
		if got := c.said.Shown(func(u UserID) string { return names[u] }); got != c.named {
			t.Errorf("got %q, want %q", got, c.named)
		}
		stored, err := json.Marshal(c.said)
		if err != nil || string(stored) != c.stored {
			t.Errorf("stored as %s, %v; want %s", stored, err, c.stored)
		}
		var back Sentence
		if err := json.Unmarshal(stored, &back); err != nil || !cmp.Equal(c.said, back) {
			t.Errorf("%q came back as %q, %v", c.said, back, err)
		}
	}
	if inner.Error() != "U1 has it already." {
		t.Errorf(`%v, want "U1 has it already."`, inner)
	}
}
