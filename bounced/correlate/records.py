"""Records of mails sent, as handed to the correlator: it looks nothing up itself."""

from bounced.model import Records

#: Nothing was looked up, or nothing was found.
NO_RECORDS = Records()
