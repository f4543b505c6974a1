import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from seedbed.dashboard import hub as hub_module
from seedbed.dashboard.hub import Hub, Latest
from seedbed.dashboard.pool import Pool


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(hub_module, "TICK_S", 0.02)
    monkeypatch.setattr(hub_module, "PING_S", 0.2)


def parsed(event):
    lines = dict(line.split(": ", 1) for line in event.strip().split("\n"))
    return lines["event"], json.loads(lines["data"])


async def take(events, wanted, number):
    """The data of the next `number` events named `wanted`."""
    found = []
    async for event in events:
        name, data = parsed(event)
        if name == wanted:
            found.append(data)
            if len(found) == number:
                return found
    return found


def with_hub(scenario):
    async def main():
        hub = Hub()
        hub.start(asyncio.get_running_loop())
        try:
            await asyncio.wait_for(scenario(hub), 20)
        finally:
            hub.stop()

    with ThreadPoolExecutor(1) as thread:  # where a browser is driven, this thread has a loop that runs
        thread.submit(asyncio.run, main()).result()


def test_what_many_watch_is_made_once():
    made = []

    def make():
        made.append(threading.get_ident())
        return f"version {min(len(made), 3)}"

    async def scenario(hub):
        viewers = [hub.events("page", lambda: Latest("part", make)) for _ in range(20)]
        told = await asyncio.gather(*(take(viewer, "part", 1) for viewer in viewers))
        assert {parts[-1] for parts in told} <= {"version 1", "version 2", "version 3"}
        assert hub.num_topics == 1
        # Twenty viewers came at once: there was a look at their coming, and one a tick, but none for each.
        assert len(made) < 20

    with_hub(scenario)


def test_a_viewer_is_told_of_changes_alone():
    values = iter(["a", "a", "a", "b", "b", "c"])
    last = ["c"]

    def make():
        last[0] = next(values, last[0])
        return last[0]

    async def scenario(hub):
        assert await take(hub.events("x", lambda: Latest("part", make)), "part", 3) == ["a", "b", "c"]

    with_hub(scenario)


def test_a_viewer_who_comes_back_is_told_only_what_is_newer():
    async def scenario(hub):
        def make():
            return Latest("part", lambda: "same")

        seen = 0
        async for event in hub.events("x", make):
            if parsed(event)[0] == "part":
                seen = int(event.partition("id: ")[2].partition("\n")[0])
                break
        names = []
        async for event in hub.events("x", make, seen):
            names.append(parsed(event)[0])
            if len(names) == 3:
                break
        assert "part" not in names
        assert "ping" in names

    with_hub(scenario)


def test_a_viewer_who_comes_back_to_a_server_that_was_started_anew_is_told():
    before = Latest("part", lambda: "old")
    for number in range(3):
        before._make = lambda number=number: f"old {number}"
        before.look()
    time.sleep(0.01)
    after = Latest("part", lambda: "new")
    after.look()
    assert [news.data for news in after.since(before.number)] == ["new"]


def test_a_fault_is_told_and_its_end_as_well():
    is_broken = [True]

    def make():
        if is_broken[0]:
            raise ValueError("no store")
        return "fine"

    async def scenario(hub):
        events = hub.events("x", lambda: Latest("part", make))
        assert (await take(events, "fault", 1))[0]["message"] == "no store"
        is_broken[0] = False
        events = hub.events("x", lambda: Latest("part", make))
        assert await take(events, "part", 1) == ["fine"]

    with_hub(scenario)


def test_one_topic_that_hangs_holds_up_no_other():
    release = threading.Event()

    async def scenario(hub):
        stuck = hub.events("stuck", lambda: Latest("part", release.wait))
        waiting = asyncio.create_task(take(stuck, "part", 1))
        assert await take(hub.events("other", lambda: Latest("part", lambda: "here")), "part", 1) == ["here"]
        assert not waiting.done()
        release.set()
        assert await waiting == [True]

    with_hub(scenario)


def test_a_look_that_takes_too_long_is_told_until_it_comes(monkeypatch):
    monkeypatch.setattr(hub_module, "LATE_AFTER_S", 0.1)
    release = threading.Event()

    async def scenario(hub):
        events = hub.events("slow", lambda: Latest("part", lambda: release.wait(10) and "here"))
        assert (await take(events, "fault", 1))[0]["message"] == hub_module.LATE
        release.set()
        told = []
        async for event in hub.events("slow", lambda: pytest.fail("it is there")):
            name, data = parsed(event)
            told += [data] if name == "part" else [data["message"]] if name == "fault" else []
            if {"here", None} <= set(told):
                return
        pytest.fail("the fault was never taken back")

    with_hub(scenario)


def test_who_left_during_a_fault_and_comes_back_after_it_is_told_that_it_is_over():
    is_broken = [True]

    def make():
        if is_broken[0]:
            raise ValueError("no store")

    async def scenario(hub):
        def events():
            return hub.events("x", lambda: Latest("part", make))

        leaves = events()
        assert (await take(leaves, "fault", 1))[0]["message"] == "no store"
        await leaves.aclose()
        is_broken[0] = False
        async for event in events():  # somebody else sees the end of it
            name, data = parsed(event)
            if name == "fault" and data["message"] is None:
                break
        assert (await take(events(), "fault", 1))[0]["message"] is None

    with_hub(scenario)


def test_of_what_was_not_looked_at_yet_nobody_is_told_that_it_is_well():
    release = threading.Event()

    def make():
        release.wait(10)
        raise ValueError("no store")

    async def scenario(hub):
        waiting = asyncio.create_task(take(hub.events("x", lambda: Latest("part", make)), "fault", 1))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        release.set()
        assert (await waiting)[0]["message"] == "no store"

    with_hub(scenario)


def test_topics_of_one_store_that_hang_hold_up_no_other_stores(monkeypatch):
    release, pools = threading.Event(), [Pool("one", 2), Pool("other", 2)]

    async def scenario(hub):
        stuck = [
            asyncio.create_task(
                take(hub.events(f"stuck {n}", lambda: Latest("part", release.wait), pool=pools[0]), "part", 1)
            )
            for n in range(hub_module.NUM_THREADS + 1)
        ]
        await asyncio.sleep(0.1)
        for pool in (pools[1], None):
            events = hub.events(f"free {pool}", lambda: Latest("part", lambda: "here"), pool=pool)
            assert await take(events, "part", 1) == ["here"]
        release.set()
        assert await asyncio.gather(*stuck) == [[True]] * len(stuck)

    with_hub(scenario)


def test_what_is_old_is_not_told_before_it_was_looked_at_again(monkeypatch):
    monkeypatch.setattr(hub_module, "OLD_AFTER_S", 0.1)
    values, hangs, release = ["old", "new"], [False], threading.Event()

    def make():
        if hangs[0]:
            release.wait(10)
        return values[0]

    async def scenario(hub):
        events = hub.events("x", lambda: Latest("part", make))
        assert await take(events, "part", 1) == ["old"]
        await events.aclose()
        await asyncio.sleep(0.2)
        hangs[0] = True
        waiting = asyncio.create_task(take(hub.events("x", lambda: Latest("part", make)), "part", 1))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        values.pop(0)
        release.set()
        assert await waiting == ["new"]

    with_hub(scenario)


def test_what_nobody_watches_is_not_made():
    made = []

    async def scenario(hub):
        def make():
            return Latest("part", lambda: made.append(1) or "x")

        events = hub.events("x", make)
        assert await take(events, "part", 1) == ["x"]
        await events.aclose()
        await asyncio.sleep(0.1)
        before = len(made)
        await asyncio.sleep(0.3)
        assert len(made) == before

    with_hub(scenario)
