package oncall

import (
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A Method is a way to send pages, such as SMS.
type Method string

// The methods. Each has a row in the table below. MethodCanary, which nobody chooses, has none.
const (
	MethodSlack    Method = "slack" // a direct message; everybody has it
	MethodVoice    Method = "voice"
	MethodSMS      Method = "sms"
	MethodEmail    Method = "email"
	MethodNtfy     Method = "ntfy"
	MethodPushover Method = "pushover"
	MethodTelegram Method = "telegram"
	MethodWebhook  Method = "webhook" // a person's, or a target of a policy step
	MethodChannel  Method = "channel" // a Slack channel; only a target of a policy step
)

// A MethodInfo is everything that the program knows about a method, except how to send by it. Rules for phones (who
// may add one, how numbers are counted and masked) go by IsPhone.
type MethodInfo struct {
	Method Method
	Name   string // in the middle of a sentence
	Title  string // at the beginning of a line
	Acts   string // completes "acknowledged by …"; empty: nobody answers by this method

	// How an admin enables it.
	Kind    string // its group in the settings; empty: it needs no setting
	Setting string // the setting that it needs

	// How a person adds it.
	Label string                       // of the address field; empty: the address comes with the code
	Hint  string                       // below the address field
	Check func(string) (string, error) // returns the normalised address, or refuses it; nil: people can't add this method

	// The default delay after the decision to page; nil: never. Phone calls come a minute after silent methods, so
	// that a quick answer keeps the phone quiet.
	High, Low *Seconds

	Coded    bool   // messages have a code by which an answer names them
	Replied  bool   // answers are texts, and the response goes back the same way
	Spoken   bool   // it is a phone call
	Wakes    bool   // it can wake somebody
	Cellular bool   // it works without the Internet, by the phone network
	IsPhone  bool   // its addresses are phone numbers, and each message costs money
	Programs bool   // only programs read it, so nobody answers
	Provider string // the provider that it shares with other methods; empty: none
	Restart  string // how its person can switch it on again at the provider; empty: they can't
}

// methods is the table of all methods, in the order in which people choose one.
var methods = []MethodInfo{
	{
		Method: MethodSlack, Name: "Slack", Title: "Slack",
	},
	{
		Method: MethodVoice, Name: "call", Title: "Call", Acts: "phone",
		Kind: "SMS and calls", Setting: "TWILIO_ACCOUNT_SID", Provider: "Twilio",
		Label: "Phone number", Hint: "With the country code, such as +12025550100. You are called once and told a code.", Check: checkPhone,
		High:  new(Seconds(60)),
		Coded: true, Spoken: true, Wakes: true, Cellular: true, IsPhone: true,
	},
	{
		Method: MethodSMS, Name: "SMS", Title: "SMS", Acts: "SMS",
		Kind: "SMS and calls", Setting: "TWILIO_ACCOUNT_SID", Provider: "Twilio",
		Label: "Mobile number", Hint: "With the country code, such as +12025550100. You get an SMS with a code now. Later, pages come as SMS, and you answer them by SMS, at your plan's rates; STOP ends them.", Check: checkPhone,
		High:  new(Seconds(180)),
		Coded: true, Replied: true, Wakes: true, Cellular: true, IsPhone: true,
		Restart: "START, sent from that phone, switches it on again.",
	},
	{
		Method: MethodEmail, Name: "mail", Title: "Mail", Acts: "mail",
		Kind: "mail", Setting: "WATCHBILL_SMTP_URL",
		Label: "Address", Hint: "You get a mail with a code.", Check: checkMail,
		High: new(Seconds(300)), Low: new(Seconds(0)),
	},
	{
		Method: MethodNtfy, Name: "ntfy", Title: "ntfy", Acts: "ntfy",
		Kind: "pushes", Setting: "WATCHBILL_NTFY_URL",
		Label: "Topic", Hint: "A name that nobody can guess, to which you subscribe in the ntfy app first.", Check: checkTopic,
		High:  new(Seconds(0)),
		Wakes: true,
	},
	{
		Method: MethodPushover, Name: "Pushover", Title: "Pushover", Acts: "Pushover",
		Kind: "pushes", Setting: "WATCHBILL_PUSHOVER_TOKEN",
		Label: "User key", Hint: "The 30 letters and digits on the Pushover app's first page.", Check: checkPushoverKey,
		High:  new(Seconds(0)),
		Wakes: true,
	},
	{
		Method: MethodTelegram, Name: "Telegram", Title: "Telegram", Acts: "Telegram",
		Kind: "pushes", Setting: "WATCHBILL_TELEGRAM_TOKEN",
		Check: checkChat,
		High:  new(Seconds(0)),
		Coded: true, Replied: true, Wakes: true,
	},
	{
		Method: MethodWebhook, Name: "webhook", Title: "Webhook",
		Label: "Address", Hint: "An https:// address, to which the code and every page is posted as JSON.", Check: checkWebhook,
		High:     new(Seconds(0)),
		Programs: true,
	},
	{
		Method: MethodChannel, Name: "channel", Title: "Channel",
	},
}

// Info returns the method's row of the table. For a method that only a later release knows, it returns just the name.
func (m Method) Info() MethodInfo {
	for _, info := range methods {
		if info.Method == m {
			return info
		}
	}
	return MethodInfo{Method: m, Name: string(m), Title: string(m), Label: "Address"}
}

// Name returns the method's name in the middle of a sentence.
func (m Method) Name() string { return m.Info().Name }

// Methods lists all methods, in the order of the table.
func Methods() []Method {
	out := make([]Method, len(methods))
	for i, info := range methods {
		out[i] = info.Method
	}
	return out
}

// ContactMethods lists the methods that people can add, in the order of the table.
func ContactMethods() []MethodInfo {
	return slices.DeleteFunc(slices.Clone(methods), func(info MethodInfo) bool { return info.Check == nil })
}

const maxAddress = 300

// CheckAddress returns the normalised address, or refuses one that can't be right.
func (m Method) CheckAddress(address string) (string, error) {
	address = strings.TrimSpace(address)
	check := m.Info().Check
	switch {
	case len(address) > maxAddress:
		return "", Refuse("That is too long for an address.")
	case check == nil:
		return "", Refuse("There is no contact method %q.", m)
	}
	return check(address)
}

var (
	phoneNoise  = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "/", "", "\u00a0", "")
	phoneNumber = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	ntfyTopic   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	pushoverKey = regexp.MustCompile(`^[A-Za-z0-9]{30}$`)
	chatID      = regexp.MustCompile(`^-?[0-9]{1,20}$`)
)

func checkMail(address string) (string, error) {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || strings.ContainsAny(address, "\r\n") {
		return "", Refuse("That is not a mail address; one looks like ann@example.com.")
	}
	return address, nil
}

// checkTopic accepts a topic of the configured ntfy server, or the URL of a topic on another server.
func checkTopic(address string) (string, error) {
	u, err := url.Parse(address)
	elsewhere := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil &&
		ntfyTopic.MatchString(strings.Trim(u.EscapedPath(), "/")) && !strings.ContainsAny(address, "?#")
	if !elsewhere && !ntfyTopic.MatchString(address) {
		return "", Refuse("A topic of ntfy has up to 64 letters, digits, dashes and underscores.")
	}
	return address, nil
}

func checkPushoverKey(address string) (string, error) {
	if !pushoverKey.MatchString(address) {
		return "", Refuse("A user key of Pushover has 30 letters and digits.")
	}
	return address, nil
}

func checkChat(address string) (string, error) {
	if address != "" && !chatID.MatchString(address) {
		return "", Refuse("Leave the address empty: Telegram tells it when you write to the bot.")
	}
	return address, nil
}

func checkWebhook(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
		return "", Refuse("Please give a whole URL, such as https://example.com/page.")
	}
	return u.String(), nil
}
