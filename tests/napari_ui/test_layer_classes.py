"""The class table that layers carry: kept alike, followed, never lost, labels untouched."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels, Layer
from napari.utils.colormaps import DirectLabelColormap

from napari_segsuite.image import CLASS_COLOURS, LabelClass, Segmentation
from napari_segsuite.napari_ui.adapters import layer_data, segmentation_from_layer
from napari_segsuite.napari_ui.layer_classes import LayerClasses
from napari_segsuite.space import Space

RED, GREEN, BLUE = (1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)
CLASSES = (LabelClass(1, "liver", RED), LabelClass(4, "vessel", BLUE))


def layer_of(classes=CLASSES, labels=None):
    labels = np.zeros((4, 5), np.uint8) if labels is None else labels
    return Layer.create(*layer_data(Segmentation(labels, Space.regular(2), classes)))


def table_of(*layers):
    table = LayerClasses()
    table.attach(layers)
    return table


def colour(layer, index):
    return tuple(np.round(np.asarray(layer.colormap.map(index), float), 3))


def test_the_table_is_that_of_the_layer():
    assert table_of(layer_of()).classes == CLASSES


@pytest.mark.parametrize("which", [0, 1])
def test_both_layers_get_the_same_table(which):
    layers = [layer_of(), Labels(np.zeros((4, 5), np.uint8))]
    table = table_of(*(layers if which else layers[::-1]))
    table.edit(4, name="portal vein", colour=GREEN, locked=True)
    table.edit(1, visible=False)
    for layer in layers:
        assert segmentation_from_layer(layer).classes == (
            LabelClass(1, "liver", RED, visible=False),
            LabelClass(4, "portal vein", GREEN, locked=True),
        )
        assert colour(layer, 1) == (0, 0, 0, 0)
        assert colour(layer, 4) == GREEN
    assert layers[0].colormap is not layers[1].colormap


def test_a_hidden_class_keeps_its_colour_over_copies_of_the_layer():
    layer = layer_of()
    table_of(layer).edit(1, visible=False)
    copied = Layer.create(*layer.as_layer_data_tuple())
    table = table_of(copied)
    assert table.classes == (LabelClass(1, "liver", RED, visible=False), CLASSES[1])
    table.edit(1, visible=True)
    assert colour(copied, 1) == RED
    assert list(copied.features) == ["index", "name"]  # napari's tooltip shows all others


def test_hidden_and_locked_classes_survive_the_round_trip_without_colours():
    classes = (LabelClass(2, "a", None, visible=False), LabelClass(3, "b", GREEN, locked=True))
    layer = layer_of(classes)
    assert segmentation_from_layer(layer).classes == classes
    table = table_of(layer)
    table.edit(2, visible=True)
    assert colour(layer, 2)[3] == 1


def test_a_new_class_gets_the_lowest_free_id_and_a_colour_of_its_own():
    orange = (0.9, 0.62, 0.0, 1.0)  # nearly the first of the palette
    table = table_of(layer_of((LabelClass(1, "a", orange), LabelClass(3, "b", CLASS_COLOURS[2]))))
    added = [table.add() for _ in range(8)]
    assert [entry.id for entry in added] == [2, 4, 5, 6, 7, 8, 9, 10]
    assert [entry.colour for entry in added[:5]] == [
        CLASS_COLOURS[index] for index in (1, 3, 4, 5, 6)
    ]
    assert len({entry.colour for entry in table.classes}) == 10


def test_painted_ids_adopt_the_colours_that_napari_shows():
    layer = Labels(np.zeros((4, 5), np.uint8))
    shown = {index: tuple(layer.colormap.map(index)) for index in (2, 7, 9)}
    layer.selected_label = 7
    layer.show_selected_label = True
    table = table_of(layer)
    assert table.classes == ()
    table.adopt([0, 7, 2])
    assert [(entry.id, entry.name) for entry in table.classes] == [(2, "class 2"), (7, "class 7")]
    table.edit(7, colour=GREEN)
    assert layer.colormap.use_selection
    assert layer.colormap.selection == 7
    layer.show_selected_label = False
    np.testing.assert_allclose(layer.colormap.map(2), shown[2], atol=1e-6)
    np.testing.assert_allclose(layer.colormap.map(9), shown[9], atol=1e-6)
    assert colour(layer, 7) == GREEN


def test_a_direct_colormap_keeps_its_other_colours():
    colours = {None: "gray", 0: "transparent", 1: "red", 3: "blue"}
    layer = Labels(np.zeros((4, 5), np.uint8), colormap=DirectLabelColormap(color_dict=colours))
    table = table_of(layer)
    assert table.classes == ()
    table.adopt([1, 2])
    table.edit(1, colour=GREEN)
    assert colour(layer, 1) == GREEN
    assert colour(layer, 3) == BLUE
    assert colour(layer, 2) not in (colour(layer, 99), (0, 0, 0, 0))


def test_a_class_taken_off_comes_back_with_its_name():
    layer = layer_of()
    table = table_of(layer)
    table.edit(4, locked=True)
    table.remove(4)
    assert table.classes == CLASSES[:1]
    assert list(layer.features["name"]) == ["background", "liver"]
    table.adopt([4])
    assert table.classes == (CLASSES[0], LabelClass(4, "vessel", BLUE, locked=True))


def test_changes_made_elsewhere_are_followed_once():
    seeds, result = layer_of(), layer_of()
    table = table_of(seeds, result)
    heard = []
    table.changed.connect(lambda: heard.append(table.classes))
    seeds.features = {"index": [0, 1, 2], "name": ["background", "spleen", "rib"]}
    assert [entry.name for entry in table.classes] == ["spleen", "rib"]
    assert list(result.features["name"]) == ["background", "spleen", "rib"]
    assert len(heard) == 1
    seeds.colormap = DirectLabelColormap(color_dict={None: "gray", 1: "blue", 2: "lime"})
    assert [entry.colour for entry in table.classes] == [BLUE, GREEN]
    assert colour(result, 2) == GREEN
    assert len(heard) == 2
    seeds.data = np.ones((4, 5), np.uint8)
    assert len(heard) == 2


def test_a_result_may_rename_but_not_remove():
    seeds, result = layer_of(), layer_of()
    table = table_of(seeds, result)
    result.features = {"index": [0, 4], "name": ["background", "vein"]}
    assert [entry.name for entry in table.classes] == ["liver", "vein"]
    assert list(seeds.features["name"]) == ["background", "liver", "vein"]
    assert list(result.features["name"]) == ["background", "liver", "vein"]


def test_names_wiped_out_elsewhere_are_put_back():
    layer = layer_of()
    table = table_of(layer)
    layer.features = {"index": [0, 1], "area": [5.0, 7.0]}
    assert table.classes == CLASSES
    assert list(layer.features["area"])[:2] == [5.0, 7.0]
    assert segmentation_from_layer(layer).classes == CLASSES


@pytest.mark.parametrize("index", [{"index": [3, 1, 0]}, {}])
def test_other_columns_of_the_features_stay(index):
    layer = Labels(np.zeros((4, 5), np.uint8), features={**index, "area": [7.0, 5.0, 2.0]})
    areas = {3: 7.0, 1: 5.0, 0: 2.0} if index else {0: 7.0, 1: 5.0, 2: 2.0}
    table = table_of(layer)
    table.put(CLASSES)
    table.edit(4, visible=False)
    table.remove(1)
    kept = dict(zip(layer.features["index"], layer.features["area"], strict=True))
    assert {key: kept[key] for key in areas} == areas
    assert table.classes == (LabelClass(4, "vessel", BLUE, visible=False),)
    assert segmentation_from_layer(layer).classes == table.classes


def test_what_is_alike_is_not_written_again():
    layer = layer_of()
    before = layer.colormap
    heard = []
    layer.events.features.connect(lambda _event: heard.append("features"))
    layer.events.colormap.connect(lambda _event: heard.append("colormap"))
    table = table_of(layer)
    table.edit(1, name="liver")
    assert heard == []
    table.edit(1, locked=True)
    assert heard == ["features"]
    assert layer.colormap is before
    table.edit(1, colour=GREEN)
    assert heard == ["features", "colormap"]


def test_labels_are_left_alone_and_nobody_listens_after():
    labels = np.arange(20, dtype=np.uint8).reshape(4, 5)
    layer = layer_of(labels=labels)
    counts = [len(e.callbacks) for e in (layer.events.features, layer.events.colormap)]
    table = table_of(layer)
    table.add()
    table.edit_all(visible=False)
    table.remove(1)
    assert layer.data is labels
    assert np.array_equal(labels.ravel(), np.arange(20))
    table.detach()
    assert [len(e.callbacks) for e in (layer.events.features, layer.events.colormap)] == counts
    assert table.classes == ()
