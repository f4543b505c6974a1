# Seedbed on CPUs. The build context is the repository's root:
#   docker build -f infra/container/cpu.Dockerfile -t seedbed:cpu .
# A torch without CUDA is smaller by gigabytes: add --build-arg TORCH_INDEX=<the CPU index that PyTorch's site names>.
# What stands below WORKDIR is the same in cuda.Dockerfile; a test holds that.
FROM python:3.11-slim-bookworm
SHELL ["/bin/bash", "-o", "pipefail", "-c"]

# g++: packages without a wheel, and DeepSpeed's operations. tini: hands signals on, and takes in orphans. procps and
# wget: the probes and hooks that KubeRay and infra/kuberay run in the container. Versions are those of the release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ procps tini wget \
    && rm -rf /var/lib/apt/lists/*

# Nobody needs to be root in it. The number is what volumes and Kubernetes' runAsNonRoot see.
RUN useradd --create-home --uid 1000 seedbed
USER 1000
WORKDIR /home/seedbed/app
ENV VIRTUAL_ENV=/home/seedbed/venv \
    PATH=/home/seedbed/venv/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

# What changes seldom first: torch, then what pyproject.toml asks for, each at the version of constraints.txt.
ARG TORCH_INDEX=
COPY --chown=1000 constraints.txt ./
RUN python -m venv "$VIRTUAL_ENV" \
    && pip install --constraint constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} \
        "$(grep '^torch==' constraints.txt)"
COPY --chown=1000 pyproject.toml infra/container/dependencies.py ./
RUN python dependencies.py >requirements.txt \
    && pip install --constraint constraints.txt --requirement requirements.txt

# The code, installed without asking again, and its kernels, compiled once.
COPY --chown=1000 README.md LICENSE NOTICE ./
COPY --chown=1000 dataprep dataprep
COPY --chown=1000 jobs jobs
COPY --chown=1000 platform platform
COPY --chown=1000 configs configs
COPY --chown=1000 --chmod=755 infra/container/driver /home/seedbed/venv/bin/
RUN pip install --constraint constraints.txt --no-deps --no-build-isolation --editable . \
    && python -m dataprep.kernels.warm

# Places for volumes, which take over their owner; Ray keeps sockets and logs in /tmp/ray.
RUN mkdir -p /home/seedbed/store /home/seedbed/state /tmp/ray
ENV SEEDBED_STORE=/home/seedbed/store \
    SEEDBED_STATE=/home/seedbed/state \
    RAY_USAGE_STATS_ENABLED=0

# SIGTERM reaches `seedbed run` through tini: it checkpoints and leaves with 75. Give it the time (docs/clusters.md).
# There is no HEALTHCHECK here: a run that ends is no service. Who starts Ray or a server in it adds its own.
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "seedbed"]
CMD ["doctor"]
