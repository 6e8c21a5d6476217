# A static binary in an image with nothing else but certificates; runs as nobody.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /watchbill ./cmd/watchbill

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /watchbill /watchbill
USER 65534:65534
EXPOSE 8080
ENTRYPOINT ["/watchbill"]
CMD ["serve"]
