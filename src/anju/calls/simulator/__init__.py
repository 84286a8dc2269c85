"""The telephone engine without telephones: the same port, in process, with the awkward behaviours of the real one.

`World` is what a telephone exchange is: legs, bridges, people who lift or do not. It outlives a switchboard. `Simulator`
is one switchboard's connection to it. Time is `kernel.clock`: a test moves it and calls `tick()`.
"""

from anju.calls.simulator.engine import Simulator
from anju.calls.simulator.robot import RobotLine
from anju.calls.simulator.world import World

__all__ = ["RobotLine", "Simulator", "World"]
