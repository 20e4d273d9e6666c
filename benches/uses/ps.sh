ps axjf
ps -eo user,pid,pcpu,pmem,vsz,rss,tty,stat,start,time,cmd,wchan,nlwp,cgroup,label,ns,lstart,etimes,psr,sched,rtprio
ps --forest
ps -C ps
ps -u root -U root
ps -T
ps -p 1 -o args=
ps --sort -rss
ps -ww
ps L
ps axZ
ps axms
ps --info
ps -ef --cols 80
script -qc 'ps aux' /dev/null </dev/null
