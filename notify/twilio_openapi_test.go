package notify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/watchbill/watchbill/notify"
	"github.com/watchbill/watchbill/twiliosim"
)

// documents are OpenAPI documents of Twilio's interface: what we use of it, in our own words, and Twilio's own where
// they lie beside the repository.
func documents() map[string][]string {
	known := map[string][]string{"ours": {"testdata/twilio.openapi.json"}}
	const theirs = "../../shared/twilio/"
	if _, err := os.Stat(theirs); err == nil {
		known["Twilio's"] = []string{theirs + "messages_calls.openapi.json", theirs + "studio_v2.openapi.json"}
	}
	return known
}

// A contract is what some documents say.
type contract struct {
	routers []routers.Router

	mu       sync.Mutex
	checked  map[string]int // operations
	problems []string
}

// openContract loads the documents and makes them stricter: no parameters that they don't name, no
// invalid numbers, no texts that are too long.
func openContract(t *testing.T, files []string) *contract {
	t.Helper()
	c := &contract{checked: map[string]int{}}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := openapi3.NewLoader().LoadFromData(data)
		if err != nil {
			t.Fatal(err)
		}
		doc.Servers = nil
		for _, item := range doc.Paths.Map() {
			item.Servers = nil
			for _, operation := range item.Operations() {
				closeForm(operation)
			}
		}
		router, err := gorillamux.NewRouter(doc)
		if err != nil {
			t.Fatal(err)
		}
		c.routers = append(c.routers, router)
	}
	return c
}

func closeForm(operation *openapi3.Operation) {
	if operation.RequestBody == nil {
		return
	}
	form := operation.RequestBody.Value.Content.Get("application/x-www-form-urlencoded").Schema.Value
	for name, limit := range map[string]uint64{"Body": 1600, "Twiml": 4000} {
		if p := form.Properties[name]; p != nil {
			p.Value.MaxLength = &limit
		}
	}
	for _, name := range []string{"To", "From"} {
		if p := form.Properties[name]; p != nil {
			p.Value.Pattern = `^\+[1-9][0-9]{6,14}$`
		}
	}
	for _, name := range []string{"Parameters", "Definition"} { // JSON as a string, for which the documents have no type
		if p := form.Properties[name]; p != nil {
			p.Value.Type = &openapi3.Types{"string"}
			p.Value.Pattern = `^\{.*\}$`
		}
	}
	low, high := 1.0, 36000.0
	if p := form.Properties["ValidityPeriod"]; p != nil {
		p.Value.Min, p.Value.Max = &low, &high
	}
}

// Handler checks each request, passes it on and checks the answer.
func (c *contract) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		input, err := c.request(r, body)
		recorded := httptest.NewRecorder()
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(recorded, r)
		if err == nil && input != nil && recorded.Code < 400 {
			err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
				RequestValidationInput: input, Status: recorded.Code, Header: recorded.Header(),
				Body: io.NopCloser(bytes.NewReader(recorded.Body.Bytes())), Options: &openapi3filter.Options{IncludeResponseStatus: true},
			})
			if err != nil {
				err = fmt.Errorf("the simulator's answer: %w", err)
			}
		}
		if err != nil {
			c.mu.Lock()
			c.problems = append(c.problems, fmt.Sprintf("%s %s %s: %v", r.Method, r.URL, body, err))
			c.mu.Unlock()
		}
		maps.Copy(w.Header(), recorded.Header())
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
	})
}

// request checks one request. For addresses that the documents don't describe it returns nil.
func (c *contract) request(r *http.Request, body []byte) (*openapi3filter.RequestValidationInput, error) {
	for _, router := range c.routers {
		route, params, err := router.FindRoute(r)
		if err != nil {
			continue
		}
		c.mu.Lock()
		c.checked[route.Method+" "+route.Path]++
		c.mu.Unlock()
		if err := onlyKnown(route.Operation, r.URL.Query(), body); err != nil {
			return nil, err
		}
		input := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: &openapi3filter.Options{
			SkipSettingDefaults: true, AuthenticationFunc: signedIn,
		}}
		return input, openapi3filter.ValidateRequest(r.Context(), input)
	}
	if strings.Contains(r.URL.Path, "IncomingPhoneNumbers") || strings.HasSuffix(r.URL.Path, "/Accounts/"+twiliosim.Account+".json") ||
		strings.HasPrefix(r.URL.Path, "/v1/") {
		return nil, nil //nolint:nilnil // not described
	}
	return nil, errors.New("there is no such address")
}

// onlyKnown refuses parameters that the documents don't name, which kin-openapi lets pass.
func onlyKnown(operation *openapi3.Operation, query url.Values, body []byte) error {
	known := map[string]bool{}
	for _, p := range operation.Parameters {
		known[p.Value.Name] = true
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return err
	}
	fields := openapi3.Schemas{}
	if operation.RequestBody != nil {
		fields = operation.RequestBody.Value.Content.Get("application/x-www-form-urlencoded").Schema.Value.Properties
	}
	for name := range query {
		if !known[name] {
			return fmt.Errorf("the parameter %s is unknown", name)
		}
	}
	for name := range form {
		if fields[name] == nil {
			return fmt.Errorf("the field %s is unknown", name)
		}
	}
	return nil
}

// signedIn requires credentials in every request; the simulator checks them.
func signedIn(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	if _, _, ok := in.RequestValidationInput.Request.BasicAuth(); !ok {
		return errors.New("no credentials")
	}
	return nil
}

// newCheckedTwilio returns a line whose requests and answers are all checked against the contract.
func newCheckedTwilio(t *testing.T, files []string) (*twilioFixture, *contract) {
	c := openContract(t, files)
	l := newTwilioFixture(t)
	server := httptest.NewServer(c.Handler(l.sim.Handler()))
	t.Cleanup(server.Close)
	l.conf = twilioConfig(server.URL, l.clock.Now)
	return l, c
}

func TestTwilioRequestsKeepTheContract(t *testing.T) {
	t.Parallel()
	for whose, files := range documents() {
		t.Run(whose, func(t *testing.T) {
			t.Parallel()
			checkContract(t, files)
		})
	}
}

func checkContract(t *testing.T, files []string) {
	l, c := newCheckedTwilio(t, files)
	ctx := context.Background()
	s := l.sms()
	for _, m := range []notify.Message{
		page(annPhone, "page 7"),
		{Purpose: notify.ForPage, Key: "b", To: annPhone, Count: 9, Code: 2, Lines: []string{strings.Repeat("磁盘已满 ", 300)}, Expires: l.clock.Now().Add(90 * time.Hour)},
		{Purpose: notify.ForVerify, Key: "v", To: annPhone, Verify: "482913", Expires: l.clock.Now().Add(-time.Minute)},
		{Purpose: notify.ForTest, Key: "t", To: annPhone, Code: 3},
		{Purpose: notify.ForCheck, Key: "c", To: annPhone},
		{Purpose: notify.ForResponse, Key: "a", To: annPhone, Title: "Acknowledged #12."},
	} {
		want(t, s.Send(ctx, m), notify.Accepted)
	}
	r := s.Send(ctx, page(annPhone, "page 8"))
	_, err := s.Track(ctx, r.Reference)
	l.must(err)
	for range 60 {
		_, err = l.sim.Reply(ctx, annPhone, "1a")
		l.must(err)
	}
	_, cursor, err := s.Listen(ctx, "")
	l.must(err)
	_, _, err = s.Listen(ctx, cursor)
	l.must(err)
	_, _, err = s.Find(ctx, page(annPhone, "page 7"), l.clock.Now())
	l.must(err)

	l.conf.Service = "MG00000000000000000000000000000001"
	want(t, l.sms().Send(ctx, page(boPhone, "page 9")), notify.Accepted)
	l.callEverywhere(ctx)

	for _, operation := range []string{
		"POST /2010-04-01/Accounts/{AccountSid}/Messages.json", "GET /2010-04-01/Accounts/{AccountSid}/Messages.json",
		"GET /2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json", "POST /2010-04-01/Accounts/{AccountSid}/Calls.json",
		"GET /2010-04-01/Accounts/{AccountSid}/Calls.json", "GET /2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json",
		"POST /2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json", "POST /v2/Flows", "POST /v2/Flows/{Sid}", "GET /v2/Flows",
		"POST /v2/Flows/Validate", "GET /v2/Flows/{Sid}", "POST /v2/Flows/{FlowSid}/Executions", "GET /v2/Flows/{FlowSid}/Executions",
		"GET /v2/Flows/{FlowSid}/Executions/{Sid}", "POST /v2/Flows/{FlowSid}/Executions/{Sid}",
		"GET /v2/Flows/{FlowSid}/Executions/{ExecutionSid}/Context",
	} {
		if c.checked[operation] == 0 {
			t.Errorf("nothing was asked of %s", operation)
		}
	}
	for _, p := range c.problems {
		t.Error(p)
	}
}

// callEverywhere makes every kind of request for calls, the account and its setup.
func (fx *twilioFixture) callEverywhere(ctx context.Context) {
	fx.Helper()
	v := fx.voice()
	_, _, err := v.SetUpFlow(ctx) // updates it
	fx.must(err)
	for _, f := range v.Check(ctx) {
		if !f.OK && !f.Note {
			fx.Errorf("found %+v", f)
		}
	}
	r := v.Send(ctx, page(annPhone, "page 10"))
	want(fx.T, r, notify.Accepted)
	want(fx.T, v.Send(ctx, page(annPhone, "page 11")), notify.Throttled)
	_, err = fx.sim.Answer(annPhone)
	fx.must(err)
	_, err = fx.sim.Press(ctx, annPhone, "1")
	fx.must(err)
	if replies, _, err := v.Listen(ctx, ""); err != nil || len(replies) != 1 {
		fx.Errorf("replies %v, %v, want no error and 1 reply", replies, err)
	}
	_, err = v.Track(ctx, r.Reference)
	fx.must(err)
	_, _, err = v.Find(ctx, page(annPhone, "page 10"), fx.clock.Now())
	fx.must(err)
	r = v.Send(ctx, page(boPhone, "page 12"))
	fx.must(v.Cancel(ctx, r.Reference))

	fx.conf.Flow, fx.conf.Public = "", "https://watchbill.example.com"
	v = notify.Voice{Twilio: notify.NewTwilio(fx.conf)}
	r = v.Send(ctx, page(annPhone, "page 13"))
	want(fx.T, r, notify.Accepted)
	_, err = v.Track(ctx, r.Reference)
	fx.must(err)
	_, _, err = v.Find(ctx, page(annPhone, "page 13"), fx.clock.Now())
	fx.must(err)
	fx.must(v.Cancel(ctx, r.Reference))
}

// The contract is worth something only if it refuses wrong requests.
func TestTwilioContractRefusesInvalidRequests(t *testing.T) {
	t.Parallel()
	for whose, files := range documents() {
		t.Run(whose, func(t *testing.T) {
			t.Parallel()
			checkRefusals(t, openContract(t, files))
		})
	}
}

func checkRefusals(t *testing.T, c *contract) {
	const messages = "/2010-04-01/Accounts/" + twiliosim.Account + "/Messages.json"
	good := url.Values{"To": {annPhone}, "From": {twiliosim.Number}, "Body": {"hello"}}
	with := func(name string, values ...string) url.Values {
		form := url.Values{}
		maps.Copy(form, good)
		form[name] = values
		return form
	}
	for _, tt := range []struct {
		method, path string
		form         url.Values
		ok           bool
	}{
		{"POST", messages, good, true},
		{"POST", messages, with("ValidityPeriod", "99999"), false},
		{"POST", messages, with("To", "banana"), false},
		{"POST", messages, with("To"), false},
		{"POST", messages, with("Body", strings.Repeat("x", 1601)), false},
		{"POST", messages, with("Urgent", "yes"), false},
		{"POST", messages, with("RiskCheck", "maybe"), false},
		{"POST", "/2010-04-01/Accounts/AC1/Messages.json", good, false},
		{"PUT", messages, good, false},
		{"GET", messages + "?Newest=1", nil, false},
		{"POST", "/v2/Flows/FW1/Executions", url.Values{"To": {annPhone}, "From": {twiliosim.Number}}, false},
	} {
		r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(twiliosim.Key, twiliosim.Secret)
		if _, err := c.request(r, []byte(tt.form.Encode())); (err == nil) != tt.ok {
			t.Errorf("%s %s %v: got %v, want it accepted: %v", tt.method, tt.path, tt.form, err, tt.ok)
		}
	}
}
