package bot

import "slices"

// rephrasePlan translates what people type about planning: "I can't do Friday", "hand over to Bo",
// "cancel my time off", "who is away" and "swap me with Bo on Friday".
func rephrasePlan(words []string) []string {
	n := len(words)
	rest := func(drop ...string) []string {
		from := min(1, n)
		for from < n && oneOf(words, from, drop...) {
			from++
		}
		return words[from:]
	}
	mine := []string{"my", "me", "shift", "shifts", "a", "the", "places", "with", "for", "own", "colleague", "coworker", "co-worker", "teammate", "friend", "mate"}
	off := []string{"away", "off", "out", "vacation", "holiday", "holidays", "leave", "pto", "ooo"}
	switch {
	case oneOf(words, 0, "can't", "cant", "cannot") && n > 1:
		return append([]string{"cover"}, rest("do", "make", "take", "work", "be", "on", "call", "my", "shift", "the")...)
	case oneOf(words, 0, "hand", "pass", "give") && oneOf(words, 1, "over", "my", "shift", "on", "off") && n > 2:
		return handOver(rest("over", "off", "on", "my", "shift", "shifts", "the"))
	case oneOf(words, 0, "handover", "handoff") && oneOf(words, 1, "to"):
		return handOver(words[1:])
	case oneOf(words, 0, "cancel", "delete", "remove", "undo") && n > 1:
		what := rest("my", "the", "all")
		switch {
		case len(what) > 1 && oneOf(what, 0, "time") && oneOf(what, 1, "off"):
			return rephraseLists(slices.Concat([]string{"away", "cancel"}, what[2:]))
		case oneOf(what, 0, append(off, "timeoff", "time-off")...):
			return rephraseLists(slices.Concat([]string{"away", "cancel"}, what[1:]))
		case len(what) == 1 && oneOf(what, 0, "swap", "swaps", "cover", "covers"):
			return []string{"swap", "list"}
		case len(what) == 1 && oneOf(what, 0, "override", "overrides"):
			return []string{"override", "cancel"}
		}
	case oneOf(words, 0, "who", "who's", "whos", "anybody", "anyone", "is") && n < 10:
		what := rest("is", "are", "has", "on", "anybody", "anyone", "somebody", "will", "be", "from", "the", "team")
		if len(what) > 0 && (oneOf(what, 0, off...) || oneOf(what, 0, "time") && oneOf(what, 1, "off")) && slices.ContainsFunc(words, isSomebody) {
			if oneOf(what, 0, "time") {
				what = what[1:]
			}
			for what = what[1:]; len(what) > 1 && oneOf(what, 0, "on", "in", "at"); {
				what = what[1:]
			}
			return append([]string{"away", "who"}, what...)
		}
	case oneOf(words, 0, "swap", "trade", "exchange", "switch") && oneOf(words, 1, "me", "my", "with", "shift", "shifts", "a", "the", "places") && n > 2:
		return append([]string{"swap"}, rest(mine...)...)
	}
	return nil
}

// isSomebody reports whether a word asks for anybody at all.
func isSomebody(w string) bool {
	return oneOf([]string{w}, 0, "who", "who's", "whos", "anybody", "anyone", "somebody")
}

// handOver translates "to Bo until 22:00". A number means an incident, which goes to somebody else.
func handOver(of []string) []string {
	if len(of) < 2 || !oneOf(of, 0, "to") || isNumber(of[0]) {
		return nil
	}
	return append([]string{"override"}, of[1:]...)
}
