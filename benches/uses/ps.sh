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
# As an account without rights, with many processes of other accounts and groups, in a container's name spaces, with the
# formats that the environment names; and where the process table is hidden or not mounted.
id pu 2>/dev/null || useradd pu; cd /tmp; setpriv --reuid=pu --regid=pu --clear-groups sleep 4 & setpriv --reuid=12345 --regid=12345 --clear-groups sleep 4 & unshare -u -i -p -f sleep 4 & sleep 0.3
setpriv --reuid=pu --regid=pu --clear-groups ps auxww; PS_FORMAT=pid,user,group,supgrp,euser,ruser,suser,fuser,egroup,sgid,caps,wchan,numa,lxc,machine,unit,slice,seat,session,ouid,cgroupns,pidns,utsnsinode ps -e; PS_PERSONALITY=bsd ps -ax; PS_PERSONALITY=aix ps -f; COLUMNS=400 ps -eo pid,environ,args; ps ewwf; ps -G root -g 1 -t - ; ps t pts/0; ps -N -C sh; ps --ppid 1 --deselect; ps -o label,context -e; ps -eo pid,thcgr,cgname,oom,pss,uss,sgi_p,policy,cls,ni,pri,rtprio,sz,size,drs,trs,maj_flt,min_flt,sig,blocked,ignored,caught,pending,tname,tpgid,nwchan,%cpu,bsdtime,bsdstart,cputimes,etime; ps --no-headers -q 1,2 -o comm; ps -p x; ps --help a; ps U pu; TZ=Europe/Berlin ps -eo lstart; LC_ALL=de_DE.UTF-8 ps -ef; ps --context; ps -y -l; ps -j -F -c; ps X v; ps -L -p 1; umount -l /proc; ps aux; mount -t proc proc /proc; mount -o remount,hidepid=2 /proc; setpriv --reuid=pu --regid=pu --clear-groups ps aux; mount -o remount,hidepid=0 /proc; ps V; ps aux > /dev/full
