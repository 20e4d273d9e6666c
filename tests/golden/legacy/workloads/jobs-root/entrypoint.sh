#!/bin/sh
# Prepares what the machine's own service manager prepared, then becomes the main process.
set -eu

# Gone at every boot of the machine, made again at every start here.
install -d -o 105 -g 112 -m 0755 /run/mysqld

# What jobs print goes the way of their mail, and from there to the container's output.
rm -f /run/job-output
mkfifo -m 0622 /run/job-output
cat <> /run/job-output &

exec "$@"
