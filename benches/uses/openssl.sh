cd /tmp
openssl genrsa -out ok 1024
openssl rsa -in ok -check -noout
openssl enc -aes-128-cbc -k x -in /etc/passwd -out oe
openssl passwd -1 x
openssl prime 7
openssl ecparam -genkey -name prime256v1 -noout -out oc
openssl pkcs12 -export -in c2 -inkey k2 -passout pass:x -out op
openssl x509 -in c2 -text -noout
openssl verify -CAfile c2 c2
openssl ocsp -url http://127.0.0.1:1/ -issuer c2 -cert c2
openssl s_time -connect 127.0.0.1:1 -time 1
openssl rand -writerand orr 9
openssl rehash /tmp/none
openssl engine -t -c
openssl list -providers
openssl speed -multi 2 -seconds 1 md5
openssl ca -help
openssl cms -help
openssl ts -help
(openssl s_server -accept 8445 -key k2 -cert c2 -www & p=$!; sleep 1; echo | openssl s_client -connect 127.0.0.1:8445 -sess_out os; kill $p; wait $p)
openssl s_server -accept 8446 -key k2 -cert c2 -dtls -naccept 1 & p=$!
sleep 0.5
echo | timeout 2 openssl s_client -dtls -connect 127.0.0.1:8446
kill $p
