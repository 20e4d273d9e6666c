jq -n 'input' /etc/passwd /none
jq -n '$ENV.HOME, now, (now|localtime|mktime|strftime("%c")), input_filename'
jq -R . /etc/passwd
jq -s . /tmp/j
jq -f /tmp/none .
echo 'def x:1;' > /root/.jq
jq -L /tmp -n x
jq -C . /tmp/j
jq --seq --stream . /tmp/j
jq -e .a /tmp/j
jq --slurpfile a /tmp/j -n '$a'
rm /root/.jq
jq --help
script -qc 'jq . /tmp/j' /dev/null </dev/null
