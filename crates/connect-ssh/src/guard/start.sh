# Starts a script at most once and follows it.
# $4 epoch, $5 timeout in seconds, $6 size limit of an output file in 512 byte blocks,
# $7 the leader. Standard input: the script, then the nonce, so that a script cut off by a broken
# connection is never run.
# In these the script would be an argument of a program on its way into the file.
[ -z "${KSH_VERSION-}" ] || fin unusable shell
cs_nl="
"
cs_in=$(umask; exec cat)
cs_u=${cs_in%%"$cs_nl"*}
cs_in=${cs_in#*"$cs_nl"}
case $cs_in in
*"$cs_n") ;;
*) fin unusable incomplete ;;
esac
cs_in=${cs_in%"$cs_n"}
umask 077
[ -L "$cs_t" ] && tell
[ -d "$cs_g" ] || mkdir -p "$cs_g" 2>/dev/null || fin unusable directory
read -r cs_b </proc/sys/kernel/random/boot_id || fin unusable proc
cs_p=$cs_t.$$
if ! mkfifo "$cs_p.o" "$cs_p.e" 2>/dev/null; then
  rm -f "$cs_p.o" "$cs_p.e" 2>/dev/null
  fin unusable fifo
fi
# Descriptor 9 is how the leader reads it; closed first of all, on the same line so that line numbers
# in messages stay right.
if ! printf %s "exec 9<&-;$cs_in" >"$cs_p.s"; then
  rm -f "$cs_p.o" "$cs_p.e" "$cs_p.s"
  fin unusable space
fi
cs_in=
cs_o= cs_e= cs_from=0 cs_efrom=0

# The runner. The step must not inherit ignored signals, so it is neither started in the background
# nor are signals ignored here: caught ones are reset when the step is executed.
# Here and below streams are redirected from inside: from outside a shell keeps a copy of the old one,
# and the connection stays open as long as anybody holds it.
{
  exec 2>/dev/null
  trap : HUP INT TERM
  (exec setsid sh -c "$7" countersign "started:$4:$cs_b:" "$cs_t" "$cs_u" </dev/null 9<"$cs_p.s" >"$cs_p.o" 2>"$cs_p.e")
  echo $?
} |

# The keeper: keeps output up to the limit, enforces the timeout, writes the result.
# It outlives the connection.
{
  exec 2>/dev/null
  trap "" HUP INT TERM PIPE
  trap cs_late=1 USR1
  cs_late=
  read -r cs_x </proc/self/stat
  set -- "$1" "$2" "$3" "$4" "$5" "$6" ${cs_x%% *} ${cs_x##*) }
  # Numbers are given to others once their process is gone: nobody is signalled whose tick differs.
  cs_s=$7 cs_h=${27}
  # Before the step can start, so that there is no moment at which nobody seems to be there.
  echo "$7 ${27}" >"$cs_p.by"
  exec 3<"$cs_p.o" 5<"$cs_p.e"
  cs_w=
  read -r cs_w cs_k cs_m <&3
  cs_l=started:$4:$cs_b:$cs_k.$cs_m
  if [ "$cs_w" != w ]; then
    rm -f "$cs_p.o" "$cs_p.e" "$cs_p.s" "$cs_p.by" >/dev/null
    echo "${cs_w:-n}"
    exit
  fi
  # Beyond the limit a write fails instead of killing, and tee goes on reading: the step neither
  # blocks nor fills the disk.
  (ulimit -f "$6"; trap "" XFSZ; exec tee "$cs_t.out" <&3 >/dev/null 3<&- 5<&-) &
  cs_o=$!
  (ulimit -f "$6"; trap "" XFSZ; exec tee "$cs_t.err" <&5 >/dev/null 3<&- 5<&-) &
  cs_e=$!
  exec 3<&- 5<&-

  # The clock. It signals the keeper, again and again, once the step is gone or killed,
  # so that a daemon that still holds our pipes cannot keep the result from being written.
  {
    exec </dev/null
    read -r cs_v cs_y </proc/uptime
    # One more, because the fraction is cut off: never before its time.
    cs_d=$((${cs_v%%.*} + $5 + 1))
    cs_q=$((cs_d + 600))
    sleep 0.25 >/dev/null
    {
      trap - PIPE
      cs_i=0
      while [ $cs_i -lt $((($5 + 60) * 5)) ]; do
        lives "$cs_s" "$cs_h" && echo t || exit
        sleep 0.2 >/dev/null
        cs_i=$((cs_i + 1))
      done
    } &
    exec >/dev/null
    while [ "${cs_v%%.*}" -lt $cs_q ]; do
      if ! lives "$cs_k" "$cs_m"; then
        lives "$cs_s" "$cs_h" && kill -USR1 "$cs_s" || exit
      elif [ "${cs_v%%.*}" -ge $cs_d ]; then
        # Not the colon: when that cannot write, the shell exits, and nobody would be stopped.
        true >"$cs_p.t"
        slay TERM "$cs_k"
        cs_i=0
        while [ $cs_i -lt 20 ] && group "$cs_l"; do
          sleep 0.1
          cs_i=$((cs_i + 1))
        done
        group "$cs_l" && slay KILL "$cs_k"
        lives "$cs_s" "$cs_h" && kill -USR1 "$cs_s"
      fi
      sleep 0.5
      read -r cs_v cs_y </proc/uptime
    done
  } &
  cs_c=$!
  tick "$cs_c"
  cs_z=$cs_j
  rm -f "$cs_p.o" "$cs_p.e" "$cs_p.s" >/dev/null &

  cs_r=
  until read -r cs_r; do
    [ "$cs_late" ] || break
    cs_late=
  done
  # The runner was killed: how the step ended will never be known.
  if [ -z "$cs_r" ]; then
    echo g
    exit
  fi
  if [ -e "$cs_p.t" ]; then
    until [ "$cs_late" ]; do
      wait "$cs_c"
      lives "$cs_c" "$cs_z" || break
    done
    cs_r=timeout
    rm -f "$cs_p.t" >/dev/null
  fi
  cs_late=
  wait "$cs_o"
  [ "$cs_late" ] || wait "$cs_e"
  [ "$cs_z" ] && lives "$cs_c" "$cs_z" && kill -KILL "$cs_c"
  if ! ln -sn "rc:$cs_r" "$cs_t.rc"; then
    # Full or gone. Whoever listens is told; for the others it is tried again for a while.
    {
      exec </dev/null >/dev/null
      cs_i=0
      until [ ! -d "$cs_g" ] || ln -sn "rc:$cs_r" "$cs_t.rc" || [ -L "$cs_t.rc" ] || [ $cs_i -gt 100 ]; do
        sleep 5
        cs_i=$((cs_i + 1))
      done
    } &
  fi
  echo "d $cs_r"
} |

# The follower: the only part that talks to the connection.
{
  while read -r cs_a cs_r; do
    case $cs_a in
    t) pour ;;
    d) pour; fin end "rc:$cs_r" ;;
    g) fin gone ;;
    *)
      [ -L "$cs_t" ] && tell
      fin unusable "$cs_a"
      ;;
    esac
  done
  fin gone
}
