#!/bin/sh
# Runs inside the guest's own tree: sets its services up the way an administrator would.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
cd /tmp/guest

echo shop-1 > /etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 shop-1\n10.20.30.40 backup.example.net backup\n' > /etc/hosts
ln -sf /usr/share/zoneinfo/Europe/Zurich /etc/localtime
echo Europe/Zurich > /etc/timezone
echo 'en_US.UTF-8 UTF-8' >> /etc/locale.gen
locale-gen > /dev/null
echo 'LANG=en_US.UTF-8' > /etc/default/locale

# The application: a virtual environment, a unit of its own, its secrets in an environment file.
groupadd --gid 1207 shop
useradd --uid 1207 --gid 1207 --home-dir /srv/shop --shell /usr/sbin/nologin --no-create-home shop
mkdir -p /srv/shop/static /srv/shop/bin /srv/shop/nginx /etc/shop
python3 -m venv /srv/shop/venv
PIP_CERT=/tmp/ca.crt REQUESTS_CA_BUNDLE=/tmp/ca.crt SSL_CERT_FILE=/tmp/ca.crt \
  /srv/shop/venv/bin/pip install -q --no-cache-dir flask gunicorn psycopg2-binary redis
cp files/app.py /srv/shop/app.py
echo 'from the machine itself' > /srv/shop/static/hello.txt
cp files/report.sh /srv/shop/bin/report.sh
chmod 755 /srv/shop/bin/report.sh
cp files/shop.env /etc/shop/shop.env
chown root:shop /etc/shop/shop.env
chmod 640 /etc/shop/shop.env
cp files/shop.service files/shop-backup.service files/shop-backup.timer /etc/systemd/system/
mkdir -p /srv/shop/exports
chown shop:shop /srv/shop/exports
printf '*/5 * * * * shop /srv/shop/bin/report.sh\n' > /etc/cron.d/shop-report

# nginx: the default site off, one of its own with an include outside /etc.
rm /etc/nginx/sites-enabled/default
cp files/shop.site /etc/nginx/sites-available/shop
ln -s /etc/nginx/sites-available/shop /etc/nginx/sites-enabled/shop
cp files/headers.conf /srv/shop/nginx/headers.conf

# A file of a package, patched where it stands: nobody but its digest tells.
echo '# reports go to shop' >> /usr/share/perl5/Debconf/Config.pm

# Redis: another port and a password.
sed -i 's/^port .*/port 6380/; s/^# requirepass .*/requirepass k4kadu-redis/' /etc/redis/redis.conf

# PostgreSQL: another port, and real data. The cluster is made by the package; it is started once to be filled.
pg_conftool 15 main set port 5433
pg_ctlcluster 15 main start
su postgres -s /bin/sh -c 'psql -q -p 5433 -f /tmp/guest/files/data.sql'
pg_ctlcluster 15 main stop

systemctl enable shop.service shop-backup.timer > /dev/null 2>&1
rm -rf /var/cache/apt/archives/*.deb /var/lib/apt/lists/* /root/.cache
