# MLflow's tracking server at the version that Seedbed's constraints name, with what it needs for Postgres and S3:
#   docker build -f infra/container/mlflow.Dockerfile -t seedbed-mlflow .
FROM python:3.11-slim-bookworm
SHELL ["/bin/bash", "-o", "pipefail", "-c"]

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 mlflow
USER 1000
WORKDIR /home/mlflow
ENV VIRTUAL_ENV=/home/mlflow/venv \
    PATH=/home/mlflow/venv/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

COPY --chown=1000 constraints.txt ./
RUN python -m venv "$VIRTUAL_ENV" \
    && pip install --constraint constraints.txt mlflow boto3 psycopg2-binary==2.9.13

EXPOSE 5000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=5 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:5000/health', timeout=4)"]
ENTRYPOINT ["tini", "--"]
CMD ["mlflow", "server", "--host", "0.0.0.0"]
