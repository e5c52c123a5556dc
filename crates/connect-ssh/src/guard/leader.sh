# Becomes the step: leads its session and group, takes the token, then runs the script.
# $1 link without its end, $2 link path, $3 umask. Descriptor 9: the script.
read -r cs_x </proc/self/stat
set -- "$1" "$2" "$3" ${cs_x##*) }
unset cs_x
set -- "$1$$.${23}" "$2" "$3"
ln -sn "$1" "$2" 2>/dev/null || [ "$(readlink "$2")" = "$1" ] || {
  if [ -L "$2" ]; then echo l; else echo k; fi
  exit
}
echo "w $$ ${1##*.}"
umask "$3"
set --
. /proc/self/fd/9
