"""The verb that says how much scores hang on single slices or objects: intervals."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import INTEGER_WORD, NAME_WORD, integer, integers, length, names
from .listing import AddVerb, print_json
from .outputs import check_outputs, check_table
from .running import progress_bar
from .terminal import say


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this module."""
    verb = add("intervals", show_intervals, "bootstrap scores over slices or objects")
    verb.add_argument("prediction", metavar="PREDICTION", help="label file")
    verb.add_argument("reference", metavar="REFERENCE", help="label file held to be true")
    verb.add_argument(
        "--over", choices=("slices", "objects"), default="slices", help="default: slices"
    )
    verb.add_argument(
        "--axis", metavar="N", type=integer, default=0, help="along which slices follow; default 0"
    )
    verb.add_argument(
        "--metrics",
        metavar="NAME",
        type=names,
        action="extend",
        help="overlap metrics, for slices; default dice, iou, precision, recall",
    )
    verb.add_argument(
        "--ignore",
        metavar="L",
        type=integers,
        action="extend",
        default=[],
        help="reference label to leave out; several as 0,255 or 0 255",
    )
    verb.add_argument(
        "--confidence", metavar="X", type=length, default=0.95, help="default 0.95, for 95 %%"
    )
    verb.lists = {"--metrics": NAME_WORD, "--ignore": INTEGER_WORD}
    form = verb.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--csv", metavar="FILE", type=Path, help="write the table to a file")


def show_intervals(arguments: argparse.Namespace) -> None:
    """`intervals`: a table of scores with their confidence intervals."""
    from ..metrics.statistics.score_intervals import score_intervals

    if arguments.csv is not None:
        check_table(arguments.csv)
        check_outputs([arguments.csv], [arguments.prediction, arguments.reference])
    chosen = {} if arguments.metrics is None else {"metrics": arguments.metrics}
    with progress_bar() as progress:
        found = score_intervals(
            arguments.prediction,
            arguments.reference,
            over=arguments.over,
            axis=arguments.axis,
            ignore=tuple(arguments.ignore),
            confidence=arguments.confidence,
            progress=progress,
            **chosen,
        )
    if arguments.json:
        print_json(found.to_dict())
    elif arguments.csv is not None:
        found.to_csv(arguments.csv)
    else:
        say(found.to_markdown())
