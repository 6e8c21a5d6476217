package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/watchbill/watchbill/store"
)

// secure returns the server's TLS configuration, or nil without TLS. Certificates are ordered from an ACME server when a
// client first needs them, and renewed a month before they expire.
func (a *app) secure(ctx context.Context, f tlsFlags, clock func() time.Time) (*tls.Config, error) {
	switch {
	case f.TLSCert != "":
		return speakTLS((&certificateFiles{cert: f.TLSCert, key: f.TLSKey, log: a.log}).get), nil
	case f.ACMEDomains == "":
		return nil, nil //nolint:nilnil // no TLS
	}
	own, err := selfSigned(clock())
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	client := &acme.Client{DirectoryURL: f.ACMEURL, UserAgent: "watchbill"}
	if f.ACMECAFile != "" {
		trusted, err := certificatesIn(f.ACMECAFile)
		if err != nil {
			return nil, err
		}
		transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: trusted}}
		client.HTTPClient = &http.Client{Transport: transport, Timeout: acmeTimeout}
	}
	manager := &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: storedCertificates{a.store, clock}, HostPolicy: autocert.HostWhitelist(f.domains()...), Client: client, Email: f.ACMEMail,
	}
	if f.ACMECache != "" {
		manager.Cache = autocert.DirCache(f.ACMECache)
	}
	if f.ACMEListen != "" {
		if _, err := a.listen(ctx, f.ACMEListen, manager.HTTPHandler(nil), fewConnections, nil, nil); err != nil {
			return nil, err
		}
	}
	config := speakTLS(func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.ServerName == "" || hello.ServerName == "localhost" {
			return own, nil
		}
		cert, err := manager.GetCertificate(hello)
		if err != nil && slices.Contains(f.domains(), hello.ServerName) {
			a.log.Error().Err(err).Str("name", hello.ServerName).Msg("there is no certificate")
		}
		return cert, err
	})
	config.NextProtos = append(config.NextProtos, acme.ALPNProto)
	return config, nil
}

// acmeTimeout is how long a call of the ACME server may take.
const acmeTimeout = 30 * time.Second

// storedCertificates keeps certificates and their keys in the database, so that all instances share them: the ACME
// server's challenge for one instance's order may reach another instance.
type storedCertificates struct {
	store *store.System
	clock func() time.Time
}

// Get is part of autocert's interface.
func (s storedCertificates) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := s.store.KeptCertificate(ctx, name)
	if errors.Is(err, store.ErrNoCertificate) {
		return nil, autocert.ErrCacheMiss
	}
	return data, err
}

// Put is part of autocert's interface.
func (s storedCertificates) Put(ctx context.Context, name string, data []byte) error {
	return s.store.KeepCertificate(ctx, name, data, s.clock())
}

// Delete is part of autocert's interface.
func (s storedCertificates) Delete(ctx context.Context, name string) error {
	return s.store.DropCertificate(ctx, name)
}
