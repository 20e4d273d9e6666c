#!/bin/sh
# Says how many visits there were.
echo "report $(date +%H) by $(id -un)"
