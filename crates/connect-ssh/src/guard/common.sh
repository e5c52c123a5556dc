# What every verb shares. POSIX sh: dash, bash and busybox. No single quotes and no backslashes:
# the text travels inside single quotes through whatever login shell the host has.
# $1 nonce, $2 token, $3 guard directory or nothing; the rest belongs to the verb.
unset cs_in cs_n cs_g cs_t cs_p cs_l cs_r cs_v
cs_n=$1
cs_g=${3:-$HOME/.countersign/guard}
cs_t=$cs_g/$2

# The last 256 bytes of an answer say how it ended; what a step prints cannot come after them.
fin() {
  printf %-256s "$cs_n $*"
  exit 0
}

# Whether process $1 lives; with $2 only if it started at that tick of this boot.
# A zombie still counts while its parent is about to collect it.
lives() {
  cs_j=$2
  read -r cs_x </proc/"$1"/stat || return 1
  set -- ${cs_x##*) }
  [ -z "$cs_j" ] || [ "$cs_j" = "${20}" ] || return 2
  case $1 in
  Z) [ "$2" != 1 ] ;;
  X) return 1 ;;
  esac
} 2>/dev/null

# Puts the tick at which process $1 started into cs_j: nothing when it is gone.
tick() {
  cs_j=
  read -r cs_x </proc/"$1"/stat || return 1
  set -- ${cs_x##*) }
  cs_j=${20}
} 2>/dev/null

# Whether anybody lives in the group and session $1.
members() {
  cs_j=$1
  for cs_f in /proc/[0-9]*/stat; do
    read -r cs_x <"$cs_f" || continue
    set -- ${cs_x##*) }
    [ "$3" = "$cs_j" ] && [ "$4" = "$cs_j" ] && [ "$1" != Z ] && return 0
  done
  return 1
} 2>/dev/null

# Whether the detached group of link $1 lives: leader or any member, same boot.
# While a member lives the kernel does not give the number to anybody else.
group() {
  case $1 in
  started:*:*:*) ;;
  *) return 1 ;;
  esac
  cs_a=${1#started:*:}
  read -r cs_x </proc/sys/kernel/random/boot_id
  [ "${cs_a%%:*}" = "$cs_x" ] || return 1
  cs_a=${cs_a#*:}
  cs_b=${cs_a#*.}
  [ "$cs_b" != "$cs_a" ] || cs_b=
  cs_a=${cs_a%%.*}
  # A number with a leading zero is another one to some of those who read it.
  case $cs_a in
  "" | 0* | 1 | *[!0-9]*) return 1 ;;
  esac
  lives "$cs_a" "$cs_b"
  case $? in
  0) return 0 ;;
  2) return 1 ;;
  esac
  members "$cs_a"
} 2>/dev/null

# Sends signal $1 to group $2. Only with a kill that is part of the shell: the program of the same
# name in procps 4.0 takes a group number that starts with 1 for an order to kill everybody.
# Otherwise one by one, again and again, since they may start others meanwhile.
slay() {
  case $2 in
  "" | 0* | 1 | *[!0-9]*) return 1 ;;
  esac
  case $(type kill) in
  *builtin*) kill "-$1" "-$2" ;;
  *)
    for cs_i in 1 2 3; do
      for cs_f in /proc/[0-9]*/stat; do
        read -r cs_x <"$cs_f" || continue
        cs_j=${cs_x%% *}
        cs_x=${cs_x##*) }
        cs_x=${cs_x#* }
        cs_x=${cs_x#* }
        [ "${cs_x%% *}" = "$2" ] && kill "-$1" "$cs_j"
      done
    done
    ;;
  esac
} 2>/dev/null

# Whether somebody is still there to write the result of link $1: the group or its keeper.
alive() {
  group "$1" && return 0
  read -r cs_x </proc/sys/kernel/random/boot_id
  case $1 in
  started:*:"$cs_x":*) ;;
  *) return 1 ;;
  esac
  for cs_f in "$cs_t".*.by; do
    read -r cs_a cs_b <"$cs_f" && lives "$cs_a" "$cs_b" && return 0
  done
  return 1
} 2>/dev/null

# What the target holds for the token. The result is read again after the look at the processes,
# because the keeper may have written it and left in between.
tell() {
  cs_l=$(readlink "$cs_t")
  cs_r=$(readlink "$cs_t.rc")
  cs_v=0
  if [ -z "$cs_r" ]; then
    alive "$cs_l" && cs_v=1
    cs_r=$(readlink "$cs_t.rc")
  fi
  fin guard "${cs_l:--}" "${cs_r:--}" "$cs_v"
}

# What the step printed since the last call: the open file remembers how far we came.
pour() {
  if [ "$cs_o" ]; then
    cat <&3
  elif [ -s "$cs_t.out" ]; then
    cs_o=1
    exec 3<"$cs_t.out"
    if [ "$cs_from" = 0 ]; then cat <&3; else tail -c "+$((cs_from + 1))" <&3; fi
  fi
  if [ "$cs_e" ]; then
    cat <&5 >&2
  elif [ -s "$cs_t.err" ]; then
    cs_e=1
    exec 5<"$cs_t.err"
    if [ "$cs_efrom" = 0 ]; then cat <&5 >&2; else tail -c "+$((cs_efrom + 1))" <&5 >&2; fi
  fi
}

printf %s "$cs_n:"
printf %s "$cs_n:" >&2
