"""The verb that applies a model: predict."""

from __future__ import annotations

import argparse

from ..recipes import with_names
from .listing import AddVerb, print_json
from .outputs import check_outputs, summary, write_result
from .running import add_channel_axis, progress_bar
from .terminal import say

_PROBABILITIES = "probabilities"


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this module."""
    predict = add("predict", predict_image, "segment an image with a saved model")
    predict.add_argument("model", metavar="MODEL", help="file of a saved model")
    predict.add_argument("image", metavar="IMAGE", help="image file")
    predict.add_argument("-o", "--output", metavar="OUT", required=True, help="label file to write")
    predict.add_argument(
        "--probabilities", metavar="FILE", help="write the probability of each class, as channels"
    )
    add_channel_axis(predict)
    predict.add_argument("--json", action="store_true", help="print one JSON document")


def predict_image(arguments: argparse.Namespace) -> None:
    """`predict`: labels with the geometry of the image and the class names of the model."""
    from .. import jobs, saved_models
    from ..io.formats import format_of

    extras = {_PROBABILITIES: arguments.probabilities} if arguments.probabilities else {}
    outputs = (*extras.values(), arguments.output)
    for path in outputs:
        format_of(path)
    check_outputs(outputs, [arguments.model, arguments.image])
    model = saved_models.load(arguments.model)
    with progress_bar() as progress:
        result = jobs.segment(
            model.method,
            arguments.image,
            channel_axis=arguments.channel_axis,
            extras=tuple(extras),
            progress=progress,
        )
    result = with_names(result, model.classes)
    write_result(arguments.output, result, extras)
    if arguments.json:
        classes = [{"id": entry.id, "name": entry.name} for entry in result.classes]
        print_json({"output": arguments.output, **extras, "classes": classes})
    else:
        say(f"{arguments.output}: {summary(result)}")
