"""Verbs that compute: run and demo."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ParameterError
from ..method import Method
from ..progress import Progress
from ..registry import get_method, methods
from .arguments import VerbParser, integer
from .listing import AddVerb, constraint, option
from .outputs import check_outputs, summary, write_result
from .terminal import say

# Lets a setting be told from the pipeline's own options in the parsed arguments.
_SETTING = "setting:"


def add_verbs(add: AddVerb, words: Sequence[str]) -> None:
    """Declare the verbs of this module; `words` say which method's options are needed."""
    run = add("run", run_method, "segment an image with a method and write the labels")
    run.usage = "%(prog)s METHOD IMAGE [options] -o OUT"
    run.add_argument("method", metavar="METHOD", help="method id, as `methods` lists them")
    run.add_argument("image", metavar="IMAGE", help="image file")
    run.add_argument("-o", "--output", metavar="OUT", required=True, help="label file to write")
    add_channel_axis(run)
    add_device(run)
    run.add_argument(
        "--rng",
        metavar="N",
        type=integer,
        default=0,
        help="seed of methods that draw random numbers",
    )
    run.add_argument(
        "--frames",
        metavar="HOW",
        default="each",
        help="time points of a series: each, together, or as channels",
    )
    named = _method_named(words)
    if named is not None:
        _add_method_options(run, named)
    demo = add("demo", run_demo, "segment the bundled brain and measure the result")
    demo.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        type=Path,
        default=Path("segsuite-demo"),
        help="folder to write to",
    )


def add_channel_axis(parser: argparse.ArgumentParser) -> None:
    """Declare the option that says which axis of an image holds channels."""
    parser.add_argument(
        "--channel-axis", metavar="N", type=integer, help="axis that holds channels"
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Declare the option that says where to compute."""
    parser.add_argument(
        "--device", metavar="D", default="auto", help="auto, cpu, cuda, cuda:1, mps"
    )


def run_method(arguments: argparse.Namespace) -> None:
    """`run`: labels with the geometry of the image, and extra outputs where asked."""
    from .. import jobs
    from ..io.formats import format_of

    method = get_method(arguments.method)
    settings = _settings(method, arguments)
    extras = _extras(method, arguments.extra)
    inputs = {
        entry.name: getattr(arguments, entry.name)
        for entry in method.inputs
        if getattr(arguments, entry.name) is not None
    }
    outputs = (*extras.values(), arguments.output)
    for path in outputs:
        format_of(path)
    check_outputs(outputs, list(inputs.values()))
    with progress_bar() as progress:
        result = jobs.run(
            method,
            **inputs,
            channel_axis=arguments.channel_axis,
            device=arguments.device,
            rng=arguments.rng,
            frames=arguments.frames,
            extras=tuple(extras),
            progress=progress,
            **settings,
        )
    write_result(arguments.output, result, extras)
    say(f"{arguments.output}: {summary(result)}")


def run_demo(arguments: argparse.Namespace) -> None:
    """`demo`: the main job on the bundled brain."""
    from .. import demo

    with progress_bar() as progress:
        outcome = demo.run(arguments.output, progress)
    say(outcome.to_text())


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on standard error, where that is a terminal."""
    from tqdm import tqdm

    with tqdm(
        total=100,
        disable=not sys.stderr.isatty(),
        leave=False,
        bar_format="{l_bar}{bar}| {elapsed}",
    ) as bar:

        def show(fraction: float, message: str = "") -> None:
            bar.set_description_str(message, refresh=False)
            bar.update(100 * fraction - bar.n)

        yield show


def _method_named(words: Sequence[str]) -> Method | None:
    """The method that ``run METHOD …`` names; None when the words name none."""
    if "run" not in words[:2]:
        return None
    rest = words[words.index("run") + 1 :]
    known = {method.id for method in methods()}
    # Options may stand before the method.
    named = next((word for word in rest if word in known), rest[0] if rest else "-")
    return None if named.startswith("-") else get_method(named)


def _add_method_options(run: VerbParser, method: Method) -> None:
    run.description = f"{method.title}: {method.summary}"
    for entry in method.inputs[1:]:
        run.add_argument(
            f"--{entry.name}", metavar="F", required=entry.required, help=_literal(entry.help)
        )
    run.add_argument(
        "--extra",
        metavar="NAME=FILE",
        action="append",
        default=[],
        help=f"write a further output: {', '.join(method.extras) or 'this method has none'}",
    )
    settings = run.add_argument_group(f"settings of {method.title}")
    for param in method.params:
        spellings = dict.fromkeys((option(param), f"--{param.name}"))
        settings.add_argument(
            *spellings,
            dest=_SETTING + param.name,
            metavar=param.kind.upper(),
            help=_literal(f"{param.help} ({constraint(param)})"),
        )


def _settings(method: Method, arguments: argparse.Namespace) -> dict[str, Any]:
    typed = vars(arguments)
    return {
        param.name: param.from_text(typed[_SETTING + param.name], method.title)
        for param in method.params
        if typed[_SETTING + param.name] is not None
    }


def _extras(method: Method, requests: Sequence[str]) -> Mapping[str, str]:
    pairs = [request.partition("=") for request in requests]
    for name, _, path in pairs:
        if name not in method.extras or not path:
            raise ParameterError(
                f"expected --extra NAME=FILE with a name among "
                f"{', '.join(method.extras) or 'none: this method has no extra outputs'}, "
                f"got {name!r}"
            )
    paths = {name: path for name, _, path in pairs}
    if len(paths) < len(pairs):
        raise ParameterError("expected each --extra once, got one of them twice; leave one out")
    return paths


def _literal(text: str) -> str:
    return text.replace("%", "%%")
