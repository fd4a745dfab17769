FROM python:3.13-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

# Locks first: a change of our own code leaves these layers as they are.
COPY requirements-otel.lock requirements-build.lock ./
RUN python -m venv --without-pip /opt/ami-kafka \
    && pip --python /opt/ami-kafka/bin/python install --only-binary :all: --require-hashes -r requirements-otel.lock \
    && pip install --only-binary :all: --require-hashes -r requirements-build.lock

COPY pyproject.toml README.md LICENSE ./
COPY connector connector
COPY schemas schemas
RUN python -m hatchling build -t wheel -d /tmp/wheel \
    && pip --python /opt/ami-kafka/bin/python install --no-index --no-deps /tmp/wheel/*.whl

FROM python:3.13-slim
LABEL org.opencontainers.image.title="ami-kafka" \
      org.opencontainers.image.description="The bridge between Asterisk's Manager Interface (AMI) and Apache Kafka" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/ami-kafka /opt/ami-kafka

# The root file system may be read-only: pip compiled every module, and nothing else is written.
ENV PATH=/opt/ami-kafka/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A volume that is mounted there belongs to whom the folder does.
RUN install -d -o 65532 -g 65532 -m 0700 /var/lib/ami-kafka
USER 65532:65532
WORKDIR /etc/ami-kafka
ENTRYPOINT ["ami-kafka"]
CMD ["run"]
