# Follows a started token to its end. $4, $5 bytes of stdout and stderr already known,
# $6 seconds after which to give up.
cs_from=$4 cs_efrom=$5 cs_o= cs_e=
cs_l=$(readlink "$cs_t")
case $cs_l in
started:*) ;;
*) tell ;;
esac
read -r cs_x cs_y </proc/uptime
cs_d=$((${cs_x%%.*} + $6))
# The result is looked for before the output: it is written after the last of it.
until [ -L "$cs_t.rc" ]; do
  pour
  alive "$cs_l" || [ -L "$cs_t.rc" ] || tell
  read -r cs_x cs_y </proc/uptime
  [ "${cs_x%%.*}" -lt $cs_d ] || tell
  sleep 0.2
done
pour
fin end "$(readlink "$cs_t.rc")"
