"""How often a client may fail, and what a flood of clients may cost."""

from bounced.serve.throttle import Throttle


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_after_so_many_failures_a_client_waits_until_the_window_ends() -> None:
    clock = Clock()
    throttle = Throttle(failures=2, seconds=60, clock=clock)
    assert [throttle.failed("192.0.2.1") for _ in range(3)] == [0, 0, 60]
    clock.now += 59
    assert throttle.failed("192.0.2.1") == 1
    clock.now += 1

    assert [throttle.failed("192.0.2.1") for _ in range(3)] == [0, 0, 60]


def test_one_client_does_not_wait_for_another() -> None:
    throttle = Throttle(failures=1)
    throttle.failed("192.0.2.1")

    assert throttle.failed("192.0.2.1") > 0
    assert throttle.failed("192.0.2.2") == 0


def test_addresses_of_one_network_are_one_client() -> None:
    """Who has one IPv6 address has 2^64; an IPv4 address in IPv6 form is the same client."""
    throttle = Throttle(failures=2)
    waits = [throttle.failed(f"2001:db8:1:2::{n}") for n in range(1, 4)]

    assert waits[:2] == [0, 0]
    assert waits[2] > 0
    assert throttle.failed("2001:db8:1:3::1") == 0
    assert [throttle.failed(f"::ffff:192.0.2.{n}") for n in range(1, 5)] == [0, 0, 0, 0]


def test_memory_is_bounded() -> None:
    """Of a million clients the latest are remembered; odd names do no harm."""
    throttle = Throttle(failures=1, most_clients=100)
    for number in range(10_000):
        throttle.failed(f"10.{number // 256}.{number % 256}.1")
    throttle.failed("x" * 100_000)

    assert throttle.clients() == 100
    assert throttle.failed("x" * 100_000) > 0
