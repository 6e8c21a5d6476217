package intake

import "github.com/watchbill/watchbill/oncall"

// A Format is what one kind of monitor sends.
type Format struct {
	Name  oncall.Format // as the setup names it
	Parse func(body []byte) ([]oncall.Signal, error)
	Limit int64 // of a body, in bytes
}

// Formats are all that an integration can have, in the order in which people read them.
var Formats = []Format{
	{Name: "generic", Parse: Generic, Limit: 1 << 20},
	{Name: "alertmanager", Parse: Alertmanager, Limit: 16 << 20},
}

// Of returns a format by its name. One that only a later release knows is read as the first, so that
// a roll back loses no signal that could be understood.
func Of(name oncall.Format) Format {
	for _, f := range Formats {
		if f.Name == name {
			return f
		}
	}
	return Formats[0]
}

// Names lists the names of the formats.
func Names() []oncall.Format {
	names := make([]oncall.Format, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return names
}
