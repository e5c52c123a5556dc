#!/bin/sh
# Three steps on every host with OpenSSH, one connection a host shared by a ControlMaster.
# usage: openssh_steps.sh TABLE CONFIG SOCKETS STEP...; TABLE has lines `port user key`.
set -eu
table=$1 config=$2 sockets=$3
shift 3
host() { # host PORT USER KEY STEP...
  port=$1 user=$2 key=$3
  shift 3
  for step; do
    ssh -F "$config" -p "$port" -l "$user" -i "$key" -o "ControlPath=$sockets/$port" \
      -o ControlMaster=auto -o ControlPersist=60 127.0.0.1 "$step" >/dev/null
  done
}
waiting=
while read -r port user key; do
  host "$port" "$user" "$key" "$@" </dev/null &
  waiting="$waiting $!"
done <"$table"
for job in $waiting; do wait "$job"; done
