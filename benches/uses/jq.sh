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
# Modules, big numbers and files, streams, colours, exit codes, input that breaks off, a full disk.
cd /tmp; rm -rf jqd; mkdir -p jqd/m; echo 'def f: . + 1;' > jqd/m/a.jq; echo '{"v":1}' > jqd/m/d.json; python3 -c "import json;json.dump([{'a':i,'b':'x'*50,'c':[1.5,None,True]} for i in range(40000)],open('/tmp/jqd/big','w'))"
jq -L jqd/m 'import "a" as a; import "d" as $d; map(.a|a::f)|add, $d' jqd/big; jq -n -L jqd/m 'include "a"; 1|f'; jq -c --stream . jqd/big | tail -1; jq --tab -S 'group_by(.a%7)|map(length)' jqd/big; jq -r '.[]|[.a,.b]|@csv,@tsv,@html,@uri,@sh,@base64,@json' jqd/big | tail -2; jq -j '.[0:9]' jqd/big; jq -a -M . jqd/big | head -1; jq --unbuffered . jqd/big | head -1; jq -n 'reduce range(99999) as $i (0;.+$i), (try error("x") catch .), ("2015-03-05T23:51:47Z"|fromdate|todate), (now|strflocaltime("%c %Z")), ("a,b"|splits(",")), input_line_number, $__loc__, ("x"|test("X";"i")), ([3,1]|sort), (1|tojson), env.PATH, halt_error'; TZ=Europe/Berlin jq -n '1425599621|localtime|mktime|gmtime|strftime("%A")'; printf '{"a":' | jq .; printf '[1,2' | jq --seq .; jq --arg a b --argjson c 1 --args -n '$ARGS' x y; jq --rawfile r /etc/passwd -n '$r|length'; jq --exit-status .none jqd/m/d.json; jq . jqd/m/d.json > /dev/full; jq . jqd; jq -n 'limit(3;repeat(1))'; jq -n '[limit(5;inputs)]' jqd/big jqd/m/d.json; jq --indent 7 . jqd/m/d.json; jq -n 'debug, stderr, input_filename, get_search_list, ("x"*100000|length), @text, getpath(["a"]), ltrimstr("x"), ascii, implode' ; HOME=/tmp/jqd/m jq -n 1; jq -f jqd/m/a.jq -n; jq --build-configuration; jq -V; jq -h; jq
