cd /tmp
cp -R --preserve=all --attributes-only /etc/default ca
cp --parents /etc/passwd ca
cp -b -S.x /etc/passwd ca
cp -u -v /etc/passwd ca
cp --remove-destination -f /etc/passwd ca/etc
cp -d -P /etc/alternatives/* ca
cp -L /etc/alternatives/awk ca
mkfifo cff
cp -a cff cfg
cp -a /dev/null cnull
truncate -s 99M chole
cp --sparse=always chole chole2
cp --reflink=always chole chole3
cp -Z /etc/passwd cz
cp -x -r /etc/default cx
cp -i /etc/passwd cz </dev/null
cp -n /etc/passwd cz
cp --debug /etc/passwd cz
setfacl -m u:1:r cz
cp -a cz cz2
ln cz cz3
cp -a cz cz3 cx
