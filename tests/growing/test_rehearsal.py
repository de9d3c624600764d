"""After a rehearsal in a process of its own, a live session has nothing to compile."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_segsuite import boxes, warmup
from napari_segsuite.compute import child_environment
from napari_segsuite.errors import Cancelled
from napari_segsuite.growing.live import GrowthPlan
from napari_segsuite.growing.rehearsal import script_of
from napari_segsuite.image import Image
from napari_segsuite.space import Space

# Sessions on views of larger arrays, as a region of an image in a window is one; printed is
# what numba found no compiled code for.
_SESSIONS = """
import json, sys
import numpy as np
from numba.core.dispatcher import Dispatcher
from napari_segsuite.growing.live import GrowthPlan, LiveGrowth
from napari_segsuite.image import Image
from napari_segsuite.space import Space

def live(shape, image, largest, channels, allowed, settings):
    rng = np.random.default_rng(0)
    box = tuple(slice(3, n - 2) for n in shape)
    planes = rng.integers(0, 200, (channels, *shape)).astype(image)
    data = planes[(slice(None), *box)] if channels > 1 else planes[0][box]
    space = Space.regular(data.ndim, channel_axis=0 if channels > 1 else None)
    mask = np.ones(shape, bool)[box] if allowed else None
    seeds = np.zeros(shape, np.int64)
    plan = GrowthPlan(Image(data, space), box, settings=settings, allowed=mask)
    growth = LiveGrowth(plan, np.zeros(shape, np.uint32))
    for step in range(12):
        place = tuple(int(rng.integers(part.start, part.stop - 2)) for part in box)
        size = 2 if step % 4 else 30
        seeds[tuple(slice(i, i + size) for i in place)] = (1, largest, 0)[step % 3]
        growth.follow(seeds)
        growth.adopt(growth.study())

for session in json.loads(sys.argv[1]):
    live(*session)
kernels = {
    f"{module.__name__}.{name}": found.stats
    for module in list(sys.modules.values()) if module.__name__.startswith("napari_segsuite")
    for name, found in vars(module).items() if isinstance(found, Dispatcher)
}
missed = [f"{name} {types}" for name, stats in kernels.items() for types in stats.cache_misses]
print(json.dumps([missed, sum(len(stats.cache_hits) for stats in kernels.values())]))
"""
_REHEARSALS = """
import json, sys
from napari_segsuite.growing.rehearsal import rehearse
for script in json.loads(sys.argv[1]):
    rehearse(script)
"""
_SESSIONS_ON = [
    ((30, 40, 50), "uint8", 2, 1, True, {"connectivity": 3}),
    ((60, 70), "float32", 300, 2, False, {"locality": 0.1}),
    ((30, 40, 50), "uint16", 2, 1, False, {"connectivity": 3, "guide": "auto"}),
]


def plan_for(
    shape: tuple[int, ...],
    image: str,
    largest: int,
    channels: int,
    allowed: bool,
    settings: dict[str, Any],
) -> tuple[GrowthPlan, np.ndarray]:
    data = np.zeros((channels, *shape) if channels > 1 else shape, image)
    space = Space.regular(data.ndim, channel_axis=0 if channels > 1 else None)
    plan = GrowthPlan(
        Image(data, space),
        boxes.whole(shape),
        settings=settings,
        allowed=np.ones(shape, bool) if allowed else None,
    )
    seeds = np.zeros(shape, np.int64)
    seeds.flat[0] = largest
    return plan, seeds


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        capture_output=True,
        text=True,
        env=child_environment(),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_session_after_a_rehearsal_compiles_nothing() -> None:
    first, *others = [script_of(*plan_for(*session)) for session in _SESSIONS_ON]
    run("-m", "napari_segsuite.growing.rehearsal", json.dumps(first))
    run("-c", _REHEARSALS, json.dumps(others))
    missed, n_found = json.loads(run("-c", _SESSIONS, json.dumps(_SESSIONS_ON)))
    assert missed == []
    assert n_found > 0


def test_script_names_all_that_decides_on_code() -> None:
    usual = ((6, 7, 8), "uint8", 2, 1, False, {"cost": "growcut"})
    changes = [
        ((6, 7), *usual[1:]),
        (usual[0], "float32", *usual[2:]),
        (*usual[:2], 256, *usual[3:]),
        (*usual[:2], 70_000, *usual[3:]),
        (*usual[:3], 2, *usual[4:]),
        (*usual[:4], True, usual[5]),
        (*usual[:5], {"cost": "slicer"}),
    ]
    scripts = [json.dumps(script_of(*plan_for(*each))) for each in [usual, *changes]]
    assert len(set(scripts)) == len(scripts)
    larger = ((60, 70, 80), *usual[1:])
    assert script_of(*plan_for(*larger)) == script_of(*plan_for(*usual))


# --- in a process of its own ----------------------------------------------------------
class Processes:
    """Starts processes that do something else instead of rehearsals."""

    def __init__(self) -> None:
        self.program = "pass"
        self.started: list[subprocess.Popen[bytes]] = []
        self._popen = subprocess.Popen

    def start(self, command: list[str], **keywords: Any) -> subprocess.Popen[bytes]:
        assert command[1:4] == ["-P", "-m", "napari_segsuite.growing.rehearsal"]
        assert json.loads(command[4])["method"] == "growcut"
        command = [sys.executable, "-I", "-S", "-c", self.program]
        self.started.append(self._popen(command, **keywords))
        return self.started[-1]


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Processes:
    processes = Processes()
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_: str(tmp_path))
    monkeypatch.setattr(warmup.subprocess, "Popen", processes.start)
    return processes


def test_each_kind_of_session_is_rehearsed_once(processes: Processes) -> None:
    usual = ((6, 7, 8), "uint8", 2, 1, False, {"connectivity": 1})
    sessions = [
        usual,
        (*usual[:2], 300, *usual[3:]),
        (*usual[:4], True, usual[5]),
        usual,
        (*usual[:5], {"connectivity": 3}),
    ]
    for session in sessions:
        warmup.prepare_growth(*plan_for(*session))
    assert len(processes.started) == 3


def test_failure_does_no_harm(processes: Processes) -> None:
    processes.program = "raise SystemExit(3)"
    warmup.prepare_growth(*plan_for(*_SESSIONS_ON[0]))
    assert processes.started[0].returncode == 3


def test_cancelled_rehearsals_end_at_once_and_are_made_up_for(processes: Processes) -> None:
    processes.program = "import time; time.sleep(60)"
    looks = []

    def cancel(_fraction: float, message: str = "") -> None:
        looks.append(message)
        if len(looks) > 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        warmup.prepare_growth(*plan_for(*_SESSIONS_ON[0]), cancel)
    assert looks == [warmup.MESSAGE] * 3
    assert processes.started[0].returncode not in (None, 0)
    processes.program = "pass"
    warmup.prepare_growth(*plan_for(*_SESSIONS_ON[0]))
    assert len(processes.started) == 2


def test_other_methods_are_prepared_as_in_their_forms(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = []
    monkeypatch.setattr(warmup, "prepare", lambda request, _progress: requests.append(request))
    plan, seeds = plan_for(*_SESSIONS_ON[0])
    warmup.prepare_growth(replace(plan, method="watershed", settings={}), seeds)
    assert [request.method for request in requests] == ["watershed"]
    assert processes.started == []
