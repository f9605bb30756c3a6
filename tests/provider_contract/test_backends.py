"""What every backend does, whatever it is made of."""

from __future__ import annotations

import time

import pytest

from atoll.errors import Conflict, InvalidInput, LimitExceeded, NotFound
from atoll.model.workspace import HibernateKind, MachineState
from atoll.ports.backend import ProbeFacts

RUNNING, FROZEN, STOPPED, ABSENT = (
    MachineState.RUNNING,
    MachineState.FROZEN,
    MachineState.STOPPED,
    MachineState.ABSENT,
)


@pytest.fixture
def running(subject, backend):
    backend.create(subject.spec())
    return subject.wait_for(backend, "ws-1", RUNNING)


@pytest.fixture
def real_running(real, real_backend):
    real_backend.create(real.spec())
    seen = real.wait_for(real_backend, "ws-1", RUNNING)
    assert seen.socket.is_socket()
    return seen


def test_a_machine_that_was_never_made_is_absent(backend):
    assert backend.observe("ws-1").state == ABSENT
    assert backend.list_machines() == ()
    assert backend.figures("ws-1") is None
    assert backend.log("ws-1") == ""


def test_a_created_machine_runs_once_its_service_answers(backend, running):
    assert running.token == "token-1"
    assert backend.list_machines() == (running,)


def test_create_again_with_its_token_changes_nothing(subject, backend, running):
    before = backend.figures("ws-1").cpu_seconds
    backend.create(subject.spec())
    assert backend.observe("ws-1") == running
    assert backend.figures("ws-1").cpu_seconds >= before


def test_create_again_with_its_token_does_not_wake_a_stopped_machine(subject, backend, running):
    backend.stop("ws-1")
    backend.create(subject.spec())
    assert backend.observe("ws-1").state == STOPPED


def test_create_with_another_token_changes_nothing(subject, backend, running):
    backend.create(subject.spec(token="token-2"))
    assert backend.observe("ws-1") == running


def test_a_token_makes_a_machine_once(subject, backend, running):
    """A repetition that comes late does not bring a machine back."""
    backend.destroy("ws-1")
    backend.create(subject.spec())
    backend.start(subject.spec())
    assert backend.observe("ws-1").state == ABSENT
    backend.create(subject.spec(token="token-2"))
    assert subject.wait_for(backend, "ws-1", RUNNING).token == "token-2"


def test_stop_and_start_with_a_new_token(subject, backend, running):
    backend.stop("ws-1")
    stopped = subject.wait_for(backend, "ws-1", STOPPED)
    assert (stopped.token, stopped.socket) == ("token-1", None)
    assert backend.figures("ws-1") is None
    backend.stop("ws-1")
    backend.start(subject.spec(token="token-2"))
    again = subject.wait_for(backend, "ws-1", RUNNING)
    assert again.token == "token-2"
    backend.start(subject.spec(token="token-2"))
    assert backend.observe("ws-1") == again


def test_start_of_an_absent_machine_makes_it(subject, backend):
    backend.start(subject.spec())
    assert subject.wait_for(backend, "ws-1", RUNNING).token == "token-1"


def test_start_of_a_running_machine_changes_nothing(subject, backend, running):
    backend.start(subject.spec(token="token-2"))
    assert backend.observe("ws-1") == running


def test_freeze_and_thaw_as_declared(subject, backend, running):
    if backend.capabilities.hibernate is HibernateKind.NONE:
        with pytest.raises(Conflict):
            backend.freeze("ws-1")
        assert backend.observe("ws-1").state == RUNNING
        return
    backend.freeze("ws-1")
    assert subject.wait_for(backend, "ws-1", FROZEN).token == "token-1"
    backend.freeze("ws-1")
    backend.thaw("ws-1")
    assert subject.wait_for(backend, "ws-1", RUNNING) == running
    backend.thaw("ws-1")


def test_resize_as_declared(subject, backend, running):
    if backend.capabilities.resize != "live":
        with pytest.raises(Conflict):
            backend.resize("ws-1", vcpu=0.5, memory_bytes=2**27)
        return
    backend.resize("ws-1", vcpu=0.5, memory_bytes=2**27)
    assert backend.observe("ws-1") == running


def test_orders_to_an_absent_machine_make_none(backend):
    if backend.capabilities.hibernate is not HibernateKind.NONE:
        backend.freeze("ws-1")
    backend.thaw("ws-1")
    if backend.capabilities.resize == "live":
        backend.resize("ws-1", vcpu=1, memory_bytes=2**27)
    assert backend.observe("ws-1").state == ABSENT


def test_a_running_machine_holds_against_attempts_from_inside(subject, backend, running):
    assert backend.capabilities.probes
    probes = backend.probe("ws-1", ProbeFacts(paths=("/etc/shadow",)))
    assert {probe.group for probe in probes} == {"network", "files", "processes", "kernel"}
    assert [probe for probe in probes if not probe.held] == []
    assert backend.observe("ws-1") == running


def test_only_a_running_machine_can_be_tried(subject, backend, running):
    backend.stop("ws-1")
    for name in ("ws-1", "never-made"):
        with pytest.raises(Conflict):
            backend.probe(name, ProbeFacts())


@pytest.mark.parametrize("state", ["starting", "running", "frozen", "stopped", "destroyed", "never made"])
def test_destroy_is_legal_from_every_state(subject, backend, state):
    if state != "never made":
        backend.create(subject.spec())
    if state not in {"starting", "never made"}:
        subject.wait_for(backend, "ws-1", RUNNING)
    if state == "frozen" and backend.capabilities.hibernate is not HibernateKind.NONE:
        backend.freeze("ws-1")
    if state == "stopped":
        backend.stop("ws-1")
    if state == "destroyed":
        backend.destroy("ws-1")
    backend.destroy("ws-1")
    assert subject.wait_for(backend, "ws-1", ABSENT).token is None
    assert backend.list_machines() == ()
    backend.forget_home("ws-1")
    backend.forget_home("ws-1")


def test_stop_of_a_frozen_machine(subject, backend, running):
    if backend.capabilities.hibernate is not HibernateKind.NONE:
        backend.freeze("ws-1")
    backend.stop("ws-1")
    assert subject.wait_for(backend, "ws-1", STOPPED).token == "token-1"


def test_stop_of_an_absent_machine_is_done(backend):
    backend.stop("ws-1")
    assert backend.observe("ws-1").state == ABSENT


def test_the_log_is_kept_until_the_home_is_forgotten(real_backend, real_running):
    written = real_backend.log("ws-1")
    assert written != ""
    assert len(real_backend.log("ws-1", last_bytes=4)) == 4
    real_backend.destroy("ws-1")
    assert real_backend.log("ws-1").startswith(written)
    real_backend.forget_home("ws-1")
    assert real_backend.log("ws-1") == ""


def test_a_home_in_use_is_not_forgotten(real_backend, real_running):
    with pytest.raises(Conflict):
        real_backend.forget_home("ws-1")
    assert real_backend.observe("ws-1") == real_running


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("echo found nothing; exit 7", 7)])
def test_a_batch_job_ends_with_its_status(real, real_backend, script, status):
    real_backend.create(real.spec(service="batch", parameters={"script": script}))
    ended = real.wait_for(real_backend, "ws-1", STOPPED)
    assert (ended.token, ended.exit_status) == ("token-1", status)


def test_a_batch_job_runs_until_it_ends(subject, backend):
    backend.create(subject.spec(service="batch", parameters={"script": "sleep 600"}))
    assert subject.wait_for(backend, "ws-1", RUNNING).exit_status is None


def test_figures_of_a_real_running_machine(real_backend, real_running):
    figures = real_backend.figures("ws-1")
    assert figures.cpu_seconds > 0
    assert 2**20 < figures.memory_bytes < 2**28
    assert figures.processes >= 1
    assert figures.home_bytes < 2**20


def test_machines_are_told_apart(subject, backend, running):
    backend.create(subject.spec("ws-2", "token-2"))
    subject.wait_for(backend, "ws-2", RUNNING)
    assert [(seen.workspace, seen.token) for seen in backend.list_machines()] == [
        ("ws-1", "token-1"),
        ("ws-2", "token-2"),
    ]
    backend.destroy("ws-2")
    assert backend.list_machines() == (running,)


@pytest.fixture
def waiting(subject, backend):
    if not backend.capabilities.warm:
        with pytest.raises(Conflict):
            backend.claim(subject.spec())
        pytest.fail("every backend under test can make machines ready; change this when one cannot")
    backend.create(subject.spec(anonymous=True))
    seen = subject.wait_for(backend, "ws-1", RUNNING)
    assert seen.anonymous
    assert not seen.outdated
    return seen


def claimed(subject, backend, **wanted):
    backend.claim(subject.spec(**wanted))
    until = time.monotonic() + 10
    while (seen := backend.observe("ws-1")).anonymous:
        assert time.monotonic() < until, seen
        time.sleep(0.01)
    return seen


def test_a_machine_made_for_nobody_is_claimed_once(subject, backend, waiting):
    assert backend.list_machines() == (waiting,)
    seen = claimed(subject, backend)
    assert (seen.state, seen.token, seen.anonymous) == (RUNNING, "token-1", False)
    backend.claim(subject.spec())
    backend.create(subject.spec(anonymous=True))
    assert backend.observe("ws-1") == seen
    assert subject.open().observe("ws-1") == seen


def test_only_the_token_it_was_made_by_claims_a_machine(subject, backend, waiting):
    backend.claim(subject.spec(token="token-2"))
    backend.claim(subject.spec("ws-2"))
    time.sleep(0.2)
    assert backend.observe("ws-1") == waiting
    assert backend.observe("ws-2").state == ABSENT


def test_a_claim_of_a_machine_that_is_somebodys_changes_nothing(subject, backend, running):
    backend.claim(subject.spec())
    assert backend.observe("ws-1") == running
    backend.destroy("ws-1")
    backend.claim(subject.spec())
    assert backend.observe("ws-1").state == ABSENT


def test_a_machine_made_for_nobody_ends_like_any(subject, backend, waiting):
    backend.stop("ws-1")
    assert subject.wait_for(backend, "ws-1", STOPPED).token == "token-1"
    backend.claim(subject.spec())
    assert backend.observe("ws-1").state == STOPPED
    backend.start(subject.spec(token="token-2"))
    again = subject.wait_for(backend, "ws-1", RUNNING)
    assert (again.token, again.anonymous) == ("token-2", False)
    backend.destroy("ws-1")
    backend.forget_home("ws-1")
    assert backend.list_machines() == ()


def test_another_process_of_the_platform_sees_and_ends_the_same_machines(subject, running):
    other = subject.open()
    assert other.observe("ws-1") == running
    other.destroy("ws-1")
    assert subject.open().list_machines() == ()


def test_a_machine_that_cannot_be_is_refused_and_leaves_nothing(real, real_backend):
    for wrong, error in (
        ({"environment": "no-such"}, NotFound),
        ({"memory_bytes": 2**60}, LimitExceeded),
        ({"vcpu": 0}, InvalidInput),
        ({"service": "terminal"}, InvalidInput),
    ):
        with pytest.raises(error):
            real_backend.create(real.spec(**wrong))
        assert real_backend.observe("ws-1").state == ABSENT, wrong


def test_doctor_says_what_to_do_about_each_lack(backend):
    findings = backend.doctor()
    assert findings
    assert all(finding.detail and (finding.good or finding.todo) for finding in findings if finding.what != "hibernate")


def test_capabilities_tell_how_strong_they_are(backend):
    assert backend.name
    assert backend.capabilities.isolation
    assert backend.capabilities.limits
