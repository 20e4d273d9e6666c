cd /tmp
gawk 'BEGIN{"date"|&getline x; print x |& "cat"; close("cat"); while((getline l < "/etc/passwd")>0); print > "/tmp/ga"; close("/tmp/ga"); print "e" > "/dev/stderr"; fflush(); s="/inet/tcp/0/127.0.0.1/1"; print |& s; srand(); rand(); ENVIRON["x"]; PROCINFO["pid"]; system("")}'
gawk -i inplace '{print}' /tmp/ga
gawk -l filefuncs 'BEGIN{stat("/etc",d); chdir("/")}'
gawk -l fork 'BEGIN{if(!fork())exit; wait()}'
gawk -l time 'BEGIN{gettimeofday(); sleep(0.01)}'
gawk -l readdir '{print}' /etc
gawk --version
gawk -o/tmp/gp 1 /dev/null
gawk -d/tmp/gv 1 /dev/null
