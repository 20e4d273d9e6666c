# Tables of users and of the system, reboot entries, mail of what a job prints, percent signs as input, changed and broken
# tables while it runs, the daemon mode with its log level, a second one that finds the first.
id cu 2>/dev/null || useradd -m cu; mkdir -p /run /var/spool/cron/crontabs; rm -f /run/crond.pid
printf 'SHELL=/bin/sh\nMAILTO=root\nCRON_TZ=UTC\n* * * * * echo out; echo err >&2\n* * * * * cat%%line one%%line two\n@reboot touch /tmp/cr.boot\n0 0 1 1 * true\n' | crontab -; printf '* * * * * id; sleep 1\nMAILTO=""\n* * * * * echo quiet\n' | crontab -u cu -
printf 'PATH=/usr/bin:/bin\nNAME = "quoted"\n* * * * * cu exit 3\n* * * * * nobody true\n* * * * * none true\n*/1 * * * * root sleep 4\n' > /etc/cron.d/more; printf 'broken line\n' > /etc/cron.d/broken; echo '* * * * * root true' > /etc/cron.d/writable; chmod 666 /etc/cron.d/writable; ln -sf /etc/cron.d/more /etc/cron.d/linked; ln -f /etc/cron.d/more /etc/cron.d/hard
cron -L 15 -x ext,proc,load,misc,bit,pars,sch & x=$!; sleep 0.5; kill $x; cron -L 15 -l; sleep 1
services=cron
#include pam.inc
cron; sleep 61; echo '* * * * * true' | crontab -; crontab -u cu -r; touch /etc/cron.d/more; rm -f /etc/cron.d/broken; p=$(cat /run/crond.pid); kill -STOP $p; sleep 2; kill -CONT $p; sleep 60; kill -HUP $p; kill $p; sleep 0.5; cron -f -P -n & sleep 1; kill $!; rm -f /etc/cron.d/more /etc/cron.d/writable /etc/cron.d/linked /etc/cron.d/hard; unpam
