// Package access decides who may do what: an actor, an act and what it is about come in, and nil or a
// Refusal that says who could comes out. It is asked by package store in the transaction of every
// method for people, so that no way in can forget it.
//
// # Roles
//
// Somebody has a role towards each team, and each role includes those below it:
//
//   - admin: of the whole installation. Named by WATCHBILL_ADMINS, or else an owner of the workspace.
//   - manager: named by the team, or in the Slack user group that it names. Where it names nobody,
//     each of its members is one.
//   - responder: a member of the team, also where Slack calls them a guest. Whoever is on its schedules is
//     one, too, unless they are a guest, but puts nobody else on call.
//   - member: everybody else who is a full member of the workspace.
//   - guest: a guest of the workspace, or somebody whom Slack could not be asked about.
//   - outsider: of another organisation, or deactivated. An outsider may do nothing.
//
// People who were paged for an incident, or asked to help with it, are its responders.
package access
