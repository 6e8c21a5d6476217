package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/watchbill/watchbill/importer"
	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/notify"
)

type importCmd struct {
	Pagerduty importPagerDutyCmd `cmd:"" help:"From PagerDuty: users, teams, schedules with layers and overrides, escalation policies, services."`
	Opsgenie  importOpsgenieCmd  `cmd:"" help:"From Opsgenie, or a folder of its backup tool: users, teams, schedules, escalations, integrations."`
	Oncall    importOnCallCmd    `cmd:"" help:"From Grafana OnCall: users, teams, schedules with shifts, overrides and swaps, escalation chains, integrations and routes."`
	Goalert   importGoAlertCmd   `cmd:"" help:"From GoAlert: users, schedules with rotations, overrides and temporary schedules, escalation policies, services, heartbeats."`
}

// importFlags are shared by all vendors.
type importFlags struct {
	From string `type:"path" placeholder:"DIR" help:"Read answers of the API that --save has kept, instead of asking for them."`
	Save string `type:"path" placeholder:"DIR" help:"Keep the answers of the API here; there are names and addresses of people in them."`
	File string `short:"f" placeholder:"FILE" help:"Where to write the set-up file; without it, to standard output."`
	Days int    `default:"90" help:"For how many days our schedules are compared with the vendor's own final ones."`

	PublicURL string `name:"public-url" env:"WATCHBILL_PUBLIC_URL" default:"https://watchbill.example.com" placeholder:"URL" help:"Where monitors will find Watchbill, for the list of what is to be switched."`
}

// maxImported is how much is read of one file or response.
const maxImported = 64 << 20

// write writes the set-up file, with comments where something could not be carried over, and a
// report to the terminal.
func (f importFlags) write(p process, vendor string, r importer.Result) error {
	text := annotate(string(writeSetup(r.Setup)), vendor, r.Lost)
	if err := f.report(p.errOut, r); err != nil {
		return err
	}
	if wrong := r.Setup.Check(intake.Names()); len(wrong) > 0 {
		fmt.Fprintf(p.errOut, "\nTo mend in the file before watchbill apply reads it:\n")
		for _, line := range wrong {
			fmt.Fprintln(p.errOut, "  "+line)
		}
	}
	if f.File == "" {
		_, err := io.WriteString(p.out, text)
		return err
	}
	return os.WriteFile(f.File, []byte(text), 0o600)
}

// report prints what was found, how schedules compare, and which monitors to switch.
func (f importFlags) report(out io.Writer, r importer.Result) error {
	s := r.Setup
	fmt.Fprintf(out, "%d users, %d teams, %d schedules, %d policies, %d integrations; %d remarks in the file.\n",
		len(s.Users), len(s.Teams), len(s.Schedules), len(s.Policies), len(s.Integrations), len(r.Lost))
	compared, err := importer.Compare(r)
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, c := range compared {
		whole := c.To.Sub(c.From)
		fmt.Fprintf(out, "schedule %s: the same for %.1f %% of %d days\n", c.Schedule, 100*float64(c.Same)/float64(max(whole, 1)), int(whole.Hours()/24))
		for i, d := range c.Differences {
			if i == 20 {
				fmt.Fprintf(out, "  and %d more\n", len(c.Differences)-i)
				break
			}
			fmt.Fprintln(out, "  "+d.String())
		}
	}
	if len(compared) == 0 {
		fmt.Fprintln(out, "No final schedule of theirs is there to compare with.")
	}
	f.switchList(out, r.Senders)
	return nil
}

// switchList prints each monitor's new address.
func (f importFlags) switchList(out io.Writer, senders []importer.Sender) {
	if len(senders) == 0 {
		return
	}
	fmt.Fprintln(out, "\nTo switch once the file is applied; KEY is what watchbill apply prints for the integration (docs/monitors.md):")
	base := strings.TrimSuffix(f.PublicURL, "/")
	integration := ""
	for _, m := range senders {
		if m.Integration != integration {
			integration = m.Integration
			fmt.Fprintf(out, "  %s\n", notify.OneLine(integration))
		}
		fmt.Fprintf(out, "    %s: %s\n", notify.OneLine(m.What), newAddress(base, m))
	}
}

// newAddress returns the address for a monitor; one that speaks another vendor's API gets that
// vendor's path.
func newAddress(base string, m importer.Sender) string {
	switch m.Speaks {
	case importer.SpeaksPagerDuty:
		return base + "/v2/enqueue, with KEY as routing key"
	case importer.SpeaksOpsgenie:
		return base + "/opsgenie, with KEY as API key"
	case importer.SpeaksPings:
		return base + "/ping/KEY/" + m.Name
	}
	return base + "/v1/signals/KEY"
}

// sections maps the kinds in a Loss to sections of the file.
var sections = map[string]string{"user": "users", "team": "teams", "schedule": "schedules", "policy": "policies", "service": "integrations", "integration": "integrations"}

// annotate adds what could not be carried over as comments above the object concerned, or at the
// top of the file.
func annotate(text, vendor string, lost []importer.Loss) string {
	beside := map[string][]string{}
	var top []string
	for _, l := range lost {
		section := sections[l.Where.Kind]
		if !inFile(text, section, l.Where.Name) {
			top = append(top, l.Where.String()+": "+l.What)
			continue
		}
		remark := l.What
		if l.Where.Detail != "" {
			remark = l.Where.Detail + ": " + l.What
		}
		at := section + "/" + l.Where.Name
		beside[at] = append(beside[at], remark)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "# Made of what %s has, by watchbill import. Read it, mend what the remarks name, and apply it.\n", vendor)
	for _, remark := range top {
		comment(&out, "", remark)
	}
	section := ""
	_, text, _ = strings.Cut(text, "\n\n") // without an export's header
	for line := range strings.Lines(text) {
		if m := sectionLine.FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		if m := nameLine.FindStringSubmatch(line); m != nil {
			for _, remark := range beside[section+"/"+unquoted(m[1])] {
				comment(&out, "  ", remark)
			}
		}
		out.WriteString(line)
	}
	return out.String()
}

var (
	sectionLine = regexp.MustCompile(`^([a-z_]+):\n?$`)
	nameLine    = regexp.MustCompile(`^  - \{?name: ("(?:[^"\\]|\\.)*"|[^,\n]*)`)
)

func unquoted(s string) string {
	s = strings.TrimSuffix(strings.TrimSpace(s), "}")
	if len(s) > 1 && strings.HasPrefix(s, `"`) {
		return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s[1 : len(s)-1])
	}
	return s
}

// inFile reports whether a section of the file contains a name.
func inFile(text, section, name string) bool {
	_, text, ok := strings.Cut(text, "\n"+section+":\n")
	for line := range strings.Lines(text) {
		if sectionLine.MatchString(line) {
			return false
		}
		if m := nameLine.FindStringSubmatch(line); ok && m != nil && unquoted(m[1]) == name {
			return true
		}
	}
	return false
}

// comment writes any remark as one YAML comment line.
func comment(out *strings.Builder, indent, remark string) {
	fmt.Fprintf(out, "%s# %s\n", indent, strings.Join(strings.Fields(remark), " "))
}

// carry reads a vendor's set-up and writes our file. It changes nothing in either system.
func (f importFlags) carry(p process, vendor string, ask func() (map[string][]byte, error), from func(map[string][]byte) (importer.Result, error)) error {
	files, err := f.answers(ask)
	if err != nil {
		return err
	}
	r, err := from(files)
	if err != nil {
		return err
	}
	return f.write(p, vendor, r)
}

// answers reads the saved responses, or fetches and saves them.
func (f importFlags) answers(ask func() (map[string][]byte, error)) (map[string][]byte, error) {
	if f.From != "" {
		return readAnswers(f.From)
	}
	files, err := ask()
	if err == nil && f.Save != "" {
		err = saveAnswers(f.Save, files)
	}
	return files, err
}

// readAnswers reads the JSON files in a directory and its subdirectories.
func readAnswers(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, pattern := range []string{"*.json", "*/*.json"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			inside, err := filepath.Rel(dir, name)
			if err != nil {
				return nil, err
			}
			if files[filepath.ToSlash(inside)], err = readUpTo(name, maxImported); err != nil {
				return nil, err
			}
		}
	}
	if len(files) == 0 {
		return nil, wrongUse{dir + ": there are no JSON files in it"}
	}
	return files, nil
}

// saveAnswers saves the API's responses, for another run or for inspection.
func saveAnswers(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// days returns the period for comparing schedules, in whole minutes.
func (f importFlags) days(now time.Time) (since, until time.Time) {
	since = now.UTC().Truncate(time.Minute)
	return since, since.AddDate(0, 0, f.Days)
}
