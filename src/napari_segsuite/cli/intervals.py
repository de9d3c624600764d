"""The verb that says how much scores hang on single slices or objects: intervals."""

from __future__ import annotations

import argparse

from .arguments import INTEGER_WORD, NAME_WORD, integer, length, names
from .listing import AddVerb
from .outputs import check_reports
from .running import progress_bar
from .scores import add_form, add_ignore, tell


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
    add_ignore(verb)
    verb.add_argument(
        "--confidence", metavar="X", type=length, default=0.95, help="default 0.95, for 95 %%"
    )
    verb.lists = {"--metrics": NAME_WORD, "--ignore": INTEGER_WORD}
    add_form(verb)


def show_intervals(arguments: argparse.Namespace) -> None:
    """`intervals`: a table of scores with their confidence intervals."""
    from ..metrics.statistics.score_intervals import score_intervals

    check_reports([arguments.csv], [], [arguments.prediction, arguments.reference])
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
    tell(found, arguments)
