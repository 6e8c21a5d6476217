package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Limits of a set-up file. The parser needs some hundred bytes for each byte, and the square of it
// for nesting; a thousand people in two hundred teams are 300 KB, nested four deep.
const (
	maxSetup     = 2 << 20 // bytes
	deepest      = 50
	maxIndent    = 1_000 // columns of indentation
	maxShownLine = 2_000 // for which an error shows the place
	maxParts     = 500   // documents in one file
)

// readUpTo reads the beginning of a possibly endless file; "-" is standard input.
func readUpTo(path string, limit int64) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, limit))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit))
}

// checkShape refuses a document that would be too costly to parse.
func checkShape(data []byte) error {
	if len(data) > maxSetup {
		return fmt.Errorf("it is longer than %d bytes", maxSetup)
	}
	flow, run := 0, 0 // open brackets; consecutive dashes and the like on one line
	line, parts := 0, 1
	for _, t := range lexer.Tokenize(string(data)) {
		if t.Position.Line != line {
			line, run = t.Position.Line, 0
		}
		switch t.Type {
		case token.DocumentHeaderType:
			if parts++; parts > maxParts {
				return fmt.Errorf("line %d: there are more than %d documents", line, maxParts)
			}
		case token.TagType: // the parser crashes on some, and they have no use here
			return fmt.Errorf("line %d: tags such as %s can't be used", line, t.Value)
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(flow-1, 0)
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType, token.AnchorType, token.AliasType, token.MergeKeyType:
			if flow == 0 {
				run++
			}
		default:
		}
		if flow > deepest || run > deepest {
			return fmt.Errorf("line %d: it is nested more than %d deep", line, deepest)
		}
		if flow == 0 && t.Type != token.StringType && t.Type != token.CommentType && t.Position.Column > maxIndent && t.Prev != nil && t.Prev.Position.Line != line {
			return fmt.Errorf("line %d: it is indented by more than %d columns", line, maxIndent)
		}
	}
	return nil
}

// yamlError describes an error in a document, and shows the place unless its line is so long that
// this would take minutes.
func yamlError(data []byte, err error) error {
	longest, begun := 0, 0
	for i, c := range data {
		if c == '\n' || c == '\r' {
			begun = i + 1
		}
		longest = max(longest, i-begun)
	}
	return errors.New(mappingMeant(keyMeant(yaml.FormatError(err, false, longest <= maxShownLine))))
}
