"""Verbs that tell what there is: methods, info, samples, doctor."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..method import FAMILIES, Method
from ..params import Param
from ..registry import get_method, methods
from .arguments import VerbParser
from .terminal import say

AddVerb = Callable[..., VerbParser]


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this module."""
    _json(add("methods", show_methods, "list the segmentation methods"))
    info = _json(add("info", show_method, "tell all about one method"))
    info.add_argument("method", metavar="METHOD", help="method id, as `methods` lists them")
    samples = _json(add("samples", show_samples, "list the sample data, or write it to a folder"))
    samples.add_argument("name", metavar="NAME", nargs="?", help="sample to write")
    samples.add_argument("-o", "--output", metavar="DIR", type=Path, help="folder to write to")
    _json(add("doctor", show_doctor, "check this installation"))


def show_methods(arguments: argparse.Namespace) -> None:
    """`methods`: one line per method, by family."""
    known = methods()
    if arguments.json:
        print_json([describe(method) for method in known])
        return
    width = max(len(method.id) for method in known)
    family = ""
    for method in known:
        if method.family != family:
            say(FAMILIES[method.family])
            family = method.family
        say(f"  {method.id:{width}}  {method.summary}")


def show_method(arguments: argparse.Namespace) -> None:
    """`info`: what a method does, takes and returns."""
    method = get_method(arguments.method)
    if arguments.json:
        print_json(describe(method))
        return
    say(f"{method.title} ({method.id}) – {FAMILIES[method.family]}\n")
    for text in filter(None, (method.summary, method.description)):
        say(f"{textwrap.fill(' '.join(text.split()), 88)}\n")
    _section(
        "Inputs", ((entry.name, _needed(entry.required), entry.help) for entry in method.inputs)
    )
    _section(
        "Settings", ((option(param), constraint(param), param.help) for param in method.params)
    )
    if method.extras:
        say(f"Extra outputs: {', '.join(method.extras)}\n")
    say(f"Devices: {', '.join(method.devices)}")
    say(f"References: {', '.join(method.references)}")


def show_samples(arguments: argparse.Namespace) -> None:
    """`samples`: the bundled data, or a copy of it."""
    from .. import samples

    if arguments.name is None:
        known = [{"name": name, "about": samples.about(name)} for name in samples.names()]
        if arguments.json:
            print_json(known)
        else:
            for entry in known:
                say(f"{entry['name']}  {entry['about']}")
        return
    written = samples.write(arguments.name, arguments.output or Path())
    if arguments.json:
        print_json([str(path) for path in written])
    else:
        for path in written:
            say(path)


def show_doctor(arguments: argparse.Namespace) -> None:
    """`doctor`: versions, devices and what to mend."""
    from .doctor import examine

    findings = examine()
    if arguments.json:
        print_json(findings)
        return
    for section in ("system", "libraries", "devices"):
        say(section.capitalize())
        for name, value in findings[section].items():
            say(f"  {name:18} {value}")
    for problem in findings["problems"]:
        say(f"! {problem}")
    if not findings["problems"]:
        say("No problems found.")


def describe(method: Method) -> dict[str, Any]:
    """A method's declaration as plain data."""
    return {
        "id": method.id,
        "title": method.title,
        "family": method.family,
        "summary": method.summary,
        "description": method.description,
        "ndim": list(method.ndim),
        "channels": method.channels,
        "output": method.output,
        "inputs": [vars(entry) for entry in method.inputs],
        "params": [vars(param) | {"constraint": constraint(param)} for param in method.params],
        "extras": list(method.extras),
        "requires": list(method.requires),
        "devices": list(method.devices),
        "references": list(method.references),
    }


def option(param: Param) -> str:
    """The setting's name on the command line."""
    return "--" + param.name.replace("_", "-")


def constraint(param: Param) -> str:
    """What a value must be and what it is when not given."""
    default = ",".join(map(str, param.default)) if param.is_sequence else param.default
    physical = {"physical": "unit of the image", "physical³": "unit of the image cubed"}
    unit = physical.get(param.unit, param.unit)
    stated = (
        param.constraint if not unit or unit in param.constraint else f"{param.constraint} {unit}"
    )
    return f"{stated}; default {'empty' if default == '' else default}"


def print_json(value: Any) -> None:
    """Print one JSON document, the only thing on standard output."""
    # Escaped, since it has to be valid in any encoding.
    say(json.dumps(value, indent=2))


def _json(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _needed(required: bool) -> str:
    return "required" if required else "optional"


def _section(title: str, entries: Iterable[tuple[str, str, str]]) -> None:
    say(title)
    for name, kind, text in entries:
        say(f"  {name}: {kind}")
        say(textwrap.fill(text, 88, initial_indent="      ", subsequent_indent="      "))
    say("")
