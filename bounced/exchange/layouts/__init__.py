"""Every layout that is known, in the order in which a file is compared with them: the first that fits is taken."""

from bounced.exchange.layout import Layout
from bounced.exchange.layouts import (
    brevo,
    listmonk,
    mailgun,
    mautic,
    own,
    phplist,
    postmark,
    sendgrid,
    ses,
    sparkpost,
    sympa,
)

LAYOUTS: tuple[Layout, ...] = (
    *own.LAYOUTS,
    *ses.LAYOUTS,
    *sendgrid.LAYOUTS,
    *postmark.LAYOUTS,
    *mailgun.LAYOUTS,
    *sparkpost.LAYOUTS,
    *listmonk.LAYOUTS,
    *phplist.LAYOUTS,
    *mautic.LAYOUTS,
    *sympa.LAYOUTS,
    *brevo.LAYOUTS,
)
