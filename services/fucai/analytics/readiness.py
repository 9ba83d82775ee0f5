"""Whether analytics can answer: the store is there, is migrated, and has our time zone and currency."""

from __future__ import annotations

import asyncio

from fucai.analytics.store import Store, StoreAwayError, StoreSlowError
from fucai.analytics.texts import plain
from fucai.runtime.progress import Progress
from fucai.runtime.settings import ServiceSettings

WATCH_SECONDS = 2.0
_ANSWER_SECONDS = 10.0


async def watch_store(store: Store, settings: ServiceSettings, watching: Progress) -> None:
    """Asks the store every two seconds whether it can answer, and tells `watching`; ends when cancelled."""
    while True:
        problem = await problem_of(store, settings)
        if problem:
            watching.blocked(problem)
        else:
            watching.idle("answering")
        await asyncio.sleep(WATCH_SECONDS)


async def problem_of(store: Store, settings: ServiceSettings) -> str:
    """Why questions cannot be answered now; empty where they can."""
    try:
        rows = await store.asking(_ANSWER_SECONDS)(plain("settings"), {})
    except (StoreAwayError, StoreSlowError) as error:
        return str(error)
    found = {str(name): str(value) for name, value in rows}
    for name, ours in (("timezone", settings.timezone), ("currency", settings.currency)):
        if name not in found:
            return f"the store has no {name}: run `fucai migrate`"
        if found[name] != ours:
            return f"the store has {name} {found[name]}, configured is {ours}: set FUCAI_{name.upper()}={found[name]}"
    return ""
