lua5.4 -e 'os.rename("/tmp/none","/tmp/none2") os.getenv("HOME") os.time() os.clock() os.date() local f=io.tmpfile() f:setvbuf("no") f:write("x") f:seek("set") f:read("a") f:flush() f:close() os.tmpname() os.setlocale("C") os.remove("/tmp/nodir") print(pcall(require,"nothing")) io.lines("/etc/passwd")() os.exit(0,true)'
mkdir /tmp/luadir
lua5.4 -e 'os.remove("/tmp/luadir") for i=1,1e5 do local s=("x"):rep(i%999) end'
echo 'print(1)' | lua5.4 -i
lua5.4 -v
