package notify_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/watchbill/watchbill/notify"
)

// eximConf makes Exim accept mail with STARTTLS on the first port and with TLS on the second, from
// clients that know the password, into a maildir.
const eximConf = `
exim_user = %[1]s
exim_group = %[5]s
primary_hostname = mail.example.com
spool_directory = %[2]s/spool
log_file_path = %[2]s/log/%%slog
pid_file_path = %[2]s/log/pid
keep_environment =
local_interfaces = 127.0.0.1
daemon_smtp_ports = %[3]d : %[4]d
daemon_startup_retries = 0
tls_on_connect_ports = %[4]d
tls_advertise_hosts = *
tls_certificate = %[2]s/cert.pem
tls_privatekey = %[2]s/key.pem
acl_smtp_rcpt = rcpt

begin acl
rcpt:
  defer local_parts = later
        message = come again
  deny  local_parts = nobody
        message = there is nobody of that name
  accept authenticated = *
  deny  message = relay not permitted

begin routers
all:
  driver = accept
  transport = box

begin transports
box:
  driver = appendfile
  directory = %[2]s/mail
  maildir_format
  user = %[1]s

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{watchbill}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
  server_advertise_condition = ${if def:tls_in_cipher}
`

// exim starts Debian's mail server on two ports of this machine, and returns how to send through
// each and where the mail arrives.
func exim(t *testing.T) (startTLS, tlsOnly notify.MailConfig, box string) {
	t.Helper()
	program, err := exec.LookPath("exim4")
	if err != nil {
		program = "/usr/sbin/exim4"
		if _, err := os.Stat(program); err != nil {
			t.Skip("Exim is not installed: apt-get install exim4-daemon-light")
		}
	}
	dir, err := os.MkdirTemp("", "watchbill-exim-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	// Exim gives up root and runs as another user, who must be able to enter.
	as, err := user.Current()
	must(t, err)
	name, group := as.Username, as.Gid
	if as.Uid == "0" {
		name, group = "Debian-exim", "Debian-exim"
	}
	must(t, os.Chmod(dir, 0o755))
	for _, sub := range []string{"spool", "log", "mail"} {
		must(t, os.Mkdir(filepath.Join(dir, sub), 0o700))
		must(t, os.Chmod(filepath.Join(dir, sub), 0o777))
	}
	_, roots, certificate, key := testCertificate(t)
	must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), certificate, 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "key.pem"), key, 0o644))
	for range 10 {
		first, second := freeListener(t), freeListener(t)
		startTLS, tlsOnly = configOf(first, notify.MailStartTLS, roots), configOf(second, notify.MailTLSOnly, roots)
		conf := fmt.Appendf(nil, eximConf, name, dir, startTLS.Port, tlsOnly.Port, group)
		must(t, os.WriteFile(filepath.Join(dir, "exim.conf"), conf, 0o644))
		first.Close()
		second.Close()
		if eximListens(t, program, dir) {
			return startTLS, tlsOnly, filepath.Join(dir, "mail", "new")
		}
	}
	t.Fatal("Exim has ended each time")
	return startTLS, tlsOnly, ""
}

// eximListens starts Exim and reports whether it got its ports. If something else has taken one
// meanwhile, Exim exits.
func eximListens(t *testing.T, program, dir string) (listens bool) {
	t.Helper()
	var text bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, "-C", filepath.Join(dir, "exim.conf"), "-bdf", "-v")
	cmd.Stdout, cmd.Stderr = &text, &text
	must(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	log := func() string {
		b, _ := os.ReadFile(filepath.Join(dir, "log", "mainlog"))
		return string(b)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("Exim said:\n%s\n%s", text.String(), log())
		}
	})
	eventually(t, "Exim to listen", func() bool {
		select {
		case <-ended:
			return true
		default:
			listens = strings.Contains(log(), "listening for SMTP")
			return listens
		}
	})
	return listens
}

func freeListener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	return l
}

func TestMailByExim(t *testing.T) {
	t.Parallel()
	startTLS, tlsOnly, box := exim(t)
	delivered := func(n int) []string {
		var mails []string
		eventually(t, "the mail to be delivered", func() bool {
			files, _ := filepath.Glob(filepath.Join(box, "*"))
			mails = mails[:0]
			for _, f := range files {
				text, err := os.ReadFile(f)
				must(t, err)
				mails = append(mails, string(text))
			}
			return len(mails) == n
		})
		return mails
	}
	m := testPage("ann@example.com")
	m.Title, m.Link = "Größe der Tür > 3 m – «zu groß»", "https://watchbill.example.com/v1/act/"+strings.Repeat("x", 140)
	for _, config := range []notify.MailConfig{startTLS, tlsOnly} {
		r := notify.NewMail(config).Send(t.Context(), m)
		if r.Outcome != notify.Accepted || !strings.Contains(r.Reference, "id=") {
			t.Fatalf("handed to Exim: %+v, want accepted with its id", r)
		}
	}
	mails := delivered(2)
	first, second := parseMail(t, mails[0]), parseMail(t, mails[1])
	if a, b := first.Get("Message-Id"), second.Get("Message-Id"); a == "" || a != b {
		t.Errorf("the resend has Message-ID %q, want %q as the first", b, a)
	}
	for header, want := range map[string]string{
		"References": "<incident.12@example.com>", "In-Reply-To": "<incident.12@example.com>",
		"Auto-Submitted": "auto-generated", "From": `"Watchbill" <oncall@example.com>`,
	} {
		if got := first.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	if got, want := first.subject(t), "[#12] "+m.Title; got != want {
		t.Errorf("subject %q, want %q", got, want)
	}
	if !strings.Contains(first.text, m.Title) || !strings.Contains(first.text, m.Link) {
		t.Errorf("the text lacks the title %q or the link %q:\n%s", m.Title, m.Link, first.text)
	}
	if !strings.Contains(first.Get("Received"), "TLS") {
		t.Errorf("not encrypted: got %s, want it with \"TLS\"", first.Get("Received"))
	}

	wrong, anonymous := startTLS, startTLS
	wrong.Password = "wrong"
	anonymous.User = ""
	for name, c := range map[string]struct {
		config  notify.MailConfig
		to      string
		outcome notify.Outcome
	}{
		"greylisted": {startTLS, "later@example.com", notify.Throttled}, "unknown": {startTLS, "nobody@example.com", notify.Rejected},
		"wrong password": {wrong, "ann@example.com", notify.Misconfigured}, "no relay": {anonymous, "ann@example.com", notify.Misconfigured},
	} {
		if r := notify.NewMail(c.config).Send(t.Context(), testPage(c.to)); r.Outcome != c.outcome {
			t.Errorf("%s: %+v, want %s", name, r, c.outcome)
		}
	}
	delivered(2)
}
