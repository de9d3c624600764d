"""Verbs for several raters, and for probabilities: consensus and probabilities."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import INTEGER_WORD, integer
from .listing import AddVerb
from .outputs import check_outputs, check_reports, write_result
from .running import progress_bar
from .scores import add_form, add_ignore, tell


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this module."""
    consensus = add("consensus", find_consensus, "merge the labels of several raters into one")
    consensus.add_argument("labels", metavar="LABELS", nargs="+", help="label file of a rater")
    consensus.add_argument(
        "--rule", choices=("staple", "majority"), default="staple", help="default: staple"
    )
    consensus.add_argument(
        "-o", "--output", metavar="OUT", type=Path, required=True, help="label file to write"
    )
    add_form(consensus)

    curves = add("probabilities", judge_probabilities, "judge a probability map")
    curves.add_argument("probability", metavar="PROBABILITY", help="image of values from 0 to 1")
    curves.add_argument("reference", metavar="REFERENCE", help="label file held to be true")
    curves.add_argument(
        "--label", metavar="L", type=integer, default=1, help="class it is of; default 1"
    )
    add_ignore(curves)
    curves.lists = {"--ignore": INTEGER_WORD}
    curves.add_argument(
        "--plot", metavar="FILE", type=Path, help="write the curves as PNG, SVG or PDF"
    )
    add_form(curves)


def find_consensus(arguments: argparse.Namespace) -> None:
    """`consensus`: a label file, and how well each rater agrees with it."""
    from ..metrics.raters.consensus import consensus

    check_reports([arguments.csv], [], arguments.labels)
    check_outputs([arguments.output], arguments.labels)
    names = [Path(path).name for path in arguments.labels]
    with progress_bar() as progress:
        found = consensus(arguments.labels, rule=arguments.rule, names=names, progress=progress)
    write_result(arguments.output, found.segmentation)
    tell(found, arguments)


def judge_probabilities(arguments: argparse.Namespace) -> None:
    """`probabilities`: areas under the curves, the best threshold, and calibration."""
    from ..metrics.probability.curves import evaluate_probabilities

    inputs = [arguments.probability, arguments.reference]
    check_reports([arguments.csv], [arguments.plot], inputs)
    with progress_bar() as progress:
        found = evaluate_probabilities(
            arguments.probability,
            arguments.reference,
            label=arguments.label,
            ignore=tuple(arguments.ignore),
            progress=progress,
        )
    if arguments.plot is not None:
        found.plot(arguments.plot)
    tell(found, arguments)
