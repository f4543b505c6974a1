# Seedbed on CPUs: docker build -f infra/container/cpu.Dockerfile -t seedbed:cpu .
# The build context is the repository's root. Versions are those of constraints.txt, as in `make`.
FROM python:3.11-slim

# A C++ compiler and make are what `make setup` asks for; git is not needed.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make \
    && rm -rf /var/lib/apt/lists/*

# Nobody needs to be root in it; the home is where Ray keeps its token.
RUN useradd --create-home seedbed
USER seedbed
WORKDIR /home/seedbed/app

COPY --chown=seedbed . .
ARG TORCH_INDEX=
RUN make setup TORCH_INDEX="${TORCH_INDEX}"

ENV PATH=/home/seedbed/app/.venv/bin:$PATH \
    SEEDBED_STORE=/home/seedbed/store \
    SEEDBED_STATE=/home/seedbed/state
ENTRYPOINT ["seedbed"]
CMD ["doctor"]
