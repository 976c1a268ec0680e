"""What the shop of the demo's history sends, and what goes wrong beside, as data."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Mailing:
    """What is sent again and again: on these days of the week (0 is Monday; none: each day), at this hour, to so many.

    `hard` and `soft` are the parts of it that fail; `grows` by so much a week. `campaigns` follow each other, each for
    the same time.
    """

    campaigns: tuple[str, ...]
    list_name: str
    category: str
    stream: str
    subjects: tuple[str, ...]
    weekdays: tuple[int, ...]
    hour: int
    amount: int
    hard: float = 0.0022
    soft: float = 0.0016
    answers: float = 0.0007
    leaves: float = 0.00012
    grows: float = 0.004


MAILINGS = (
    Mailing(
        ("Late summer letter", "Autumn letter", "Winter letter"),
        "newsletter",
        "editorial",
        "marketing",
        ("Five things worth your weekend", "What our readers cook now", "The letter: small repairs, big joy"),
        (1,),
        9,
        13_500,
    ),
    Mailing(
        ("Back to school", "Harvest weeks", "Warm and dry"),
        "offers",
        "promo",
        "marketing",
        ("Our offers of the week", "Three days only: free delivery", "New in: wool, wood and tea"),
        (3,),
        16,
        8_200,
        hard=0.0024,
        leaves=0.00025,
    ),
    Mailing(
        ("Order confirmation",),
        "customers",
        "orders",
        "transactional",
        ("Your order is confirmed",),
        (),
        7,
        620,
        hard=0.0030,
        soft=0.0020,
        answers=0.0,
        leaves=0.0,
    ),
    Mailing(
        ("Password reset",),
        "customers",
        "security",
        "transactional",
        ("Reset your password",),
        (),
        13,
        140,
        hard=0.0060,
        soft=0.0020,
        answers=0.0,
        leaves=0.0,
    ),
)
#: The list that somebody bought, and the sale of the last hours.
BAD_LIST = Mailing(
    ("Trade fair contacts",), "fair contacts", "promo", "marketing", ("It was good to meet you",), (), 10, 1_150,
    hard=0.115, soft=0.012, answers=0.004, leaves=0.004, grows=0.0,
)  # fmt: skip
SALE = Mailing(
    ("Warm and dry",), "offers", "promo", "marketing", ("Tonight only: everything made of wool",), (), 0, 8_400,
    answers=0.0, leaves=0.0, grows=0.0,
)  # fmt: skip
AWAY = (
    "I am out of the office until Monday and will answer then.",
    "Thank you for your mail. I am on parental leave; my colleagues will be glad to help.",
    "Ich bin bis zum 14. nicht im Büro und antworte danach.",
)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a person wrote to the return path: it is left where it is."""

    who: str
    subject: str
    text: str


LETTERS = (
    Letter("nadia.vogel@sonnenpost.example", "Question about my order", "When will my parcel arrive?\nBest, Nadia"),
    Letter("omar.weber@greenfield.example", "Re: Five things worth your weekend", "The soup was a success. Thank you!"),
)


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many of whom there are beside those that a mailing hits by chance."""

    full: int = 34
    outage: int = 236
    outage_now: int = 74
    blocked: int = 88
    refused: int = 41
    puzzles: tuple[int, ...] = field(default=(11, 7, 4))
