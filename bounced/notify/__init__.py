"""Outbox -> signed webhooks (Standard Webhooks). `compose` says what is told, `Deliverer` gets it there."""

from bounced.notify.compose import TYPES, compose
from bounced.notify.deliver import Deliverer
from bounced.notify.endpoint import problems
from bounced.notify.ping import Ping, ping

__all__ = ["TYPES", "Deliverer", "Ping", "compose", "ping", "problems"]
