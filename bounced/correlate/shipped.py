"""The header fields by which the common senders name campaign, list, categories and stream; first fit wins."""

from bounced.config import HeaderTag


def _text(tag: str, *headers: str, split: str | None = None) -> list[HeaderTag]:
    return [HeaderTag.model_validate({"header": header, "tag": tag, "split": split}) for header in headers]


def _json(tag: str, header: str, *paths: str) -> list[HeaderTag]:
    return [HeaderTag.model_validate({"header": header, "tag": tag, "kind": "json", "path": path}) for path in paths]


def _regex(tag: str, header: str, pattern: str) -> HeaderTag:
    return HeaderTag.model_validate({"header": header, "tag": tag, "kind": "regex", "pattern": pattern})


SHIPPED: tuple[HeaderTag, ...] = (
    # Sitecore Send (Moosend), transactional SMTP.
    *_text("campaign", "campaign_guid"),
    *_text("list", "mailing_list_id"),
    # The plain names that applications choose, and Mailchimp's X-Campaign.
    *_text("campaign", "X-Campaign", "X-Campaign-ID", "X-CampaignID", "X-Campaign-Name"),
    *_text("stream", "X-Stream", "X-Message-Stream"),
    *_text("categories", "X-Category", "X-Categories", split=","),
    # SendGrid.
    *_json("campaign", "X-SMTPAPI", "unique_args.campaign", "unique_args.campaign_id", "unique_args.campaign_name"),
    *_json("list", "X-SMTPAPI", "unique_args.list", "unique_args.list_id"),
    *_json("categories", "X-SMTPAPI", "category"),
    # Mailgun.
    *_text("campaign", "X-Mailgun-Campaign-Id"),
    *_json("campaign", "X-Mailgun-Variables", "campaign", "campaign_id"),
    *_json("list", "X-Mailgun-Variables", "list", "list_id"),
    *_text("categories", "X-Mailgun-Tag"),
    # Postmark.
    *_text("campaign", "X-PM-Metadata-campaign", "X-PM-Metadata-campaign-id", "X-PM-Metadata-campaign_id"),
    *_text("list", "X-PM-Metadata-list", "X-PM-Metadata-list-id", "X-PM-Metadata-list_id"),
    *_text("categories", "X-PM-Tag"),
    *_text("stream", "X-PM-Message-Stream"),
    # Amazon SES: `name=value, name=value`.
    _regex("campaign", "X-SES-MESSAGE-TAGS", r"(?i)(?:^|[,\s])campaign(?:[-_]?(?:id|name))?\s*=\s*([^,\s]+)"),
    _regex("list", "X-SES-MESSAGE-TAGS", r"(?i)(?:^|[,\s])list(?:[-_]?(?:id|name))?\s*=\s*([^,\s]+)"),
    _regex("categories", "X-SES-MESSAGE-TAGS", r"(?i)(?:^|[,\s])categor(?:y|ies)\s*=\s*([^,\s]+)"),
    *_text("stream", "X-SES-CONFIGURATION-SET"),
    # Mandrill.
    *_json("campaign", "X-MC-Metadata", "campaign", "campaign_id"),
    *_json("list", "X-MC-Metadata", "list", "list_id"),
    *_text("campaign", "X-MC-GoogleAnalyticsCampaign"),
    *_text("categories", "X-MC-Tags", split=","),
    *_text("stream", "X-MC-Subaccount"),
    # Brevo.
    *_text("campaign", "X-Mailin-Campaign"),
    *_json("campaign", "X-Mailin-custom", "campaign", "campaign_id"),
    *_json("list", "X-Mailin-custom", "list", "list_id"),
    *_text("categories", "X-Mailin-Tag"),
    # SparkPost.
    *_json("campaign", "X-MSYS-API", "campaign_id", "metadata.campaign"),
    *_json("categories", "X-MSYS-API", "tags"),
    # Postal, listmonk, Mautic, phpList (whose ids are numbers; other programs use the field for other things).
    *_text("categories", "X-Postal-Tag"),
    *_text("campaign", "X-Listmonk-Campaign"),
    *_text("campaign", "X-EMAIL-ID"),
    _regex("campaign", "X-MessageID", r"^\s*(\d{1,9})\s*$"),
    # django-anymail.
    *_json("campaign", "X-Metadata", "campaign", "campaign_id"),
    *_json("list", "X-Metadata", "list", "list_id"),
    *_text("categories", "X-Tag"),
    *_text("categories", "X-Tags", split=","),
    # What every mailing may bear: RFC 2919, and Feedback-ID as campaign:customer:type:sender. Amazon's own
    # Feedback-ID has fewer fields and names an account, no campaign.
    _regex("list", "List-ID", r"<([^<>]+)>\s*$"),
    *_text("list", "List-ID"),
    _regex("campaign", "Feedback-ID", r"^\s*([^:]+):[^:]*:[^:]*:[^:]+$"),
)
