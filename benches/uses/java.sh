cd /tmp
rm -f ks
java -m java.base/sun.security.tools.keytool.Main -genkeypair -keystore ks -storepass secret1 -dname CN=x -keyalg RSA
java -m java.base/sun.security.tools.keytool.Main -list -keystore ks -storepass secret1
java -m java.base/sun.security.tools.keytool.Main -printcert -sslserver 127.0.0.1:1
java -m java.base/sun.security.tools.keytool.Main -printcert -sslserver localhost:1
(java -m java.rmi/sun.rmi.registry.RegistryImpl 1099 & p=$!; sleep 3; kill -QUIT $p; echo | nc -w1 127.0.0.1 1099; sleep 1; kill $p; wait $p)
(java -agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:5005 -m java.rmi/sun.rmi.registry.RegistryImpl 1098 & p=$!; sleep 3; echo JDWP-Handshake | nc -w1 127.0.0.1 5005; kill $p; wait $p)
java -XX:+UseParallelGC -XX:+AlwaysPreTouch -Xmx64m -XX:NativeMemoryTracking=summary -version
java -XX:+UseSerialGC -XX:+UseLargePages -Xlog:gc*,os*:file=/tmp/jl -version
java -XX:+UseZGC -Xmx64m -version
java -XX:+UseNUMA -XX:+UseTransparentHugePages -Xlog:all=info:file=/tmp/jl2 -version
java -Xshare:dump -XX:SharedArchiveFile=/tmp/jsa
java -XX:+PrintFlagsFinal -version
java -XX:+CrashOnOutOfMemoryError -XX:ErrorFile=/tmp/je -XX:OnOutOfMemoryError=true -version
java -XX:ThreadPriorityPolicy=1 -version
java -jar none.jar
java --list-modules
java -cp /usr/share none.Main
