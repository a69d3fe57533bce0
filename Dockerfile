# The server in an image with nothing else in it: no shell, no package manager, not root.
#   docker build -t cites .
#   docker run --read-only --tmpfs /tmp -v cites:/data -p 127.0.0.1:8080:8080 cites
FROM rust:1.95-bookworm AS build
# Node.js bundles the explorer of /graphiql
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm
ENV BUILD_GRAPHIQL=on
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release -p api && cp target/release/cites /cites && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /cites /usr/local/bin/cites
# where the embedded database is kept; with PostgreSQL nothing is written
COPY --from=build --chown=nonroot:nonroot /data /data
WORKDIR /data
ENV CITES_SERVER__LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/cites"]
CMD ["serve"]
