package twiliosim

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const ann = "+12025550101"

type harness struct {
	*testing.T
	*Sim
	base string

	mu  sync.Mutex
	now time.Time
}

func start(t *testing.T) *harness {
	t.Helper()
	h := &harness{T: t, now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	h.Sim = New(Options{Now: func() time.Time {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.now
	}})
	var err error
	if h.base, err = h.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func (h *harness) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// call makes one request as user and returns the status and the answer.
func (h *harness) call(user, password, method, path string, form url.Values) (int, map[string]any) {
	h.Helper()
	req, err := http.NewRequest(method, h.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(user, password)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.Fatal(err)
	}
	defer res.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		h.Fatal(err)
	}
	return res.StatusCode, out
}

const messagesPath = "/2010-04-01/Accounts/" + Account + "/Messages.json"

func sms(to, body string) url.Values {
	return url.Values{"To": {to}, "From": {Number}, "Body": {body}}
}

func TestAuthenticationNeedsAKeyOfTheAccount(t *testing.T) {
	t.Parallel()
	h := start(t)
	for _, tt := range []struct {
		user, password, path string
		status               int
	}{
		{Account, Token, messagesPath, 200},
		{Key, Secret, messagesPath, 200},
		{Key, Token, messagesPath, 401},
		{"", "", messagesPath, 401},
		{Key, Secret, "/2010-04-01/Accounts/AC9/Messages.json", 404},
		{Key, Secret, "/2010-04-01/Nothing.json", 404},
		{Key, Secret, messagesPath + "?Newest=1", 400},
	} {
		if status, out := h.call(tt.user, tt.password, "GET", tt.path, nil); status != tt.status || status >= 400 && out["code"] == nil {
			t.Errorf("%s at %s: status %d, %v; want %d, with a code if it is an error", tt.user, tt.path, status, out, tt.status)
		}
	}
}

func TestRefusalsHaveTwiliosCodes(t *testing.T) {
	t.Parallel()
	h := start(t)
	h.AddPhone(Phone{Number: "+12025550104", Outcome: OutcomeLandline})
	for code, form := range map[float64]url.Values{
		21211: sms("banana", "x"),
		21602: sms(ann, ""),
		21617: sms(ann, strings.Repeat("x", 1601)),
		21603: {"To": {ann}, "Body": {"x"}},
		21606: {"To": {ann}, "Body": {"x"}, "From": {"+12025550123"}},
		21614: sms("+12025550104", "x"),
		20001: {"To": {ann}, "Body": {"x"}, "From": {Number}, "Urgent": {"1"}},
	} {
		if status, out := h.call(Key, Secret, "POST", messagesPath, form); status != 400 || out["code"] != code {
			t.Errorf("want %v: %d %v", code, status, out)
		}
	}
	for name, definition := range map[string]string{
		"no JSON":          `{`,
		"no start":         `{"states":[]}`,
		"leads nowhere":    `{"initial_state":"T","states":[{"name":"T","type":"trigger","transitions":[{"event":"incomingRequest","next":"x"}],"properties":{}}]}`,
		"a strange widget": `{"initial_state":"T","states":[{"name":"T","type":"teleport","transitions":[],"properties":{}}]}`,
		"a strange event":  `{"initial_state":"T","states":[{"name":"T","type":"trigger","transitions":[{"event":"full moon"}],"properties":{}}]}`,
		"a number as text": `{"initial_state":"T","states":[{"name":"T","type":"say-play","transitions":[],"properties":{"loop":"1"}}]}`,
	} {
		form := url.Values{"FriendlyName": {"x"}, "Status": {"published"}, "Definition": {definition}}
		if status, out := h.call(Key, Secret, "POST", "/v2/Flows/Validate", form); status != 400 {
			t.Errorf("%s: status %d, %v; want 400", name, status, out)
		}
	}
}

func TestTwiMLMustBeXML(t *testing.T) {
	t.Parallel()
	for document, good := range map[string]bool{
		`<?xml version="1.0"?><Response><Say>a &amp; b</Say></Response>`: true,
		`<Response/>`:                           true,
		`<Response><Say>a & b</Say></Response>`: false,
		`<Response><Say>a</Response>`:           false,
		`<Speak/>`:                              false,
		`hello`:                                 false,
		``:                                      false,
		`<Response></Response><Response></Response>`: false,
	} {
		if _, err := parseTwiML([]byte(document)); (err == nil) != good {
			t.Errorf("%s: %v, want it accepted: %t", document, err, good)
		}
	}
}

// The page shows foreign text, but never as markup, and other sites can't press its buttons.
func TestPageShowsForeignTextAsText(t *testing.T) {
	t.Parallel()
	h := start(t)
	h.AddPhone(Phone{Number: ann, Name: `Ann <b>`})
	h.call(Key, Secret, "POST", messagesPath, sms(ann, `<script>alert("x")</script>`))
	for _, path := range []string{"/", "/phones"} {
		res, err := http.Get(h.base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if page := string(body); !strings.Contains(page, "&lt;script&gt;alert(") || strings.Contains(page, "<script>alert") || strings.Contains(page, "<b>") {
			t.Errorf("%s doesn't escape foreign text:\n%s", path, page)
		}
		if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'self'") {
			t.Errorf("%s has the policy %q, want only its own content", path, policy)
		}
	}
	act := func(origin string, form url.Values) int {
		req, _ := http.NewRequest(http.MethodPost, h.base+"/phones", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", origin)
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	reply := url.Values{"phone": {ann}, "do": {"reply"}, "text": {"1a"}}
	if code := act("https://evil.example.com", reply); code != http.StatusForbidden {
		t.Errorf("another site got %d, want %d", code, http.StatusForbidden)
	}
	if code := act(h.base, reply); code != http.StatusSeeOther {
		t.Errorf("the page got %d, want %d", code, http.StatusSeeOther)
	}
	if code := act(h.base, url.Values{"phone": {ann}, "do": {"1"}}); code != http.StatusConflict {
		t.Errorf("a key without a call got %d, want %d", code, http.StatusConflict)
	}
	if got, want := h.Text(ann), "< <script>alert(\"x\")</script>\n> 1a\n"; got != want {
		t.Errorf("the phone shows %q, want %q", got, want)
	}
}

func TestPageIsOnlyForThisMachine(t *testing.T) {
	t.Parallel()
	h := start(t)
	req, _ := http.NewRequest(http.MethodGet, h.base+"/", nil)
	req.Host = "evil.example.com"
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("got %d, want %d", res.StatusCode, http.StatusForbidden)
	}
	if _, err := New(Options{}).Start("0.0.0.0:0"); err == nil {
		t.Error("the simulator listens on every address, want only loopback")
	}
}

func TestListsLagBehindSingleMessages(t *testing.T) {
	t.Parallel()
	h := start(t)
	h.SetListLag(5 * time.Second)
	h.call(Key, Secret, "POST", messagesPath, sms(ann, "x"))
	count := func() int {
		_, out := h.call(Key, Secret, "GET", messagesPath, nil)
		list, _ := out["messages"].([]any)
		return len(list)
	}
	if n := count(); n != 0 {
		t.Errorf("%d at once, want 0", n)
	}
	h.advance(5 * time.Second)
	if n := count(); n != 1 {
		t.Errorf("%d later, want 1", n)
	}
}

func TestFaultsAreUsedUp(t *testing.T) {
	t.Parallel()
	h := start(t)
	h.Fail(Fault{Path: "Messages", Method: "POST", Kind: FaultLimit, Times: 2, RetryAfter: 1500 * time.Millisecond})
	for i, want := range []int{429, 429, 201} {
		if status, _ := h.call(Key, Secret, "POST", messagesPath, sms(ann, "x")); status != want {
			t.Errorf("request %d: %d, want %d", i, status, want)
		}
	}
	h.Fail(Fault{Kind: FaultLost})
	_, err := http.PostForm(strings.Replace(h.base, "://", "://"+Key+":"+Secret+"@", 1)+messagesPath, sms(ann, "lost"))
	if err == nil {
		t.Error("the connection was not cut, want it cut")
	}
	if got := h.Inbox(ann); len(got) != 2 || got[1] != "lost" {
		t.Errorf("the phone has the messages %q, want the sent one", got)
	}
	requests := h.Requests()
	if last := requests[len(requests)-1]; last.Status != 0 || last.Method != http.MethodPost {
		t.Errorf("the last request is %+v, want a POST without an answer", last)
	}
}

// STOP stops messages until START.
func TestStopAndStart(t *testing.T) {
	t.Parallel()
	h := start(t)
	for _, tt := range []struct {
		says   string
		status int
	}{{"stop ", 400}, {"start", 201}} {
		if _, err := h.Reply(context.Background(), ann, tt.says); err != nil {
			t.Fatal(err)
		}
		if status, _ := h.call(Key, Secret, "POST", messagesPath, sms(ann, "x")); status != tt.status {
			t.Errorf("an SMS after %s: status %d, want %d", tt.says, status, tt.status)
		}
	}
}

// The number's webhook is called with a signature, and its answer is sent to the phone.
func TestIncomingMessageCallsTheWebhook(t *testing.T) {
	t.Parallel()
	h := start(t)
	var hook string
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if r.Header.Get("X-Twilio-Signature") != Sign(Token, hook, r.PostForm) || r.PostForm.Get("Body") != "1a" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, "<Response><Message>Thank you &amp; good night</Message></Response>")
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	hook = "http://" + listener.Addr().String() + "/hook"
	h.SetSMSURL(hook)
	if _, err := h.Reply(context.Background(), ann, "1a"); err != nil {
		t.Fatal(err)
	}
	if got := h.Inbox(ann); len(got) != 1 || got[0] != "Thank you & good night" {
		t.Errorf("the phone has the messages %q, want the sent one", got)
	}
	if _, err := h.Reply(context.Background(), ann, "1r"); err == nil {
		t.Error("a refusal by the webhook is no error, want one")
	}
}
