"""A backend that only pretends, in virtual time, with every fault a real one could have."""

from atoll.providers.simulator.backend import SimulatedBackend
from atoll.providers.simulator.faults import Fault, Faults, NoFaults, ProcessDied, SeededFaults

__all__ = ["Fault", "Faults", "NoFaults", "ProcessDied", "SeededFaults", "SimulatedBackend"]
