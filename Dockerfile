# A static binary in an image with nothing else but certificates, the licences of what is in it and a list of that
# (SBOM); runs as nobody, and needs no file system that can be written but for the spool.
#
# To pin the compiler: --build-arg GO_IMAGE=golang:1.26@sha256:…
ARG GO_IMAGE=golang:1.26
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# By name, so that no token in a file beside the source, such as .env, gets into a layer or a cache.
COPY manifest.go manifest.yaml ./
COPY answers ./answers
COPY api ./api
COPY bot ./bot
COPY cmd ./cmd
COPY ical ./ical
COPY importer ./importer
COPY intake ./intake
COPY jobs ./jobs
COPY localpg ./localpg
COPY migrations ./migrations
COPY notify ./notify
COPY oncall ./oncall
COPY slacksim ./slacksim
COPY spool ./spool
COPY store ./store
COPY timeline ./timeline
COPY trace ./trace
COPY twiliosim ./twiliosim
COPY web ./web
ARG VERSION=
# BuildKit's own, for each platform. A default here would win over them, and only its machines could run the image.
ARG TARGETOS
ARG TARGETARCH
RUN mkdir -p /out/spool && \
    CGO_ENABLED=0 GOOS="${TARGETOS:-linux}" GOARCH="${TARGETARCH:-$(go env GOARCH)}" go build -trimpath -ldflags="-s -w -X main.release=${VERSION}" -o /out/watchbill ./cmd/watchbill
RUN go run ./cmd/notices > /out/THIRD_PARTY_NOTICES && \
    go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0 bin -json -licenses -std -version "${VERSION}" -output /out/sbom.cdx.json /out/watchbill

FROM scratch
ARG VERSION=
ARG REVISION=
LABEL org.opencontainers.image.title="Watchbill" \
      org.opencontainers.image.description="The on-call desk that lives in Slack" \
      org.opencontainers.image.source="https://github.com/watchbill/watchbill" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/watchbill /watchbill
COPY --from=build /out/THIRD_PARTY_NOTICES /out/sbom.cdx.json /
# For WATCHBILL_SPOOL: a volume that is mounted here takes over who may write to it.
COPY --from=build --chown=65534:65534 /out/spool /var/lib/watchbill
USER 65534:65534
EXPOSE 8080
# Alive, not ready: an instance whose database is away goes on taking signals in.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/watchbill", "healthcheck", "--alive"]
ENTRYPOINT ["/watchbill"]
CMD ["serve"]
