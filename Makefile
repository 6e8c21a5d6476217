# `make` prints the targets. Every one of them works on a fresh machine with Go and make;
# what else a target needs stands behind its name.

GOLANGCI_LINT = v2.15.0
WITHPG = go run ./localpg/withpg --

.PHONY: help run test test-browser axe test-image fuzz lint fmt build package deploy-check bench crash chaos soak orgs conformance

help: ## print this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: ## run the demo: its own PostgreSQL, a local Slack workspace (RESET=1 starts empty)
	@go build -o bin/watchbill ./cmd/watchbill
	@exec bin/watchbill demo $(if $(RESET),--reset)

# `make lint` vets, and -w saves half of the linking. Under the race detector everything takes eight times as long: with
# -short, packages without goroutines try a tenth there of what they try at random or at length, and all of it without.
GOTEST = env GOGC=400 GORACE=atexit_sleep_ms=100 go test -count=1 -vet=off -ldflags=-w
RACE = $(GOTEST) -race -short $(if $(TAGS),-tags $(TAGS))

test: $(if $(filter browser,$(TAGS)),axe) ## run the tests, race detector on, against a PostgreSQL that they start (TAGS=browser: with those in a browser)
	$(WITHPG) $(RACE) -timeout 15m $$(go list ./... | grep -v /cmd/watchbill)
	$(WITHPG) $(RACE) -timeout 30m ./cmd/watchbill
	$(GOTEST) ./oncall/... ./ical

test-browser: axe ## run only the tests in a browser, with axe-core on every page (needs Chromium, Node)
	$(WITHPG) $(RACE) -tags browser -run Browser ./cmd/watchbill

axe:
	npm ci --prefix conformance/axe --ignore-scripts --no-audit --no-fund

FUZZTIME = 5s

fuzz: ## look for inputs that break a decoder: every fuzz target, FUZZTIME=5s each; what is found stays in testdata
	$(WITHPG) env FUZZTIME=$(FUZZTIME) .ci/fuzz

lint: ## check style, the import arrows and the sizes
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT) run

fmt: ## format the code
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT) fmt

build: ## build bin/watchbill
	CGO_ENABLED=0 go build -o bin/watchbill ./cmd/watchbill

test-image: ## do each step of the Dockerfile without an engine and start the result (needs root, on Linux)
	$(WITHPG) go test -count=1 -tags image -run TestTheImageRuns -v ./cmd/watchbill

VERSION = 0.0.0~dev
ARCH = $(shell go env GOARCH)

package: ## build the Debian package in bin/; VERSION=1.2.3, ARCH=arm64 for another machine
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -trimpath -ldflags="-s -w -X main.release=v$(VERSION)" -o bin/watchbill ./cmd/watchbill
	go run ./cmd/notices >bin/THIRD_PARTY_NOTICES
	VERSION=$(VERSION) ARCH=$(ARCH) go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0 package --config deploy/nfpm.yaml --packager deb --target bin/

deploy-check: ## check chart, manifests, unit and package (needs systemd-analyze and dpkg-deb)
	deploy/check

bench: build ## print the figures, one line each
	$(WITHPG) go run ./cmd/bench

crash: ## kill -9 at every point of a send, 10 times for each channel, and count the pages
	@bash -o pipefail -c '$(WITHPG) go test -count=1 -timeout 30m -parallel 6 -v -run TestKilledWhileSending ./cmd/watchbill -crash 10 | grep -vE "^ *(---|===) (RUN|PASS|PAUSE|CONT)?"'

ORGS = 50

orgs: ## let one process serve 50 organisations, one of them in a storm of 1,000 signals a second, and print what they cost; ORGS=50
	$(WITHPG) go test -count=1 -timeout 1h -v -run TestStormOfOneOrganisation ./cmd/watchbill -orgs $(ORGS)

chaos: ## kill, cut off, fill up and confuse what can be while monitors send, and count what is lost (6 minutes and more)
	@bash -o pipefail -c 'go test -count=1 -timeout 20m -parallel 3 -v -run TestChaos ./cmd/watchbill -chaos | grep -vE "^ *(---|===) (RUN|PASS|PAUSE|CONT|NAME)?"'

DAYS = 30
TEAMS = 30
SEED = 0

soak: ## play a month of a company of 210 people, in an hour, and hold what was said against the promises; DAYS=7 TEAMS=10 SEED=1
	$(WITHPG) go test -count=1 -timeout 6h -v -run TestSoak ./cmd/watchbill -soak $(DAYS) -soak-teams $(TEAMS) -soak-seed $(SEED)

conformance: ## check with the libraries of Slack, Twilio, PagerDuty and Opsgenie, with Backstage's plugins, and with Alertmanager (needs Node, prometheus-alertmanager)
	go build -o bin/slacksim ./slacksim/cmd/slacksim
	npm ci --prefix conformance --ignore-scripts --no-audit --no-fund
	node conformance/check.js bin/slacksim
	node conformance/sign.js >bin/twilio-signed.json
	cd conformance/clients && go build -o $(CURDIR)/bin/clients .
	npm ci --prefix conformance/backstage --ignore-scripts --no-audit --no-fund
	ALERTMANAGER=$$(command -v prometheus-alertmanager || command -v alertmanager) CLIENTS=$(CURDIR)/bin/clients BACKSTAGE=$(CURDIR)/conformance/backstage/check.js TWILIO_SIGNED=$(CURDIR)/bin/twilio-signed.json $(WITHPG) go test -count=1 -tags conformance -run Conformance -v ./api ./notify
