package twiliosim

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// A verb is a TwiML element.
type verb struct {
	name  string
	attrs map[string]string
	text  string
	verbs []verb
}

// parseTwiML reads a document, which must be well-formed XML with the root Response.
func parseTwiML(document []byte) ([]verb, error) {
	d := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("no Response: %w", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local != "Response" {
			return nil, fmt.Errorf("the root is %s, not Response", start.Name.Local)
		}
		root, err := parseVerb(d, start)
		if err != nil {
			return nil, err
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return nil, errors.New("something follows the Response")
		}
		return root.verbs, nil
	}
}

func parseVerb(d *xml.Decoder, start xml.StartElement) (verb, error) {
	v := verb{name: start.Name.Local, attrs: map[string]string{}}
	for _, a := range start.Attr {
		v.attrs[a.Name.Local] = a.Value
	}
	for {
		token, err := d.Token()
		if err != nil {
			return v, fmt.Errorf("in %s: %w", v.name, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			child, err := parseVerb(d, t)
			if err != nil {
				return v, err
			}
			v.verbs = append(v.verbs, child)
		case xml.CharData:
			v.text += string(t)
		case xml.EndElement:
			return v, nil
		}
	}
}

// play executes the verbs until one waits for a key or the call ends. The lock is held.
func (s *Sim) play(c *call) {
	for len(c.verbs) > 0 {
		v := c.verbs[0]
		c.verbs = c.verbs[1:]
		switch v.name {
		case "Say":
			c.heard = append(c.heard, strings.TrimSpace(v.text))
		case "Pause":
		case "Gather":
			for _, inner := range v.verbs {
				if inner.name == "Say" {
					c.heard = append(c.heard, strings.TrimSpace(inner.text))
				}
			}
			seconds, err := strconv.Atoi(v.attrs["timeout"])
			if err != nil {
				seconds = 5
			}
			c.gather = &gather{action: v.attrs["action"], until: s.opt.Now().Add(speech(c.heard) + time.Duration(seconds)*time.Second)}
			return
		case "Hangup":
			c.verbs = nil
		default:
			c.heard = append(c.heard, "An application error has occurred: "+v.name+" is not simulated.")
			c.verbs = nil
		}
	}
	s.finish(c, "completed")
}

// speech returns how long it takes to speak a text.
func speech(texts []string) time.Duration {
	return time.Duration(len(strings.Join(texts, " "))) * 60 * time.Millisecond
}
