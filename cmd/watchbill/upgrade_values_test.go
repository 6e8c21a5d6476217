package main

const (
	plantedActor = `{"user": "USER", "via": "slack"}`
	plantedStint = `{"schedule": SCHEDULE, "name": "nights", "timezone": "UTC", "role": "primary", "user": "USER", "start": "2026-01-05T09:00:00Z", "end": "TOMORROW"}`
)

// plantedValues says what columns hold whose type alone doesn't tell, of one table or wherever they are. Of two texts the
// first is in the row with all columns.
var plantedValues = map[string]any{
	"removed_at": nil, "deactivated_at": nil, "cancelled_at": nil, "revoked_at": nil, "disabled_at": nil, "muted_at": nil, "muted_until": nil, "held_until": nil,
	"look_at": "TOMORROW", "next_at": "TOMORROW", "redraw_at": nil, "tried_at": nil, "thread_tried_at": nil, "flap_tried_at": nil,
	"time_zone": "UTC", "method": "sms", "severity": "high", "role": [2]string{"primary", "secondary"}, "owner": "", "merged_into": "0", "bundle": "0", "convoy": "0",
	"acked_by": plantedActor, "resolved_by": plantedActor, "snoozed_by": plantedActor, "raised_by": plantedActor, "actor": plantedActor, "saved_by": plantedActor,
	"made_by": plantedActor, "by": plantedActor, "silences.by": "USER", "handoffs.acked_by": "USER", "created_by": "USER", "muted_by": "",
	"signal":      `{"action": "trigger", "dedup_key": "waiting N1", "title": "waits in the inbox N1"}`,
	"labels":      `{"service": "db"}`,
	"users.id":    "U0N1",
	"users.email": "person-N1@example.com", "users.standing": "member", "users.owner": "false", "users.named": "",
	"teams.channel": "#ops", "teams.hours": "[]", "teams.fallback": "{USER}", "teams.owner": "file", "teams.acts": "", "teams.managed_by": "", "teams.digest": "off", "teams.time_off": "skip", "teams.remind": "0",
	"holiday_calendars.days":      `[{"date": "2026-07-09", "name": "Company day"}]`,
	"team_members.role":           [2]string{"admin", "responder"},
	"schedule_versions.rotations": `[{"name": "week", "period": {"unit": "weeks"}, "start_date": "2026-01-05", "hand_off": "09:00", "turns": [["USER"]]}]`,
	"overrides.kind":              "cover", "overrides.users": "{USER}", "overrides.from_user": "", "overrides.to_user": "", "overrides.windows": "[]", "overrides.shifts": "[]",
	"manual_shifts.users": "{USER}",
	"policies.steps":      `[{"targets": [{"user": "USER"}, {"schedule": SCHEDULE}], "delay": 86400}]`, "policies.repeat": "0",
	"integrations.kind": "generic", "integrations.key_hash": "KEYHASH", "integrations.grouping": nil, "integrations.mapping": nil, "integrations.silencing": nil,
	"integrations.storm_limit": "0", "integrations.taken_for": "", "integrations.sign_secret": "", "integrations.sign_before": "",
	"inbox_rejected.id": "1N1",
	"incidents.id":      "N1", "incidents.status": [2]string{"triggered", "resolved"}, "incidents.responders": "[]", "incidents.storm": nil, "incidents.flap": nil,
	"incidents.snoozed_until": nil, "incidents.home_policy": "0", "incidents.hops": "0", "incidents.flaps": "0", "incidents.verdict": "", "incidents.resolved_at": nil, "incidents.stated": "0",
	"incident_events.kind": "opened", "incident_events.detail": `{"users": ["USER"]}`,
	"alerts.firing": [2]string{"true", "false"}, "alerts.links": "[]", "alerts.details": "{}", "alerts.route": nil, "alerts.maintenance_id": "0", "alerts.expires_at": nil,
	"alerts.silenced_until": nil,
	"pages.method":          "slack", "pages.state": "delivered", "pages.key": "INCIDENT/1/N1", "pages.why": "on call, after <@USER>", "pages.reason": nil, "pages.redials": "0",
	"pages.redial_key": "", "pages.contact": "0", "pages.code": "0", "pages.due_at": nil, "pages.track_at": nil, "pages.doubt_at": nil, "pages.sender_job": nil, "pages.recipient": "",
	"drawings.channel": "C0OPS", "drawings.lease_job": nil, "drawings.lease_until": nil, "drawings.flap_since": nil,
	"drawing_copies.why": "on call, after <@USER>", "drawing_copies.reason": nil,
	"notices.recipient": "USER", "notices.kind": "handoff_coming", "notices.facts": `{"users": ["USER"]}`, "notices.about": "0",
	"swaps.state": "accepted", "swaps.give": plantedStint, "swaps.take": plantedStint,
	"covers.state": "taken", "covers.stint": plantedStint, "covers.asked": `[{"user": "USER", "at": "TOMORROW"}]`, "covers.takes": "[]",
	"user_groups.when_empty": "keep", "user_groups.fallback": "", "user_groups.trouble": "", "user_groups.schedules": "{SCHEDULE}",
	"reminder_preferences.before": "{3600}", "findings.kind": "gap",
	"contacts.address": "+1202N1", "contacts.disabled_why": "", "codes.address": "+1202N1", "codes.hash": "",
	"notification_preferences.high": `[{"after": 0}]`, "notification_preferences.low": nil, "notification_preferences.hours": nil,
	"provider_state.method": "sms N1", "replies.outcome": nil, "probes.kind": "test",
	"workspace.id": "1", "workspace.team": "TEAM", "workspace.enterprise": "", "workspace.url": "",
	"audit_log.kind": "team", "audit_log.act": "changed", "audit_log.changes": "[]", "audit_log.about": "",
	"payloads.headers": "{}", "payloads.keys": "[]", "payloads.taken_for": "generic",
	"feeds.schedule_id": [2]string{"NULL", "SCHEDULE"}, "route_lists.integration_id": [2]string{"NULL", "INTEGRATION"}, "one": "true",
	"route_lists.rules":         "[]",
	"maintenance_windows.match": "[]", "maintenance_windows.integration_id": "0",
	"heartbeats.every": "86400", "heartbeats.due_at": nil, "heartbeats.down_at": nil, "heartbeats.run_at": nil,
	"pings.signal":   `{"action": "ping", "dedup_key": "backup"}`,
	"silences.cause": "acknowledge", "silences.url": "http://127.0.0.1:1", "silences.labels": `{"service": "db"}`,
	"api_keys.scopes": "{read}", "api_requests.answer": nil,
	"web_sessions.how": "link", "status_updates.state": "investigating",
	"hooks.options": "{}", "hooks.url": "", "hooks.headers": "", "hooks.secret": "", "hooks.secret_before": "", "hooks.position": "9000000000000", "hooks.leased_until": nil,
}
