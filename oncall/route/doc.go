// Package route holds the rules that people write about alerts: to which policy one goes, whether it is dropped,
// held or made less severe; and mappings, which make signals of any JSON. Like package oncall it is pure: facts
// in, decisions out.
//
//   - list: the rules of one integration or team, in order. The first that matches decides. The integration's
//     list comes first, then the team's, then the integration's own policy: that default pages, and
//     nobody can remove it.
//   - condition: what a rule asks of an alert, in words: "labels.env is staging".
//   - when: what words can't say, in CEL. Its cost is limited, and the same alert always costs the same, so that
//     what is explained is what happens. A deadline is for those who call, and only guards.
//   - failed: a rule that can't be evaluated doesn't match, and says so.
//   - shadow: a rule, or a list, that is evaluated and told of, and changes nothing.
//   - version: grows each time a list is saved.
//   - mapping: the fields of a signal as texts with CEL inside ${}.
package route
