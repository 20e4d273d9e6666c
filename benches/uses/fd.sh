cd /etc
fdfind -HI -j4 passwd
fdfind -X ls -l
fdfind -x echo {.}
fdfind -t x -t f -S +1k
fdfind --changed-within 1d
fdfind -L -d 2 .
fdfind -o root
fdfind --color always -a conf
fdfind -0 conf
fdfind --one-file-system conf
fdfind -E x --ignore-file /dev/null
fdfind none /none
fdfind --max-results 1
script -qc 'fdfind -l passwd /etc' /dev/null </dev/null
