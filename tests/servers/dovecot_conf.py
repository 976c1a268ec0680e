"""dovecot.conf for a private instance: nothing of /etc, no delay after a wrong password, users from a file."""

CONF = """\
base_dir = {base}/run
state_dir = {base}/run
instance_name = bounced-test-{port_imap}
log_path = {base}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
mail_location = maildir:{base}/mail/%n
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
mail_fsync = {fsync}
mail_max_userip_connections = 50
auth_mechanisms = {mechanisms}
auth_username_format = %Ln
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
auth_failure_delay = 0
disable_plaintext_auth = {tls_first}
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
shutdown_clients = yes
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {port_imap}
  }}
  inet_listener imaps {{
    port = {port_imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {port_lmtp}
  }}
}}
passdb {{
  driver = passwd-file
  args = {base}/users
  mechanisms = plain login
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={base}/home/%n allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
{oauth}
{capability}
{extra}
"""

OAUTH = """\
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {base}/oauth2.conf
}}
"""
