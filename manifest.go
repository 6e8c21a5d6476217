// Package watchbill holds the manifest of the Slack app, so that the local Slack of the demo and of
// the tests allows exactly what a real workspace will.
package watchbill

import _ "embed"

// Manifest is manifest.yaml.
//
//go:embed manifest.yaml
var Manifest string
