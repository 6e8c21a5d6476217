package api

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // Amazon's signatures of version 1 use SHA-1
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits of a call to Amazon.
const (
	snsTimeout = 4 * time.Second // SNS itself waits for 15 s
	snsAnswer  = 64 << 10        // bytes
	snsCerts   = 100             // certificates that are cached
)

// snsHost matches the hosts where Amazon keeps certificates and accepts confirmations. No other host is called.
var snsHost = regexp.MustCompile(`^sns\.[a-z0-9-]{2,30}\.amazonaws\.com(\.cn)?$`)

var (
	errForged    = errors.New("the signature of this message of Amazon SNS is not Amazon's")
	errUnchecked = errors.New("the signature of this message of Amazon SNS could not be checked")
)

// snsMessage is a message that Amazon SNS posts.
type snsMessage struct {
	Type, MessageID, TopicArn, Message, Timestamp, Token string
	SignatureVersion, Signature, SigningCertURL          string
	SubscribeURL                                         string
	Subject                                              *string // not signed if it is absent
}

// snsMessageIn returns the SNS message in a body, or nil if the body holds none.
func snsMessageIn(body []byte) *snsMessage {
	if !bytes.Contains(body, []byte(`"TopicArn"`)) || !bytes.Contains(body, []byte(`"Signature"`)) {
		return nil
	}
	var m snsMessage
	if json.Unmarshal(body, &m) != nil || m.TopicArn == "" || m.Signature == "" || m.Type == "" {
		return nil
	}
	return &m
}

// signed returns the text that Amazon signed.
func (m *snsMessage) signed() []byte {
	var b bytes.Buffer
	add := func(name, value string) { fmt.Fprintf(&b, "%s\n%s\n", name, value) }
	add("Message", m.Message)
	add("MessageId", m.MessageID)
	if m.Type == "Notification" {
		if m.Subject != nil {
			add("Subject", *m.Subject)
		}
	} else {
		add("SubscribeURL", m.SubscribeURL)
	}
	add("Timestamp", m.Timestamp)
	if m.Type != "Notification" {
		add("Token", m.Token)
	}
	add("TopicArn", m.TopicArn)
	add("Type", m.Type)
	return b.Bytes()
}

// snsKeys caches Amazon's public keys by the addresses of their certificates.
type snsKeys struct {
	mu   sync.Mutex
	keys map[string]*rsa.PublicKey
}

// checkSNSSignature returns errForged if Amazon did not sign a message, and errUnchecked if the signature can't be checked.
func (s *server) checkSNSSignature(ctx context.Context, message *snsMessage) error {
	if !isAmazonURL(message.SigningCertURL) {
		return errForged
	}
	key, err := s.snsKey(ctx, message.SigningCertURL)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnchecked, err)
	}
	signature, err := base64.StdEncoding.DecodeString(message.Signature)
	if err != nil {
		return errForged
	}
	sum, kind := sha256.Sum256(message.signed()), crypto.SHA256
	digest := sum[:]
	if message.SignatureVersion != "2" {
		old := sha1.Sum(message.signed()) //nolint:gosec // see above
		digest, kind = old[:], crypto.SHA1
	}
	if rsa.VerifyPKCS1v15(key, kind, digest, signature) != nil {
		return errForged
	}
	return nil
}

// isAmazonURL reports whether an address belongs to Amazon SNS.
func isAmazonURL(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.User == nil && snsHost.MatchString(u.Host)
}

func (s *server) snsKey(ctx context.Context, address string) (*rsa.PublicKey, error) {
	s.sns.mu.Lock()
	key := s.sns.keys[address]
	s.sns.mu.Unlock()
	if key != nil {
		return key, nil
	}
	data, err := s.callAmazon(ctx, address)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("there is no certificate at its address")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("its certificate has another kind of key")
	}
	s.sns.mu.Lock()
	defer s.sns.mu.Unlock()
	if len(s.sns.keys) >= snsCerts || s.sns.keys == nil {
		s.sns.keys = map[string]*rsa.PublicKey{}
	}
	s.sns.keys[address] = key
	return key, nil
}

// callAmazon fetches an address of Amazon, without following redirects.
func (s *server) callAmazon(ctx context.Context, address string) ([]byte, error) {
	if s.Outbound == nil {
		return nil, errors.New("no calls can be made")
	}
	ctx, cancel := context.WithTimeout(ctx, snsTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{Transport: s.Outbound, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return nil, errors.New("its address can't be reached") // the underlying error contains the token
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, snsAnswer))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("its address answers %d", res.StatusCode)
	}
	return data, err
}

// snsAge is the maximum age of a message. Amazon repeats a message for an hour at most.
const snsAge = 2 * time.Hour

// checkSNS checks a message from Amazon SNS and confirms subscriptions. A request without such a
// message (m is nil) counts as forged. If the integration names topics, the message must belong to one
// of them. The result hint is advice for the sender, and forged means that the message failed the
// check and is shown unparsed, because it may still be an alert.
func (s *server) checkSNS(ctx context.Context, message *snsMessage, topics []string) (hint, forged string, p *problem) {
	if message == nil {
		return "", onlyTopics, nil
	}
	if len(topics) > 0 && !slices.Contains(topics, message.TopicArn) {
		return "", fmt.Sprintf("A message came of the topic %s of Amazon SNS, which is not among the topics of this integration; nothing was confirmed.", message.TopicArn), nil
	}
	err := s.checkSNSSignature(ctx, message)
	confirms := message.Type == "SubscriptionConfirmation"
	at, _ := time.Parse(time.RFC3339, message.Timestamp)
	switch {
	case err == nil && !confirms && s.Clock().Sub(at) > snsAge:
		return "", "A message of Amazon SNS came that was signed long ago; somebody may have kept it.", nil
	case err != nil && !errors.Is(err, errForged) && !confirms && len(topics) > 0:
		s.outages.Warn().Err(err).Msg("signature not checked")
		return "", sentence(err), nil
	case errors.Is(err, errForged):
		return "", "The signature of a message of Amazon SNS is not Amazon's; whoever sent it has the key.", nil
	case err != nil && !confirms: // anyone with the key may page
		s.outages.Warn().Err(err).Msg("signature not checked")
		return sentence(err), "", nil
	case err == nil && confirms && !isAmazonURL(message.SubscribeURL):
		return "", "A confirmation of Amazon SNS leads elsewhere.", nil
	case err == nil && confirms:
		_, err = s.callAmazon(ctx, message.SubscribeURL)
	}
	if confirms && err != nil {
		s.outages.Error().Err(err).Str("topic", message.TopicArn).Msg("subscription not confirmed")
		return "", "", unavailable("The subscription could not be confirmed: " + err.Error() + ". It is tried again when Amazon asks again.")
	}
	if confirms {
		s.Log.Info().Str("topic", message.TopicArn).Msg("subscription confirmed")
	}
	return "", "", nil
}

func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
