"""What Postfix asks before it takes a recipient: a socketmap, and a policy service for scopes by sender.

Neither remembers anything: each question goes to the table, so that what was committed before it is always seen.
"""

from bounced.serve.lookups.gate import Ask, Gate, refusal
from bounced.serve.lookups.listening import Listeners

__all__ = ["Ask", "Gate", "Listeners", "refusal"]
