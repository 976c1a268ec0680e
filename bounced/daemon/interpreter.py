"""How Python itself is set for this work: when it looks for cyclic garbage, and how long a thread's turn is."""

import gc
import sys

#: Objects made and not yet gone, at which it is looked; Python's own number is 700.
_AFTER = 20_000
#: Seconds of a thread's turn while others wait for theirs; Python's own number is ten times that.
_TURN = 0.0005


def seldom_collected() -> None:
    """Pass by what is there now from now on, and look seldom. To be called when all that stays has been built.

    Mail leaves next to no cycles behind: without this, a tenth of the time goes into looking through rules and
    tables again and again. May be called again, as after a reload: then what stayed before is looked at once more.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_AFTER)


def short_turns() -> None:
    """Let no thread wait long for its turn, in a process where one commits while others fetch and feed the workers.

    Each of their system calls ends a turn, and the next begins when the one that computes gives up its own.
    """
    sys.setswitchinterval(_TURN)
