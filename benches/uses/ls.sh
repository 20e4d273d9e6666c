ls -lZ --color=always --hyperlink=always / /dev /tmp
ls -1f /
ls -d */
ls -lR /tmp/tx
ls --dired -l /
ls -lk --block-size=M --author -i -s -n -o -g -T 4 -w 80 /usr
ls -L /etc/alternatives
script -qc 'ls --color=auto -C /' /dev/null </dev/null
ls /none
ls --zero -U -X -S -t -v -c /etc
