// Command schemas makes JSON schemas, one a kind, as kubeconform reads them, from the description of
// Kubernetes' API (swagger.json). A field that the description doesn't have is wrong.
//
//	go run ./cmd/schemas swagger.json DIRECTORY
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

type kind struct{ Group, Kind, Version string }

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: schemas swagger.json DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

func write(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var api struct {
		Definitions map[string]map[string]any
	}
	if err := json.Unmarshal(data, &api); err != nil {
		return err
	}
	for name, d := range api.Definitions {
		if _, has := d["properties"]; has {
			d["additionalProperties"] = false
		}
		if strings.HasSuffix(name, ".IntOrString") || strings.HasSuffix(name, ".Quantity") {
			api.Definitions[name] = map[string]any{"type": []string{"string", "number"}}
		}
	}
	all, err := json.Marshal(map[string]any{"definitions": api.Definitions})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(to, "_definitions.json"), all, 0o600); err != nil {
		return err
	}
	for name, d := range api.Definitions {
		for _, k := range kinds(d) {
			file := strings.ToLower(strings.Join([]string{k.Kind, strings.Split(k.Group, ".")[0], k.Version}, "-"))
			file = strings.ReplaceAll(file, "--", "-") + ".json"
			ref := fmt.Sprintf(`{"$ref": "_definitions.json#/definitions/%s"}`, name)
			if err := os.WriteFile(filepath.Join(to, file), []byte(ref), 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// kinds returns the top-level kinds that a definition describes, if any.
func kinds(definition map[string]any) (out []kind) {
	text, err := json.Marshal(definition["x-kubernetes-group-version-kind"])
	if err != nil || json.Unmarshal(text, &out) != nil || len(out) > 1 { // DeleteOptions and its like
		return nil
	}
	return out
}
