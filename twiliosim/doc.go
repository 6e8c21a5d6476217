// Package twiliosim is a local Twilio for demos and tests: SMS, calls and Studio with their states,
// signatures, errors, faults on demand, and a page with the phones. It behaves as Twilio's
// documentation says; where that is silent it is as strict as possible.
package twiliosim
