# Stops a started token and everything in its group: TERM, then KILL after five seconds.
umask 077
cs_l=$(readlink "$cs_t")
[ -L "$cs_t.rc" ] && tell
group "$cs_l" || {
  cs_i=0
  while [ ! -L "$cs_t.rc" ] && alive "$cs_l" && [ $cs_i -lt 50 ]; do
    sleep 0.2
    cs_i=$((cs_i + 1))
  done
  tell
}
slay TERM "$cs_a"
cs_i=0
while [ $cs_i -lt 50 ] && group "$cs_l"; do
  sleep 0.1
  cs_i=$((cs_i + 1))
done
group "$cs_l" && slay KILL "$cs_a"
cs_i=0
while [ ! -L "$cs_t.rc" ] && alive "$cs_l" && [ $cs_i -lt 50 ]; do
  sleep 0.1
  cs_i=$((cs_i + 1))
done
# Nobody is left to write it, and we know how it ended.
alive "$cs_l" || [ -L "$cs_t.rc" ] || ln -sn rc:137 "$cs_t.rc" 2>/dev/null
tell
