package slacksim

import (
	"slices"
	"strings"
)

// userObject returns a person in the Web API's format.
func (s *Sim) userObject(u *User) obj {
	_, offset := s.opt.Now().In(u.zone()).Zone()
	first, last, _ := strings.Cut(u.RealName, " ")
	profile := obj{
		"real_name": u.RealName, "real_name_normalized": u.RealName, "display_name": u.Name,
		"display_name_normalized": u.Name, "first_name": first, "last_name": last, "team": u.team(),
		"status_text": "", "status_emoji": "", "title": "", "phone": "", "avatar_hash": "",
	}
	if u.Email != "" && s.scopes["users:read.email"] {
		profile["email"] = u.Email
	}
	o := obj{
		"id": u.ID, "team_id": u.team(), "name": u.Name, "real_name": u.RealName, "deleted": u.Deleted,
		"is_bot": u.Bot, "is_app_user": false, "is_admin": u.Owner, "is_owner": u.Owner, "is_primary_owner": false,
		"is_restricted": u.Guest, "is_ultra_restricted": false, "updated": s.opt.Now().Unix(),
		"tz": u.TZ, "tz_label": u.TZ, "tz_offset": offset, "profile": profile,
	}
	if id := s.enterpriseOf(u); id != "" {
		o["enterprise_user"] = obj{
			"id": "W" + strings.TrimPrefix(u.ID, "U"), "enterprise_id": id, "enterprise_name": enterpriseName(id),
			"is_admin": false, "is_owner": false, "teams": []string{u.team()},
		}
	}
	if u.Bot {
		profile["bot_id"], profile["api_app_id"] = BotID, AppID
	}
	return o
}

// channelObject returns a conversation in the Web API's format for the bot.
func (s *Sim) channelObject(c *Channel) obj {
	o := obj{
		"id": c.ID, "created": c.Created, "is_archived": c.Archived, "is_im": c.User != "", "is_mpim": false,
		"is_channel": c.User == "" && !c.Private, "is_group": c.Private, "is_private": c.Private || c.User != "",
		"is_org_shared": false, "is_ext_shared": false, "is_shared": false,
	}
	if c.User != "" {
		o["user"], o["is_open"] = c.User, true
		return o
	}
	o["name"], o["name_normalized"], o["creator"] = c.Name, c.Name, c.Creator
	o["is_member"], o["is_general"] = c.has(BotUserID), false
	o["topic"] = obj{"value": c.Topic, "creator": "", "last_set": 0}
	o["purpose"] = obj{"value": "", "creator": "", "last_set": 0}
	return o
}

// messageObject returns a message in the format of history, answers and events.
func (s *Sim) messageObject(m *Message, withMetadata bool) obj {
	o := obj{"type": "message", "user": m.User, "text": m.Text, "ts": m.TS, "team": TeamID}
	if m.User == BotUserID {
		o["bot_id"], o["app_id"] = BotID, AppID
		o["bot_profile"] = s.botObject()
	}
	if m.Subtype != "" {
		o["subtype"] = m.Subtype
	}
	if m.Blocks != nil {
		o["blocks"] = filledIn(decode[any](m.Blocks))
	}
	if m.Attachments != nil {
		o["attachments"] = m.Attachments
	}
	switch {
	case m.Metadata == nil:
	case withMetadata:
		o["metadata"] = m.Metadata
	default: // only its kind
		o["metadata"] = obj{"event_type": decode[obj](m.Metadata)["event_type"]}
	}
	if u := s.user(m.User); u != nil && !u.Bot && m.Subtype == "" {
		o["client_msg_id"] = "00000000-0000-4000-8000-" + strings.ReplaceAll(m.TS, ".", "")[4:]
		if m.Blocks == nil && m.Text != "" {
			o["blocks"] = s.typedBlocks(m)
		}
	}
	if m.Edited {
		o["edited"] = obj{"user": m.User, "ts": m.TS}
	}
	if len(m.Files) > 0 {
		files := []obj{}
		for _, id := range m.Files {
			if f := s.file(id); f != nil {
				files = append(files, s.fileObject(f))
			}
		}
		o["files"], o["upload"] = files, false
	}
	s.addThread(o, m)
	return o
}

// typedBlocks returns the blocks that Slack's own clients send with a person's message.
func (s *Sim) typedBlocks(m *Message) []obj {
	words := []obj{{"type": "text", "text": s.plainText(m.Text)}}
	return []obj{{"type": "rich_text", "block_id": "typed" + m.TS, "elements": []obj{{"type": "rich_text_section", "elements": words}}}}
}

// addThread adds the fields that connect roots and replies.
func (s *Sim) addThread(o obj, m *Message) {
	if m.ThreadTS != "" {
		o["thread_ts"] = m.ThreadTS
		if root := s.message(m.Channel, m.ThreadTS); root != nil {
			o["parent_user_id"] = root.User
		}
		if m.Broadcast {
			o["subtype"] = "thread_broadcast"
		}
		return
	}
	replies := s.replies(m.Channel, m.TS)
	if len(replies) == 0 {
		return
	}
	var users []string
	for _, r := range replies {
		if !slices.Contains(users, r.User) {
			users = append(users, r.User)
		}
	}
	o["thread_ts"], o["reply_count"], o["reply_users"] = m.TS, len(replies), users
	o["reply_users_count"], o["latest_reply"] = len(users), replies[len(replies)-1].TS
}

func (s *Sim) botObject() obj {
	return obj{
		"id": BotID, "app_id": AppID, "name": s.opt.BotName, "deleted": false,
		"team_id": TeamID, "updated": 0,
	}
}

func groupObject(g *Group, withUsers bool) obj {
	o := obj{
		"id": g.ID, "team_id": TeamID, "is_usergroup": true, "is_subteam": true, "is_external": false,
		"name": g.Name, "handle": g.Handle, "description": "", "date_create": g.Updated,
		"date_update": g.Updated, "date_delete": 0, "auto_type": nil, "created_by": BotUserID,
		"updated_by": BotUserID, "deleted_by": nil,
		"prefs": obj{"channels": []string{}, "groups": []string{}},
	}
	if g.Disabled {
		o["date_delete"], o["deleted_by"] = g.Updated, BotUserID
	}
	if withUsers {
		o["users"] = nonNil(g.Users)
	}
	return o
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
