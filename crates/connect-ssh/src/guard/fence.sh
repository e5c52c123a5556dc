# Makes sure that the token never starts, unless it has. $4 epoch.
umask 077
[ -d "$cs_g" ] || mkdir -p "$cs_g" 2>/dev/null || fin unusable directory
ln -sn "fenced:$4" "$cs_t" 2>/dev/null && fin won
[ -L "$cs_t" ] && tell
fin unusable k
