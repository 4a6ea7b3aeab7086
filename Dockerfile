# syntax=docker/dockerfile:1
# Vouch on a NAS or a server without Rust:
#
#   docker compose up --detach && docker compose logs vouch
#
# Both stages install their packages with the script that `make run` uses.

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY scripts/lib.sh scripts/install-deps.sh scripts/
RUN scripts/install-deps.sh build
COPY scripts/fetch-weights.sh scripts/
# Without the weights Vouch reads with Tesseract, so their absence is no failure.
RUN mkdir -p models/weights && scripts/fetch-weights.sh || true
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin vouch \
    && install -D target/release/vouch /out/vouch

FROM docker.io/library/debian:bookworm-slim
COPY scripts/lib.sh scripts/install-deps.sh /tmp/setup/scripts/
RUN /tmp/setup/scripts/install-deps.sh image \
    && rm -rf /tmp/setup /var/lib/apt/lists/*
# A fixed number, so that a volume's owner is the same on every host.
RUN groupadd --gid 10001 vouch \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin vouch \
    && install -d -o vouch -g vouch -m 0750 /data
COPY --from=build /out/vouch /usr/local/bin/vouch
COPY --from=build /src/models/weights /usr/share/vouch/weights
COPY LICENSE /usr/share/doc/vouch/LICENSE
ENV VOUCH_DATA_DIR=/data \
    VOUCH_SERVER__LISTEN=0.0.0.0:8443 \
    VOUCH_READER__WEIGHTS_DIR=/usr/share/vouch/weights
USER vouch
WORKDIR /data
VOLUME /data
EXPOSE 8443
# HTTPS with the certificate made on the first run, or plain HTTP behind a trusted proxy.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD curl --insecure --fail --silent --output /dev/null https://127.0.0.1:8443/healthz \
     || curl --fail --silent --output /dev/null http://127.0.0.1:8443/healthz
STOPSIGNAL SIGTERM
ENTRYPOINT ["vouch"]
CMD ["serve"]
