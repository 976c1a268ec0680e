#!/bin/sh
# Installs the servers that the tests start. Does it where it may (root on Debian); elsewhere says what will be skipped.
set -eu
missing=""
for tool in /usr/sbin/dovecot /usr/bin/sieve-test /usr/sbin/postfix /usr/bin/systemd-analyze /usr/bin/swaks /usr/bin/php \
  /usr/bin/chromium /usr/sbin/nginx /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf /usr/share/php/libphp-phpmailer/src/PHPMailer.php; do
  [ -e "$tool" ] || missing="$missing $tool"
done
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
for table in pgsql sqlite cdb lmdb; do
  [ -e "/usr/lib/postfix/postfix-$table.so" ] || missing="$missing postfix-$table"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Not installed, and only root on Debian may install them here:$missing"
  echo "The tests that need them will be skipped, each with its reason."
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get update -qq
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
apt-get install -y -qq --no-install-recommends \
  dovecot-imapd dovecot-lmtpd dovecot-sieve postfix postfix-pcre postfix-pgsql postfix-sqlite postfix-cdb postfix-lmdb postgresql systemd openssl \
  swaks php-cli libphp-phpmailer chromium fonts-dejavu-core nginx-light >/dev/null
