# One image for the API, the worker and the chat page; the command chooses.
FROM python:3.12-slim-bookworm AS build
# Where the CPU build of torch comes from; every package is checked against its hash in the lock.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/assistant
ENV PATH=/opt/assistant/bin:$PATH
COPY requirements.lock ./
RUN pip install --require-hashes --only-binary :all: --extra-index-url "${TORCH_INDEX}" \
    --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY assistant assistant
COPY connectors connectors
COPY indexes indexes
COPY ui ui
RUN pip install --no-deps --no-build-isolation . && pip check
# With `gpu`, FAISS with cuVS takes the place of FAISS for processors: both are the package faiss.
ARG DEVICE=cpu
COPY requirements-gpu.lock ./
RUN if [ "${DEVICE}" = gpu ]; then \
      pip uninstall --yes faiss-cpu \
      && pip install --no-deps --require-hashes --only-binary :all: \
         --requirement requirements-gpu.lock; \
    fi

FROM python:3.12-slim-bookworm
ENV PATH=/opt/assistant/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HF_HUB_OFFLINE=1 \
    NUMBA_CACHE_DIR=/data/compiled \
    ASSISTANT_DATA_DIR=/data
RUN groupadd --gid 10001 assistant \
 && useradd --uid 10001 --gid assistant --no-create-home --home-dir /data assistant \
 && install --directory --owner assistant --group assistant /data
COPY --from=build /opt/assistant /opt/assistant
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080 8501
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=6 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["assistant"]
CMD ["serve", "--only", "api", "--host", "0.0.0.0"]
