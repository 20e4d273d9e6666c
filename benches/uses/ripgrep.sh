cd /etc
rg -uu -l root
rg --pre cat root passwd
rg -z root /tmp/fz.gz
rg --mmap root passwd
rg -f hostname passwd
rg --sort path root
rg -L root alternatives
rg -j4 --stats root
rg --debug root passwd
rg -P 'a(?=b)' passwd
rg --json root passwd
rg --files --hidden
rg --type-list
rg -r x root passwd
rg root /none
cat passwd | rg -c root
rg --config none x
rg --pcre2-version
rg -E utf-16 x passwd
