# A static binary in an image with nothing else but certificates; runs as nobody.
FROM golang:1.26 AS build
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
COPY twiliosim ./twiliosim
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /watchbill ./cmd/watchbill && mkdir /spool

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /watchbill /watchbill
# For WATCHBILL_SPOOL: a volume that is mounted here takes over who may write to it.
COPY --from=build --chown=65534:65534 /spool /var/lib/watchbill
USER 65534:65534
EXPOSE 8080
ENTRYPOINT ["/watchbill"]
CMD ["serve"]
