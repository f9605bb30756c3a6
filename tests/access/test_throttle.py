from __future__ import annotations

import threading

import pytest

from atoll.access.throttle import FREE_PER_ADDRESS, FREE_PER_LOGIN, MAX_WAIT_SECONDS, Seldom, SignInThrottle
from atoll.errors import TooManyAttempts


def fail(throttle, login="ada", address="1.1.1.1", times=1):
    for _ in range(times):
        throttle.attempt(login, address)


def wait(throttle, login="ada", address="1.1.1.1"):
    with pytest.raises(TooManyAttempts) as refused:
        throttle.attempt(login, address)
    return refused.value.retry_after_seconds


def test_failures_are_free_at_first_then_the_wait_doubles_up_to_a_minute(clock):
    throttle = SignInThrottle(clock)
    fail(throttle, times=FREE_PER_LOGIN)
    waits = []
    for _ in range(9):
        waits.append(wait(throttle))
        clock.move(seconds=waits[-1])
        fail(throttle)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert MAX_WAIT_SECONDS == 60


def test_a_refused_attempt_does_not_lengthen_the_wait(clock):
    throttle = SignInThrottle(clock)
    fail(throttle, times=FREE_PER_LOGIN + 0)
    assert [wait(throttle) for _ in range(50)] == [1] * 50
    clock.move(seconds=1)
    fail(throttle)


def test_somebody_elsewhere_cannot_lock_a_person_out(clock):
    throttle = SignInThrottle(clock)
    fail(throttle, address="6.6.6.6", times=FREE_PER_LOGIN)
    assert wait(throttle, address="6.6.6.6") >= 1
    fail(throttle, address="1.1.1.1")


def test_one_address_cannot_try_a_password_on_everybody(clock):
    throttle = SignInThrottle(clock)
    for number in range(FREE_PER_ADDRESS):
        fail(throttle, login=f"person{number}")
    assert wait(throttle, login="another") >= 1


def test_success_forgives_and_time_forgets(clock):
    throttle = SignInThrottle(clock)
    fail(throttle, times=FREE_PER_LOGIN)
    clock.move(seconds=1)
    fail(throttle)
    throttle.succeeded("ada", "1.1.1.1")
    fail(throttle, times=FREE_PER_LOGIN)
    wait(throttle)
    clock.move(seconds=901)
    fail(throttle, times=FREE_PER_LOGIN)


def test_attempts_at_the_same_time_do_not_slip_through(clock):
    throttle = SignInThrottle(clock)
    passed = []

    def attempt():
        try:
            throttle.attempt("ada", "1.1.1.1")
        except TooManyAttempts:
            return
        passed.append(1)

    threads = [threading.Thread(target=attempt) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == FREE_PER_LOGIN


def test_memory_is_bounded(clock):
    throttle = SignInThrottle(clock)
    seldom = Seldom(clock)
    for number in range(12_000):
        throttle.attempt("ada", f"address {number}")
        seldom.first(f"key {number}")
    assert len(throttle._attempts) <= 10_000
    assert len(seldom._last) <= 10_000


def test_seldom_lets_one_through_a_minute(clock):
    seldom = Seldom(clock)
    assert [seldom.first("a"), seldom.first("a"), seldom.first("b")] == [True, False, True]
    clock.move(seconds=60)
    assert seldom.first("a")
