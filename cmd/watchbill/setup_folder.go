package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/watchbill/watchbill/intake"
	"github.com/watchbill/watchbill/oncall/setup"
)

// source returns the place from which the set-up is read.
func (c *applyCmd) source() string { return cmp.Or(c.File, c.From) }

// read reads and checks the file, or all files of the folder. Whatever is wrong with them is for the user to fix.
func (c *applyCmd) read() (setup.Setup, error) {
	if c.File != "" {
		return readSetup([]string{c.File}, c.File)
	}
	paths, err := setupFiles(c.From)
	if err != nil {
		return setup.Setup{}, err
	}
	return readSetup(paths, c.From)
}

// setupFiles returns the YAML files in a folder and its subfolders, in order. Hidden ones, such as
// .github, are ignored.
func setupFiles(dir string) (paths []string, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := path != dir && strings.HasPrefix(entry.Name(), ".")
		if hidden && entry.IsDir() {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(path); !hidden && !entry.IsDir() && (ext == ".yaml" || ext == ".yml") {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		return nil, wrongUse{fmt.Sprintf("read %s: %v", dir, errors.Unwrap(err))}
	}
	if len(paths) == 0 {
		return nil, wrongUse{dir + ": there are no files in it that end in .yaml or .yml"}
	}
	slices.Sort(paths)
	return paths, nil
}

// readSetup reads and checks files, which together form one set-up.
func readSetup(paths []string, source string) (setup.Setup, error) {
	var doc setup.Setup
	texts := map[string][]byte{}
	left := int64(maxSetup + 1)
	for _, path := range paths {
		data, err := readUpTo(path, left)
		if err != nil {
			return setup.Setup{}, wrongUse{fmt.Sprintf("read %s: %v", path, errors.Unwrap(err))}
		}
		if left -= int64(len(data)); left <= 0 && len(paths) > 1 {
			return setup.Setup{}, wrongUse{fmt.Sprintf("%s: the files are longer than %d bytes together", source, maxSetup)}
		}
		part, err := parseSetup(data)
		if err != nil {
			return setup.Setup{}, wrongUse{fmt.Sprintf("%s: %v", path, err)}
		}
		if err := readHolidays(&part, filepath.Dir(path)); err != nil {
			return setup.Setup{}, wrongUse{fmt.Sprintf("%s: %v", path, err)}
		}
		doc = doc.With(part)
		texts[path] = data
	}
	wrong := doc.Check(intake.Names())
	if len(wrong) == 0 {
		return doc, nil
	}
	for i, problem := range wrong {
		wrong[i] = source + ": " + problem
		for _, path := range paths {
			if line := inLine(texts[path], problem); line != "" {
				wrong[i] = path + ": " + problem + line
				break
			}
		}
	}
	return setup.Setup{}, wrongUse(wrong)
}
