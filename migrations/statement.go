package migrations

import (
	"regexp"
	"strings"
)

// Lock modes of PostgreSQL by what they hold up, the weakest first
// (https://www.postgresql.org/docs/current/explicit-locking.html).
const (
	lockRows    = "ROW EXCLUSIVE"          // who writes the same rows
	lockChanges = "SHARE UPDATE EXCLUSIVE" // who changes the table's definition
	lockWrites  = "SHARE"                  // who writes
	lockRefers  = "SHARE ROW EXCLUSIVE"    // who writes
	lockAll     = "ACCESS EXCLUSIVE"       // who reads or writes
)

var lockStrength = map[string]int{lockRows: 1, lockChanges: 2, lockWrites: 3, lockRefers: 4, lockAll: 5}

// Work is what a statement does with the rows of a table that it locks.
type work int

const (
	noRows    work = iota // the definition only
	readRows              // each is checked
	indexRows             // each is sorted into an index
	writeRows             // each may be written
)

// A tableLock is what one statement wants of one table. The table "?" is one that can't be told from the text.
type tableLock struct {
	table string
	mode  string
	work  work
}

// statements splits a step's text at the semicolons outside of strings, bodies of functions and comments. The comments go.
func statements(text string) []string {
	var all []string
	var b strings.Builder
	for text != "" {
		n, keep := token(text)
		switch {
		case text[:n] == ";":
			all = append(all, strings.TrimSpace(b.String()))
			b.Reset()
		case keep:
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	all = append(all, strings.TrimSpace(b.String()))
	var filled []string
	for _, s := range all {
		if s != "" {
			filled = append(filled, s)
		}
	}
	return filled
}

// token returns the length of what text begins with: a comment, which isn't kept, a string, a body, or one byte.
func token(text string) (n int, keep bool) {
	until := func(begin, end string) int {
		if i := strings.Index(text[len(begin):], end); i >= 0 {
			return len(begin) + i + len(end)
		}
		return len(text)
	}
	switch {
	case strings.HasPrefix(text, "--"):
		return until("--", "\n"), false
	case strings.HasPrefix(text, "$$"):
		return until("$$", "$$"), true
	case text[0] == '\'':
		return until("'", "'"), true
	}
	return 1, true
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

const namePattern = `(?:IF (?:NOT )?EXISTS )?(?:ONLY )?"?(\w+)"?`

// statementKinds lists what statements begin with. Of several that match, the first counts.
var statementKinds = []struct {
	begins *regexp.Regexp
	locks  func(table, statement string) []tableLock
}{
	{startsWith(`CREATE (?:UNIQUE )?INDEX CONCURRENTLY ` + namePattern + ` ON ` + namePattern), lockOn(lockChanges, indexRows)},
	{startsWith(`CREATE (?:UNIQUE )?INDEX (?:` + namePattern + ` )?ON ` + namePattern), lockOn(lockWrites, indexRows)},
	{startsWith(`DROP INDEX CONCURRENTLY `), noLocks},
	{startsWith(`DROP INDEX `), lockOn("", noRows)},
	{startsWith(`CREATE TABLE ` + namePattern), noLocks},
	{startsWith(`DROP TABLE ` + namePattern), lockOn(lockAll, noRows)},
	{startsWith(`ALTER TABLE ` + namePattern), altered},
	{startsWith(`CREATE (?:CONSTRAINT )?TRIGGER \w+ .*? ON ` + namePattern), lockOn(lockRefers, noRows)},
	{startsWith(`DROP TRIGGER \w+ ON ` + namePattern), lockOn(lockAll, noRows)},
	{startsWith(`INSERT INTO ` + namePattern), lockOn(lockRows, noRows)},
	{startsWith(`UPDATE ` + namePattern), lockOn(lockRows, writeRows)},
	{startsWith(`DELETE FROM ` + namePattern), lockOn(lockRows, writeRows)},
	{startsWith(`CREATE (?:OR REPLACE )?(?:FUNCTION|SEQUENCE|TYPE|VIEW)`), noLocks},
	{startsWith(`(?:REVOKE|GRANT|COMMENT|SELECT|SET) `), noLocks},
}

func startsWith(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)^` + pattern) }

func noLocks(string, string) []tableLock { return nil }

func lockOn(mode string, w work) func(string, string) []tableLock {
	return func(table, _ string) []tableLock {
		if mode == "" {
			return []tableLock{{"?", lockAll, w}}
		}
		return []tableLock{{table, mode, w}}
	}
}

var (
	references = regexp.MustCompile(`(?i)\bREFERENCES "?(\w+)`)
	readsAll   = regexp.MustCompile(`(?i)\b(CHECK \(|SET NOT NULL|FOREIGN KEY|REFERENCES )`)
	sortsAll   = regexp.MustCompile(`(?i)\b(PRIMARY KEY|UNIQUE)\b`)
	writesAll  = regexp.MustCompile(`(?i)(ALTER (COLUMN )?\w+ (SET DATA )?TYPE|\bSTORED\b|GENERATED (ALWAYS|BY DEFAULT) AS IDENTITY|\bDEFAULT \w+\(\)|SET (UN)?LOGGED)`)
	drops      = regexp.MustCompile(`(?i)\bDROP CONSTRAINT\b`)
	validates  = regexp.MustCompile(`(?i)^ALTER TABLE \S+ VALIDATE CONSTRAINT`)
)

// altered returns the lock that ALTER TABLE needs. A column with a constant default rewrites no row.
func altered(table, statement string) []tableLock {
	switch {
	case drops.MatchString(statement): // of a foreign key also the table to which it refers, which isn't named here
		return []tableLock{{table, lockAll, noRows}, {"?", lockAll, noRows}}
	case validates.MatchString(statement):
		return []tableLock{{table, lockChanges, readRows}}
	case writesAll.MatchString(statement):
		return []tableLock{{table, lockAll, writeRows}}
	case sortsAll.MatchString(statement):
		return []tableLock{{table, lockAll, indexRows}}
	case readsAll.MatchString(statement) && !strings.Contains(strings.ToUpper(statement), "NOT VALID"):
		return []tableLock{{table, lockAll, readRows}}
	}
	return []tableLock{{table, lockAll, noRows}}
}

// locksOf says what a statement locks; known is false where its text doesn't tell, as in a DO block.
func locksOf(statement string) (locks []tableLock, known bool) {
	statement = oneLine(statement)
	for _, k := range statementKinds {
		found := k.begins.FindStringSubmatch(statement)
		if found == nil {
			continue
		}
		locks = k.locks(found[len(found)-1], statement)
		if !strings.HasPrefix(strings.ToUpper(statement), "CREATE FUNCTION") {
			for _, r := range references.FindAllStringSubmatch(statement, -1) {
				locks = append(locks, tableLock{r[1], lockRefers, noRows})
			}
		}
		return locks, true
	}
	return []tableLock{{"?", lockAll, noRows}}, false
}
