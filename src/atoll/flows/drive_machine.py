"""The steps of the operations on a workspace.

Each step looks at the machine again and again until it is as the step wants it, asking
the backend on the way. An answer that is lost means that nothing is known: the next
look tells. At every turn the step makes sure that it still may: the operation is ours,
nobody cancelled it, and the wish is the one it was opened for. A newer wish ends it
there; the next operation goes on from what is true then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from atoll.errors import Conflict, Unavailable
from atoll.flows.observe_machine import backend_of, look, note, transition
from atoll.flows.resource_ledger import matched, reserve
from atoll.flows.rooms import Rooms
from atoll.flows.surroundings import Surroundings
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.model.workspace import MachineState, Observed, Workspace
from atoll.operations import StepContext
from atoll.operations.live import Cancelled, DeadlinePassed, LeaseLost
from atoll.ports.backend import Backend, MachineSpec, Observation
from atoll.ports.records import Put
from atoll.workspaces.lifecycle import STEP_SECONDS, Task

_S = MachineState
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.25
#: A step keeps its worker for so long; then it gives it back between two looks, and holds nobody up.
_STAY_SECONDS = 3.0
_PARK_SECONDS = 1.0
#: An order that shows no effect is given again after this time; sooner when its answer was lost.
_AGAIN_SECONDS = 15.0
_AGAIN_AFTER_LOSS_SECONDS = 2.0
#: A machine that was there may be missing from an answer for so long before it counts as gone.
_MISSING_SECONDS = 10.0

Reached = Callable[[Observation], bool]
Act = Callable[[Workspace, Observation], None]


class Drive:
    """One operation at work on one workspace."""

    def __init__(self, rooms: Rooms, around: Surroundings, context: StepContext, step: str) -> None:
        self.rooms = rooms
        self.around = around
        self.context = context
        #: What the step knew when it gave its worker back.
        notes = context.output(step)
        self._asked: dict[str, tuple[float, bool]] = {k: (at, ok) for k, (at, ok) in notes.get("asked", {}).items()}
        self._missing_since: float | None = notes.get("missing_since")
        self._begun: float = notes.get("begun", self._seconds())
        self._limit_seconds = STEP_SECONDS[Task(context.operation.story)]
        self._stay_until = 0.0 if notes else self._seconds() + _STAY_SECONDS

    def guard(self) -> Workspace:
        """A safe point: the workspace, if this operation may go on. Else raises what ends it here."""
        self.context.check()
        mine = self.context.operation
        stored = self.rooms.operations.get(mine.id)
        if stored.lease is None or mine.lease is None or stored.lease.owner != mine.lease.owner:
            raise LeaseLost
        if stored.cancel_requested:
            raise Cancelled("The operation was cancelled.", where=f"operation/{mine.id}")
        workspace = self.rooms.records.get(Workspace, mine.params["workspace"])
        if workspace.generation != mine.params["generation"]:
            raise _give_way(f"A newer wish came in between: {workspace.desired_because or workspace.desired.value}.")
        return workspace

    def until(self, reached: Reached, act: Act) -> Observation:
        """Look until `reached`, giving `act` its turn after each look that does not."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            workspace = self.guard()
            seen = look(self.rooms, workspace)
            workspace = note(self.rooms, workspace, seen)
            if reached(seen):
                return seen
            act(workspace, seen)
            if self._seconds() - self._begun >= self._limit_seconds:
                raise DeadlinePassed(
                    f"The machine was not as wanted within {self._limit_seconds:.0f} s; it is {seen.state.value}.",
                    where=f"workspace/{workspace.id}",
                    todo="See the workspace's log.",
                )
            if self._seconds() >= self._stay_until:
                self.context.park(_PARK_SECONDS, self._notes())
            self.context.wait(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)

    def answered(self, what: str) -> bool:
        """Whether the backend took the order the last time it was given in this step."""
        return what in self._asked and self._asked[what][1]

    def ask(self, what: str, order: Callable[[], None]) -> None:
        """Give the backend an order, unless it was given lately."""
        now = self._seconds()
        if what in self._asked:
            at, answered = self._asked[what]
            if now - at < (_AGAIN_SECONDS if answered else _AGAIN_AFTER_LOSS_SECONDS):
                return
        self._asked[what] = (now, False)
        try:
            order()
        except Unavailable as error:
            self.context.say(f"The answer to {what} was lost; the machine is looked at again.", error=error.what)
            return
        self._asked[what] = (now, True)

    def really_missing(self, seen: Observation) -> bool:
        """Whether the machine has been missing for long enough, in this step, to be gone."""
        if seen.state is not _S.ABSENT:
            self._missing_since = None
            return False
        if self._missing_since is None:
            self._missing_since = self._seconds()
        return self._seconds() - self._missing_since >= _MISSING_SECONDS

    def settle(self, token: str | None, *, size: str | None = None) -> None:
        """The wish is met: ledger and workspace say so, in one transaction."""
        workspace = self.guard()
        met = workspace.but(observed_generation=workspace.generation)
        self.rooms.records.transact([Put(met), *matched(self.rooms, workspace, token, size=size)])

    def backend(self, workspace: Workspace) -> Backend:
        """The workspace's backend."""
        return backend_of(self.rooms, workspace)

    def _notes(self) -> Mapping[str, Any]:
        return {"asked": self._asked, "missing_since": self._missing_since, "begun": self._begun}

    def _seconds(self) -> float:
        return self.rooms.clock.now().timestamp()


def reserve_machine(drive: Drive) -> Mapping[str, Any]:
    """The ledger row stands before the backend is asked for anything."""
    seen = drive.until(lambda o: o.state is not _S.UNKNOWN, lambda _w, _o: None)
    workspace = drive.guard()
    if seen.state in (_S.STARTING, _S.RUNNING) and seen.token is not None:
        ready = "A machine was made ready before; it is given to its owner."
        drive.context.say(ready if seen.anonymous else "A machine is there already; it is taken over.")
        drive.rooms.records.transact(matched(drive.rooms, workspace, seen.token))
        return {"token": seen.token, "taken_over": True}
    row = reserve(drive.rooms, workspace, drive.context.operation.id, seen.token)
    return {"token": row.id}


def start_machine(drive: Drive) -> Mapping[str, Any]:
    """The machine is there, with its processes starting."""
    token: str = drive.context.output("reserve")["token"]

    def spec(workspace: Workspace) -> MachineSpec:
        return drive.around.prepare(workspace, token, f"operation/{drive.context.operation.id}")

    def act(workspace: Workspace, seen: Observation) -> None:
        if seen.state is _S.FROZEN:
            raise _give_way("The machine is hibernated; it is to be woken.")
        if seen.state is _S.ABSENT:
            drive.ask("create", lambda: drive.backend(workspace).create(spec(workspace)))
        elif seen.state is _S.STOPPED and seen.token == token:
            raise _stopped_early(workspace, seen)
        elif seen.state is _S.STOPPED:
            drive.ask("start", lambda: drive.backend(workspace).start(spec(workspace)))
        elif seen.anonymous:
            drive.ask("claim", lambda: drive.backend(workspace).claim(spec(workspace)))

    def there(seen: Observation) -> bool:
        return seen.state in (_S.STARTING, _S.RUNNING) and not seen.anonymous

    seen = drive.until(lambda o: there(o) or _ended(o, token), act)
    return {"token": seen.token}


def await_answer(drive: Drive) -> Mapping[str, Any]:
    """The service inside has answered, or the job inside has ended."""
    token: str = drive.context.output("reserve")["token"]

    def act(workspace: Workspace, seen: Observation) -> None:
        if seen.state is _S.FROZEN:
            raise _give_way("The machine is hibernated; it is to be woken.")
        if seen.state is _S.STOPPED or drive.really_missing(seen):
            raise _stopped_early(workspace, seen)

    seen = drive.until(lambda o: o.state is _S.RUNNING or _ended(o, token), act)
    return {"token": seen.token}


def settle_start(drive: Drive) -> Mapping[str, Any]:
    """Ledger and workspace say that it runs."""
    drive.settle(drive.context.output("answer")["token"])
    return {}


def thaw_machine(drive: Drive) -> Mapping[str, Any]:
    """Its processes go on and its service answers."""

    def act(workspace: Workspace, seen: Observation) -> None:
        if seen.state is _S.FROZEN:
            drive.ask("thaw", lambda: drive.backend(workspace).thaw(workspace.id))
        elif seen.state is _S.STOPPED or drive.really_missing(seen):
            raise _give_way(f"It cannot be woken and is to be started. {seen.detail}".strip())

    return {"token": drive.until(lambda o: o.state is _S.RUNNING, act).token}


def freeze_machine(drive: Drive) -> Mapping[str, Any]:
    """Its processes stand still."""

    def act(workspace: Workspace, seen: Observation) -> None:
        if seen.anonymous:
            # It was never given to its owner, so there is nothing in its memory to keep.
            drive.ask("stop", lambda: drive.backend(workspace).stop(workspace.id))
        elif seen.state is _S.RUNNING:
            drive.ask("freeze", lambda: drive.backend(workspace).freeze(workspace.id))
        elif seen.state is _S.STOPPED or drive.really_missing(seen):
            raise _give_way(f"There is no memory to keep. {seen.detail}".strip())

    return {"token": drive.until(lambda o: o.state is _S.FROZEN, act).token}


def stop_machine(drive: Drive) -> Mapping[str, Any]:
    """Its processes have ended; the home stays."""

    def act(workspace: Workspace, seen: Observation) -> None:
        if seen.state is not _S.UNKNOWN and not drive.really_missing(seen):
            drive.ask("stop", lambda: drive.backend(workspace).stop(workspace.id))

    # `absent` may be an answer from before: the order is given all the same, and is no error then.
    seen = drive.until(lambda o: o.state is _S.STOPPED or drive.really_missing(o), act)
    drive.around.release(drive.guard())
    return {"token": seen.token}


def resize_machine(drive: Drive) -> Mapping[str, Any]:
    """Its limits are those of the size that is wanted."""

    def order(workspace: Workspace) -> None:
        size = drive.rooms.catalog.size(workspace.size)
        drive.backend(workspace).resize(workspace.id, vcpu=size.vcpu, memory_bytes=size.memory_bytes)

    def act(workspace: Workspace, seen: Observation) -> None:
        if seen.state in (_S.STOPPED, _S.FROZEN, _S.ABSENT):
            raise _give_way("It runs no more, so it gets its size when it starts.")
        if seen.state is _S.RUNNING:
            drive.ask("resize", lambda: order(workspace))

    seen = drive.until(lambda o: o.state is _S.RUNNING and drive.answered("resize"), act)
    return {"token": seen.token, "size": drive.guard().size}


def settle_resize(drive: Drive) -> Mapping[str, Any]:
    """Ledger and workspace say which size it has."""
    output = drive.context.output("resize")
    drive.settle(output["token"], size=output["size"])
    return {}


def settle_as(step: str) -> Callable[[Drive], Mapping[str, Any]]:
    """Ledger and workspace say what the step has reached."""

    def settle(drive: Drive) -> Mapping[str, Any]:
        drive.settle(drive.context.output(step)["token"])
        return {}

    return settle


def destroy_machine(drive: Drive) -> Mapping[str, Any]:
    """Nothing of the machine is left but its home. Asked for in any state, also an unknown one."""

    def act(workspace: Workspace, _seen: Observation) -> None:
        drive.ask("destroy", lambda: drive.backend(workspace).destroy(workspace.id))

    # Also when nothing is seen: an order to make it may be under way.
    drive.until(lambda o: o.state is _S.ABSENT and drive.answered("destroy"), act)
    return {}


def forget_home(drive: Drive) -> Mapping[str, Any]:
    """The home is removed for good, as its owner wanted."""

    def act(workspace: Workspace, _seen: Observation) -> None:
        drive.ask("forget_home", lambda: drive.backend(workspace).forget_home(workspace.id))

    drive.until(lambda _o: drive.answered("forget_home"), act)
    drive.around.release(drive.guard())
    return {}


def settle_termination(drive: Drive) -> Mapping[str, Any]:
    """The workspace is gone, and the ledger holds nothing of it but orders that may be under way."""
    workspace = drive.guard()
    if workspace.terminated_at is not None:
        # The end once more, after a grace: an order from before may have taken effect after the first.
        drive.rooms.records.transact(matched(drive.rooms, workspace, None, for_good=True))
        return {}
    now = drive.rooms.clock.now()
    gone = workspace.but(
        terminated_at=now,
        observed=Observed(state=_S.ABSENT, at=now),
        observed_generation=workspace.generation,
    )
    drive.rooms.audit.record(
        AuditEvent(
            action="workspace.end",
            target=f"workspace/{workspace.id}",
            caller=PLATFORM,
            because=f"operation/{drive.context.operation.id}",
            details={"wanted_because": workspace.desired_because},
        ),
        Put(gone),
        transition(workspace, "terminated", workspace.desired_because, now),
        *matched(drive.rooms, workspace, None),
    )
    return {}


def _ended(seen: Observation, token: str) -> bool:
    return seen.state is _S.STOPPED and seen.token == token and seen.exit_status is not None


def _give_way(why: str) -> Cancelled:
    return Cancelled(f"{why} What is to be done is decided anew.")


def _stopped_early(workspace: Workspace, seen: Observation) -> Conflict:
    return Conflict(
        f"The machine ended before it answered. {seen.detail}".strip(),
        where=f"workspace/{workspace.id}",
        todo="See the workspace's log.",
    )
