package intake

import "github.com/watchbill/watchbill/oncall"

// A Format is what one kind of monitor sends.
type Format struct {
	Name  oncall.Format // its name in the setup file
	Parse func(body []byte) ([]oncall.Signal, error)
	Limit int64 // maximum size of a body in bytes
}

// Formats lists what an integration can have, in the order in which people see them.
var Formats = []Format{
	{Name: "generic", Parse: Generic, Limit: 1 << 20},
	{Name: "alertmanager", Parse: Alertmanager, Limit: 16 << 20},
}

// Of returns a format by its name. A format that only a later release knows is read as the first
// one, so that after a rollback signals are not lost that can still be understood.
func Of(name oncall.Format) Format {
	for _, f := range Formats {
		if f.Name == name {
			return f
		}
	}
	return Formats[0]
}

// Names returns the names of the formats.
func Names() []oncall.Format {
	names := make([]oncall.Format, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return names
}
