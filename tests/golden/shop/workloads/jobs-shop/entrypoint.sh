#!/bin/sh
# Prepares what the machine's own service manager prepared, then becomes the main process.
set -eu

# What jobs print goes the way of their mail, and from there to the container's output.
rm -f /run/job-output
mkfifo -m 0622 /run/job-output
cat <> /run/job-output &

exec "$@"
