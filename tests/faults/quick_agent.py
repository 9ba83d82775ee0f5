"""`fucai terminal`, as shipped, but with short waits: `python -m tests.faults.quick_agent terminal run ...`.

A real agent waits up to a minute before it tries the collector again, and two for a receipt: too long for a test.
"""

from __future__ import annotations

from functools import partial

from fucai.cli.__main__ import main
from fucai.terminal.agent import process
from fucai.terminal.agent.agent import AgentOptions
from fucai.terminal.agent.machine import Policy

QUICK = Policy(first_wait_ms=50, longest_wait_ms=400, longest_asked_ms=1_000, stall_ms=2_000)

if __name__ == "__main__":
    vars(process)["AgentOptions"] = partial(AgentOptions, policy=QUICK)
    main()
