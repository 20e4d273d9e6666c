#!/bin/sh
# Prepares what the machine's own service manager prepared, then becomes the main process.
set -eu

# Gone at every boot of the machine, made again at every start here.
install -d -o 1207 -g 1207 -m 0755 /run/shop

# Secret variables.
set -a
. /run/secrets/shop-environment
set +a

exec setpriv --reuid=1207 --regid=1207 --init-groups --inh-caps=-all -- "$@"
