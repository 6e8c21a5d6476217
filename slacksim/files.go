package slacksim

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
)

const maxFile = 32 << 20

func (s *Sim) file(id string) *File {
	for _, f := range s.files {
		if f.ID == id {
			return f
		}
	}
	return nil
}

func (s *Sim) fileObject(f *File) obj {
	download := s.base + "/files/" + f.ID + "/" + f.Name
	return obj{
		"id": f.ID, "created": f.Created, "timestamp": f.Created, "name": f.Name, "title": f.Title,
		"mimetype": f.Type, "filetype": strings.TrimPrefix(path.Ext(f.Name), "."), "size": len(f.Content),
		"user": BotUserID, "mode": "hosted", "is_external": false, "is_public": len(f.Channels) > 0,
		"url_private": download, "url_private_download": download, "permalink": download,
		"alt_txt": f.AltText, "channels": nonNil(f.Channels), "groups": []string{}, "ims": []string{},
	}
}

func (s *Sim) filesGetUploadURL(a args) (obj, error) {
	length := a.number("length", 0)
	if length <= 0 {
		return nil, refuse("missing_argument")
	}
	if length > maxFile {
		return nil, refuse("file_upload_size_restricted")
	}
	name := path.Base(a.str("filename"))
	f := &File{
		ID: s.id("F"), Name: name, Title: name, AltText: a.str("alt_txt"),
		Type: mime.TypeByExtension(path.Ext(name)), Created: s.opt.Now().Unix(), length: length,
	}
	setDefault(&f.Type, "application/octet-stream")
	s.uploads[f.ID] = f
	return obj{"upload_url": s.base + "/upload/" + f.ID, "file_id": f.ID}, nil
}

// serveUpload receives a file's content, as a multipart form or a plain body.
func (s *Sim) serveUpload(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := s.uploads[r.PathValue("id")]
	s.mu.Unlock()
	if f == nil {
		http.NotFound(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxFile+maxBody)
	body := io.Reader(r.Body)
	if parts, err := r.MultipartReader(); err == nil {
		part, err := parts.NextPart()
		for err == nil && part.FileName() == "" {
			part, err = parts.NextPart()
		}
		if err != nil {
			http.Error(w, "no file in the form", http.StatusBadRequest)
			return
		}
		body = part
	}
	content, err := io.ReadAll(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Content = content
	_, _ = fmt.Fprintf(w, "OK - %d", len(content)) // the uploader may have gone
}

// serveFile serves a file as a download, so that the page never runs it.
func (s *Sim) serveFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := s.file(r.PathValue("id"))
	s.mu.Unlock()
	if f == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("Content-Type", f.Type)
	if !strings.HasPrefix(f.Type, "image/") {
		w.Header().Set("Content-Disposition", "attachment")
	}
	_, _ = w.Write(f.Content) // the reader may have gone
}

// filesCompleteUpload publishes uploaded files and shares them in one message.
func (s *Sim) filesCompleteUpload(a args) (obj, error) {
	items, _ := a["files"].([]any)
	var files []*File
	for _, item := range items {
		entry, _ := item.(obj)
		f := s.uploads[textOf(entry["id"])]
		if f == nil || f.Content == nil {
			return nil, refuse("file_not_found")
		}
		if title := textOf(entry["title"]); title != "" {
			f.Title = title
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, refuse("file_not_found")
	}
	channels := a.list("channels")
	if id := a.str("channel_id"); id != "" {
		channels = append(channels, id)
	}
	targets, err := s.shareTargets(channels)
	if err != nil {
		return nil, err
	}
	out, ids := []obj{}, []string{}
	for _, f := range files {
		delete(s.uploads, f.ID)
		s.files = append(s.files, f)
		ids = append(ids, f.ID)
		f.Channels = append(f.Channels, channels...)
		out = append(out, s.fileObject(f))
	}
	for _, c := range targets {
		s.post(c, &Message{
			User: BotUserID, Text: a.str("initial_comment"), ThreadTS: a.str("thread_ts"), Files: ids,
		})
	}
	return obj{"files": out}, nil
}

func (s *Sim) shareTargets(channels []string) ([]*Channel, error) {
	var out []*Channel
	for _, id := range channels {
		c, err := s.visible(id)
		if err != nil {
			return nil, err
		}
		if c.Archived {
			return nil, refuse("posting_to_channel_denied")
		}
		if !c.has(BotUserID) {
			return nil, refuse("not_in_channel")
		}
		out = append(out, c)
	}
	return out, nil
}
