# Every module the package brings that needs no other server: sockets of all kinds, files that are watched, queues on disk, the
# journal's format by unix socket, TCP and relp-like forwarding to itself, programs as outputs, user messages, privileges given up.
cd /tmp; rm -rf ry; mkdir -p ry/work ry/out ry/in; chmod 777 ry ry/*; echo first > ry/in/a.log; mkfifo ry/pipe; (cat ry/pipe > /dev/null) & pipe=$!
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/ry/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv --user=root & dns=$!
openssl req -x509 -newkey rsa:2048 -nodes -keyout ry/k.pem -out ry/c.pem -subj /CN=x.test -days 9 2>/dev/null
cat > ry/conf <<'C'
global(workDirectory="/tmp/ry/work" maxMessageSize="9k" preserveFQDN="on" debug.onShutdown="off" net.enableDNS="on" umask="0022" oversizemsg.errorfile="/tmp/ry/over" parser.permitSlashInProgramName="on")
main_queue(queue.type="LinkedList" queue.filename="main" queue.size="50" queue.highWatermark="20" queue.lowWatermark="5" queue.discardMark="45" queue.saveOnShutdown="on" queue.maxDiskSpace="1m" queue.syncQueueFiles="on" queue.workerThreads="2" queue.timeoutShutdown="100" queue.checkpointInterval="1")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="/tmp/ry/log" CreatePath="on" UsePIDFromSystem="on" UseSysTimeStamp="off" Annotate="on" ParseTrusted="on" RateLimit.Interval="1" RateLimit.Burst="9")
module(load="imudp" SchedulingPolicy="rr" SchedulingPriority="1" batchSize="8" threads="2")
input(type="imudp" port="5514" address="127.0.0.1" rcvbufSize="64k" device="lo")
module(load="imtcp" KeepAlive="on" MaxSessions="9" NotifyOnConnectionClose="on")
input(type="imtcp" port="5515")
module(load="imptcp" threads="2")
input(type="imptcp" port="5516" KeepAlive="on" defaultTZ="+01:00" compression.mode="stream:always")
input(type="imptcp" path="/tmp/ry/ptcp" unlink="on" fileCreateMode="0666")
module(load="imfile" mode="inotify")
input(type="imfile" File="/tmp/ry/in/*.log" Tag="in" addMetadata="on" reopenOnTruncate="on" startmsg.regex="^f")
module(load="immark" interval="1")
module(load="impstats" interval="1" log.file="/tmp/ry/stats" resetCounters="on" format="json")
module(load="imklog" permitnonkernelfacility="on")
module(load="mmjsonparse") module(load="mmnormalize") module(load="mmanon") module(load="mmutf8fix") module(load="mmpstrucdata")
module(load="ommail") module(load="omprog") module(load="omuxsock")
template(name="dyn" type="string" string="/tmp/ry/out/%programname%/%$now%.log")
template(name="up" type="string" string="%msg%\n")
*.* action(type="omfile" dynaFile="dyn" dynaFileCacheSize="2" createDirs="on" dirCreateMode="0755" fileOwner="nobody" fileCreateMode="0600" failOnChOwnFailure="off" asyncWriting="on" flushInterval="1" ioBufferSize="4k" closeTimeout="1" sync="on")
*.* action(type="omfile" file="/tmp/ry/out/zip.gz" zipLevel="6" veryRobustZip="on")
*.* action(type="omfile" file="/tmp/ry/out/sized" rotation.sizeLimit="2000" rotation.sizeLimitCommand="/bin/true" sig.provider="none")
user.* action(type="omfwd" target="x.test" port="5514" protocol="udp" udp.sendDelay="1" rebindInterval="3")
user.* action(type="omfwd" target="127.0.0.1" port="5599" protocol="tcp" action.resumeRetryCount="-1" queue.type="Disk" queue.filename="fwd" queue.spoolDirectory="/tmp/ry/work")
local0.* action(type="omfwd" target="x.test" port="5515" protocol="tcp" KeepAlive="on" ZipLevel="5" compression.mode="stream:always" RebindInterval="2" ConErrSkip="1")
local1.* action(type="omprog" binary="/bin/cat" output="/tmp/ry/out/prog" confirmMessages="off" forceSingleInstance="on" killUnresponsive="on" closeTimeout="100" hup.signal="USR1")
local2.* :omusrmsg:root
local2.* :omusrmsg:*
local3.* |/tmp/ry/pipe
local4.* action(type="ommail" server="127.0.0.1" port="25" mailfrom="a@x.test" mailto="b@x.test" subject.text="x")
local5.* action(type="omuxsock")
local6.* ^/bin/true;up
$OMUxSockSocket /tmp/ry/log
if $msg contains "exec" then action(type="mmanon")
set $!ip = dyn_inc("c", "x"); set $.f = exec_template("up"); set $.n = random(9); set $.r = parse_time("2020-01-01T00:00:00Z"); set $.h = http_request("http://127.0.0.1:1/");
dyn_stats(name="c")
C
sed -i 's/^set \$!ip.*/set $.n = random(9); set $.r = parse_time("2020-01-01T00:00:00Z"); set $.g = getenv("PATH");/; /^dyn_stats/d; / sig.provider/s/ sig.provider="none"//' ry/conf
rsyslogd -N1 -f ry/conf; rsyslogd -f ry/conf -i /tmp/ry/pid; sleep 1.5
use() { for f in 0 1 2 3 4 5 6; do logger -u /tmp/ry/log -p local$f.info -t "t$f" "hello $f"; done; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do logger -u /tmp/ry/log "many $i"; done; logger -n 127.0.0.1 -P 5514 -d udp exec; logger -n 127.0.0.1 -P 5515 -T tcp; logger -n 127.0.0.1 -P 5516 -T p; echo '<13>x' | nc -w1 -U ry/ptcp; echo more >> ry/in/a.log; echo new > ry/in/b.log; mv ry/in/b.log ry/in/c.log; : > ry/in/a.log; echo again >> ry/in/a.log; rm ry/in/c.log; python3 -c "print('<13>'+'x'*20000)" | nc -q1 127.0.0.1 5515; sleep 1.3; }
use; kill -HUP $(cat ry/pid); sleep 0.5; kill -USR1 $(cat ry/pid); use; sleep 1.5; kill $(cat ry/pid); sleep 2
sed -e '1i $PrivDropToUser nobody' -e '1i $PrivDropToGroup nogroup' -e 's/mode="inotify"/mode="polling" PollingInterval="1"/; /imklog/d; s/queue.type="LinkedList"/queue.type="Disk"/' ry/conf > ry/conf2; rsyslogd -n -f ry/conf2 -i /tmp/ry/pid2 & sleep 1.5; use; kill -INT $!; sleep 1.5
sed -e '1i $PrivDropToUserID 65534' -e '/imklog/d' ry/conf > ry/conf3; mkdir -p ry/ch/tmp; rsyslogd -n -d -f ry/conf3 -i /tmp/ry/pid3 >/dev/null 2>&1 & sleep 2; use; kill $!; sleep 1; rsyslogd -v; rsyslogd -o /tmp/ry/full -N2 -f ry/conf; kill $dns $pipe
