// Package twiliosim is a local Twilio, for demos and tests: SMS, calls and Studio with their
// states, its signatures, its errors, faults on demand, and a page with the phones. It says
// what Twilio's documents say; where they are silent it is as strict as it can be.
package twiliosim
