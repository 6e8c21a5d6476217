package view

// Slack returns these ids when somebody uses what was drawn. Old messages keep theirs, so changing one breaks
// their buttons.
type (
	// An Action says what a button or another element is for.
	Action string
	// A Modal identifies a form: its callback id.
	Modal string
	// A Block identifies an input of a form: its block id, and its element's action id.
	Block string
)

// The actions on an incident. Each button's value is the incident's id.
const (
	ActionAck      Action = "ack"
	ActionResolve  Action = "resolve"
	ActionUnack    Action = "unack"
	ActionReopen   Action = "reopen"
	ActionSnooze   Action = "snooze"
	ActionUnsnooze Action = "unsnooze"
	// ActionSnoozeFor snoozes at once; its value is "12/2h".
	ActionSnoozeFor Action = "snooze_for"
	ActionEscalate  Action = "escalate"
	ActionReassign  Action = "reassign"
	ActionAsk       Action = "ask"
	ActionAccept    Action = "accept"
	ActionDecline   Action = "decline"
	ActionNote      Action = "note"
	ActionSeverity  Action = "severity"
	ActionMerge     Action = "merge"
	ActionStillOn   Action = "still" // confirms "still on it?"
	ActionMore      Action = "more"  // shows the whole incident, and what happens next
	ActionTimeline  Action = "timeline"
	// ActionVerdict records a verdict; its value is "noise/12". ActionVerdictForm also asks what helped.
	ActionVerdict     Action = "verdict"
	ActionVerdictForm Action = "verdict_form"
	ActionChannel     Action = "channel"       // opens a channel of its own
	ActionUpdate      Action = "update"        // tells people who don't work on it
	ActionReview      Action = "review"        // drafts its review
	ActionReviewAdd   Action = "review_action" // adds something to be done after it
	ActionDetails     Action = "details"       // what the monitor sent; its value is "12/3/0": incident, alert, part

	// ActionSplit opens the form that splits an alert off a storm; ActionAlertsFile sends all alerts of one.
	ActionSplit      Action = "split"
	ActionAlertsFile Action = "alerts_file"

	// ActionMenu is the menu next to the buttons; its values are "snooze/12".
	ActionMenu Action = "incident_menu"
)

// The buttons below a page about several incidents. Their value is the page's id.
const (
	ActionBundleAck     Action = "bundle_ack"
	ActionBundleResolve Action = "bundle_resolve"
)

// ActionUndoActs undoes what a command did with several incidents; its value is "unack/2,3".
const ActionUndoActs Action = "undo_acts"

// The forms about an incident. Their metadata is its id.
const (
	ModalSnooze   Modal = "incident_snooze"
	ModalReassign Modal = "incident_reassign"
	ModalAsk      Modal = "incident_ask"
	ModalNote     Modal = "incident_note"
	ModalSeverity Modal = "incident_severity"
	ModalMerge    Modal = "incident_merge"
	ModalSplit    Modal = "incident_split"
	ModalVerdict  Modal = "incident_verdict"
	ModalUpdate   Modal = "incident_update"
	ModalAction   Modal = "incident_action"
	modalDetails  Modal = "incident_details" // can't be submitted

	BlockPerson   Block = "person"
	BlockOnCall   Block = "on_call"
	BlockPolicy   Block = "policy"
	BlockText     Block = "text"
	BlockSeverity Block = "severity"
	BlockOther    Block = "other"
	BlockAlert    Block = "alert"
	BlockHow      Block = "how"
	BlockVerdict  Block = "verdict"
	BlockUpdateTo Block = "update_to"
	BlockDue      Block = "due"
)

// Incidents that people raise by hand. A button's value is the incident's id; ActionRaiseConfirm has the whole
// request.
const (
	ActionHomePage     Action = "home_page"
	ActionRaisedAdd    Action = "raised_add"
	ActionRaiseConfirm Action = "raise_confirm"

	ModalRaise     Modal = "raise"
	ModalRaisedAdd Modal = "raised_add"

	BlockRaiseWhom   Block = "raise_whom"
	BlockRaisePerson Block = "raise_person"
	BlockRaiseText   Block = "raise_text"

	// ActionRaiseWhom and ActionRaisePerson fire when a target is chosen; the form then says who would be
	// paged.
	ActionRaiseWhom   = Action(BlockRaiseWhom)
	ActionRaisePerson = Action(BlockRaisePerson)

	// The shortcuts, by their callback ids in the manifest.
	ShortcutPage        = "page"
	ShortcutPageMessage = "page_message"
)

// The buttons of what somebody is to do after an incident; their value is its id.
const (
	ActionReviewDone  Action = "review_done"
	ActionReviewLater Action = "review_later"
)

// Swaps, cover, hand-offs. A button's value is the id of its subject.
const (
	ActionSwapAccept    Action = "swap_accept"
	ActionSwapDecline   Action = "swap_decline"
	ActionSwapWithdraw  Action = "swap_withdraw"
	ActionSwapWhich     Action = "swap_which"
	ActionSwapUndo      Action = "swap_undo"
	ActionCoverTake     Action = "cover_take"
	ActionCoverPart     Action = "cover_part"
	ActionCoverDecline  Action = "cover_decline"
	ActionCoverWithdraw Action = "cover_withdraw"
	ActionCoverMyself   Action = "cover_myself" // its value is whose shift it is, and which; also of the next
	ActionCoverOthers   Action = "cover_others"
	ActionHandoffTake   Action = "handoff_take"

	ModalSwap      Modal = "swap"
	ModalCover     Modal = "cover"
	ModalCoverPart Modal = "cover_part"

	BlockGive  Block = "give"
	blockTake  Block = "take"
	BlockWith  Block = "swap_other"
	BlockShift Block = "shift"
	BlockWhom  Block = "whom"
	BlockNote  Block = "note"

	// ActionSwapWith fires when the other person is chosen; the form then shows their shifts.
	ActionSwapWith = Action(BlockWith)
)

// Who has left, and where teams count on them. The value of a button is "U0BO/3": the person and the team.
const (
	ActionLeaverHand Action = "leaver_hand"
	ActionLeaverOut  Action = "leaver_out"
	ActionLeaverAsk  Action = "leaver_ask"

	ModalLeaver     Modal = "leaver"
	ModalLeaverSave Modal = "leaver_save"

	BlockLeaverWho  Block = "leaver_who"
	BlockLeaverHow  Block = "leaver_how"
	BlockLeaverLast Block = "leaver_last"
)

// Overrides and time off. A button's value is the id of its subject.
const (
	ActionOverrideCancel Action = "override_cancel"
	ActionOverrideSwitch Action = "override_switch" // toggles whether it acts while nobody would be on call
	ActionOverrideMore   Action = "override_more"   // shows the rarely used inputs
	ActionAwayCover      Action = "away_cover"
	ActionAwayCancel     Action = "away_cancel"
	ActionAwayCalendar   Action = "away_calendar"
	ActionAwayUnread     Action = "away_unread"   // ends the reading of a calendar
	ActionHolidayCover   Action = "holiday_cover" // its value is "3/1798239600/1798326000": a schedule, and when the holiday is

	ModalOverride Modal = "override"
	ModalAway     Modal = "away"
	ModalAwayFrom Modal = "away_from" // a calendar

	BlockAwayURL   Block = "away_url"
	BlockAwayRule  Block = "away_rule"
	BlockAwayWords Block = "away_words"

	BlockSchedule Block = "schedule"
	BlockWho      Block = "who"
	BlockFrom     Block = "from"
	BlockTo       Block = "to"
	BlockInstead  Block = "instead"
	BlockLeaves   Block = "leaves"
	BlockReason   Block = "reason"
	BlockDays     Block = "days"
	BlockDayFrom  Block = "day_from"
	BlockDayTo    Block = "day_to"
)

// Schedules and their rotations.
const (
	ActionHomeOverride    Action = "home_override"
	ActionHomeCover       Action = "home_cover"
	ActionHomeAway        Action = "home_away"
	ActionHomeSwap        Action = "home_swap"
	ActionHomeHelp        Action = "home_help"
	ActionHomeSetup       Action = "home_setup"
	ActionHomeFind        Action = "home_find"
	ActionHomeSchedule    Action = "home_schedule"
	ActionRotationAdd     Action = "rotation_add"
	ActionRotationEdit    Action = "rotation_edit"
	ActionRotationMore    Action = "rotation_more"
	ActionRotationRemove  Action = "rotation_remove"
	ActionScheduleHistory Action = "schedule_history"
	ActionScheduleRestore Action = "schedule_restore"
	ActionScheduleRemove  Action = "schedule_remove"
	ActionShiftsApart     Action = "shifts_apart"

	modalSchedule        Modal = "schedule" // a schedule's rotations; can't be submitted
	modalScheduleHistory Modal = "schedule_history"
	ModalScheduleChoice  Modal = "schedule_choice"
	ModalShiftChoice     Modal = "shift_choice"
	ModalScheduleNew     Modal = "schedule_new"
	ModalScheduleRestore Modal = "schedule_restore"
	ModalScheduleRemove  Modal = "schedule_remove"
	ModalRotation        Modal = "rotation"
	ModalRotationRemove  Modal = "rotation_remove"

	BlockTeam Block = "team"

	modalFind Modal = "find" // can't be submitted
	BlockFind Block = "find_team"
	// ActionFound fires when a team is chosen; the modal then shows it.
	ActionFound = Action(BlockFind)
)

// The inputs of a rotation. The first six are always shown; the others on request, or if they have a value.
const (
	BlockName    Block = "name"
	BlockTurns   Block = "turns"
	BlockPeople  Block = "people"
	BlockPeriod  Block = "period"
	BlockStart   Block = "start"
	BlockInForce Block = "in_force"

	BlockRole     Block = "role"
	BlockZone     Block = "zone"
	BlockWindows  Block = "windows"
	BlockPriority Block = "priority"
	BlockAdvance  Block = "advance"
	BlockHolidays Block = "holidays"
	BlockUntil    Block = "until"
)

// Integrations and their keys.
const (
	ActionIntegration Action = "integration_menu" // its values are "rotate 3"
	// ActionMaintenanceEnd ends a maintenance window; its value is the window's number.
	ActionMaintenanceEnd Action = "maintenance_end"

	// ActionPayload shows what a payload becomes, and ActionPayloadMap opens the form of a mapping for it;
	// their value is its number.
	ActionPayload    Action = "payload_try"
	ActionPayloadMap Action = "payload_map"

	ModalRotateKey Modal = "key_rotate"
	ModalTest      Modal = "integration_test"
	ModalAPIKey    Modal = "api_key"
	ModalMapping   Modal = "mapping_try"

	BlockMapEach     Block = "map_each"
	BlockMapTitle    Block = "map_title"
	BlockMapBody     Block = "map_body"
	BlockMapSeverity Block = "map_severity"
	BlockMapStatus   Block = "map_status"
	BlockMapKey      Block = "map_key"
	BlockMapLabels   Block = "map_labels"

	BlockKeyEnds Block = "key_ends"

	// ActionEnd lets an admin revoke something: its value is "contact 3", "calendar 3" or "links", and the
	// form's metadata is the person.
	ActionEnd       Action = "end_others"
	modalBelongings Modal  = "holdings"
)

// The set-up. A button's value is the name of a team or policy, or an id; the form's metadata says what it is
// about.
const (
	ActionSetupTeam        Action = "setup_team"
	ActionSetupNew         Action = "setup_new"
	ActionSetupTeamEdit    Action = "setup_team_edit"
	ActionSetupSchedule    Action = "setup_schedule"
	ActionSetupNewSchedule Action = "setup_schedule_new"
	ActionSetupPolicy      Action = "setup_policy"
	ActionSetupNewPolicy   Action = "setup_policy_new"
	ActionSetupMonitor     Action = "setup_integration_new"
	ActionSetupTest        Action = "setup_test"
	ActionSetupRemove      Action = "setup_remove"
	// ActionStep is the menu next to a step; its values are "edit 0" and "up 1".
	ActionStep    Action = "setup_step"
	ActionStepAdd Action = "setup_step_add"
	// ActionRoute is chosen beside a rule, with the values of ActionStep; the value of ActionSetupRoutes is an integration's name, or
	// nothing for the team's own rules.
	ActionRoute            Action = "setup_route"
	ActionRouteAdd         Action = "setup_route_add"
	ActionSetupRoutes      Action = "setup_routes"
	ActionSetupMaintenance Action = "setup_maintenance"
	ActionSetupOpen        Action = "setup_open"       // in a message; its values are "maintenance 3 2h" and "routes 3"
	ActionSetupGroup       Action = "setup_user_group" // its value is the group's handle; empty: a new one
	ActionSetupRename      Action = "setup_team_rename"
	ActionSetupRemoveTeam  Action = "setup_team_remove"
	ActionSetupMapping     Action = "setup_mapping"
	ActionMappingSave      Action = "mapping_save"
	ActionMappingRemove    Action = "mapping_remove"

	ModalSetupGuide       Modal = "setup_guide"
	modalSetup            Modal = "setup" // the teams; can't be submitted
	modalSetupTeam        Modal = "setup_team"
	ModalSetupTeamEdit    Modal = "setup_team_edit"
	ModalSetupPolicy      Modal = "setup_policy"
	ModalSetupStep        Modal = "setup_step"
	ModalSetupIntegration Modal = "setup_integration"
	ModalSetupRoutes      Modal = "setup_routes"
	ModalSetupRoute       Modal = "setup_route"
	ModalSetupMaintenance Modal = "setup_maintenance"
	ModalSetupGroup       Modal = "setup_user_group"
	ModalSetupRename      Modal = "setup_team_rename"
	ModalSetupRemoveTeam  Modal = "setup_team_remove"

	BlockSetupChannel  Block = "setup_channel"
	BlockSetupHandOff  Block = "setup_hand_off"
	BlockSetupTime     Block = "setup_time"
	BlockSetupWait     Block = "setup_wait"
	BlockSetupKind     Block = "setup_kind"
	BlockSetupManagers Block = "setup_managers"
	BlockSetupGroup    Block = "setup_group"
	BlockSetupFallback Block = "setup_fallback"
	BlockSetupActs     Block = "setup_acts"
	BlockSetupOwner    Block = "setup_owner"
	BlockSetupOptions  Block = "setup_options"
	BlockSetupRemind   Block = "setup_remind"
	BlockSetupDigest   Block = "setup_digest"
	BlockSetupChannels Block = "setup_incident_channel"
	BlockSetupUpdates  Block = "setup_updates"
	BlockSetupTimeOff  Block = "setup_time_off"
	BlockSetupRepeat   Block = "setup_repeat"
	BlockSetupAcks     Block = "setup_acks"
	BlockSetupTimeout  Block = "setup_ack_timeout"
	BlockStepWhom      Block = "step_whom"
	BlockStepPeople    Block = "step_people"
	BlockStepMore      Block = "step_more"
	BlockStepRepeat    Block = "step_repeat"
	BlockStepEvery     Block = "step_every"
	BlockStepRobin     Block = "step_round_robin"
	BlockStepSeverity  Block = "step_severity"
	BlockStepHours     Block = "step_hours"
	BlockGroupBy       Block = "group_by"
	BlockStorm         Block = "storm"
	BlockHeartbeats    Block = "heartbeats"
	BlockRouteIf       Block = "route_if"
	BlockRouteWhen     Block = "route_when"
	BlockRouteDoes     Block = "route_does"
	BlockRouteHold     Block = "route_hold"
	BlockRoutesShadow  Block = "routes_shadow"
	BlockGroupFollows  Block = "group_schedules"
	BlockGroupRoles    Block = "group_roles"
	BlockGroupEmpty    Block = "group_empty"
	BlockGroupFallback Block = "group_fallback"
	BlockWindowOf      Block = "maintenance_of"
	BlockWindowOnly    Block = "maintenance_only"
	BlockWindowWhen    Block = "maintenance_when"
	BlockWindowPages   Block = "maintenance_pages"
)

// Contact settings.
const (
	ActionContacts      Action = "contacts" // opens the contact settings from elsewhere
	ActionContactAdd    Action = "contact_add"
	ActionContactCode   Action = "contact_code"
	ActionContactMenu   Action = "contact_menu"
	ActionContactTest   Action = "contact_test"
	ActionContactResend Action = "contact_resend"
	ActionContactCard   Action = "contact_card"
	ActionRulesEdit     Action = "rules_edit"
	ActionRulesAdd      Action = "rules_add"
	ActionRulesDefaults Action = "rules_defaults"
	ActionRuleContact   Action = "rule_contact"
	ActionRuleAfter     Action = "rule_after"
	ActionRuleRemove    Action = "rule_remove"
	ActionHoursEdit     Action = "hours_edit"

	modalContacts   Modal = "contacts" // can't be submitted
	ModalContactAdd Modal = "contact_add"
	ModalCode       Modal = "contact_code"
	ModalRules      Modal = "contact_rules"
	ModalHours      Modal = "contact_hours"

	BlockMethod  Block = "contact_method"
	blockAddress Block = "address"
	BlockCode    Block = "code"

	// ActionContactMethod fires when a method is chosen; the form then shows its inputs.
	ActionContactMethod = Action(BlockMethod)
)
