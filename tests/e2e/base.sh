#!/usr/bin/env bash
# The base image, made from the archives where no registry answers.
set -euo pipefail
image=docker.io/library/debian:12-slim
if ! podman image exists "$image" && ! timeout 60 podman pull -q "$image" > /dev/null 2>&1; then
  mmdebstrap --quiet --variant=minbase bookworm - | podman import -q - "$image"
fi
podman image exists "$image"
