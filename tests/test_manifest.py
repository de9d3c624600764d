"""The manifest follows from the declared methods, and napari can use all of it."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite import docs_gen
from napari_segsuite.space import Space

npe2 = pytest.importorskip("npe2")

MANIFEST = Path(nss.__file__).with_name("napari.yaml")


needs_display = pytest.mark.skipif(
    sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ),
    reason="needs a display; .ci/test brings one",
)


@pytest.fixture(scope="module")
def manifest() -> npe2.PluginManifest:
    return npe2.PluginManifest.from_file(MANIFEST)


@pytest.fixture
def plugin(npe2pm: npe2.PluginManager, manifest: npe2.PluginManifest) -> npe2.PluginManager:
    npe2pm.register(manifest)
    return npe2pm


def test_manifest_is_what_the_declarations_say() -> None:
    assert MANIFEST.read_text(encoding="utf-8") == docs_gen.manifest_text(), (
        "run `napari-segsuite generate --write`"
    )


def test_manifest_is_valid(manifest: npe2.PluginManifest) -> None:
    manifest.validate_imports()


def test_every_command_leads_somewhere(manifest: npe2.PluginManifest) -> None:
    for command in manifest.contributions.commands:
        module, _, name = command.python_name.partition(":")
        assert callable(getattr(import_module(module), name)), command.id


def test_every_command_has_a_place(manifest: npe2.PluginManifest) -> None:
    points = manifest.contributions
    used = {entry.command for entry in (*points.widgets, *points.readers, *points.writers)}
    used |= {sample.command for sample in points.sample_data}
    assert used == {command.id for command in points.commands}


def test_every_own_method_has_a_widget_in_the_menu_of_its_family(
    manifest: npe2.PluginManifest,
) -> None:
    menus = manifest.contributions.menus
    submenus = {item.submenu for item in menus["napari/layers/segment"] if hasattr(item, "submenu")}
    assert submenus == {entry.id for entry in manifest.contributions.submenus}
    for method in docs_gen.own_methods():
        items = menus[f"napari-segsuite/{method.family}"]
        assert f"napari-segsuite.{method.id}" in [item.command for item in items]


def test_methods_of_other_packages_are_left_to_the_hub() -> None:
    foreign = nss.get_method("growcut")
    assert foreign in docs_gen.own_methods()
    only = docs_gen.build_manifest([foreign])
    ids = [command["id"] for command in only["contributions"]["commands"]]
    assert "napari-segsuite.growcut" in ids
    assert "napari-segsuite.watershed" not in ids


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_files_go_out_and_come_back_through_the_plugin(
    plugin: npe2.PluginManager, tmp_path: Path, suffix: str
) -> None:
    path = str(tmp_path / f"labels{suffix}")
    labels = np.zeros((3, 4, 5), dtype=np.uint8)
    labels[1:, 2:, 3:] = 2
    layer = (
        labels,
        {"name": "labels", **Space.regular(3, (3.0, 0.5, 0.5), "mm").to_layer_kwargs()},
    )
    written = npe2.write(path, [(*layer, "labels")], plugin_name="napari-segsuite")
    assert [str(entry) for entry in written] == [path]
    ((data, keywords, kind),) = npe2.read([path], stack=False, plugin_name="napari-segsuite")
    np.testing.assert_array_equal(data, labels)
    assert kind == "labels"
    np.testing.assert_allclose(keywords["scale"], (3.0, 0.5, 0.5))


def test_sample_opens_with_image_seeds_and_truth(plugin: npe2.PluginManager) -> None:
    ((_, (sample,)),) = plugin.iter_sample_data()
    layers = sample.open()
    assert [kind for _, _, kind in layers] == ["image", "labels", "labels"]
    assert len({data.shape for data, _, _ in layers}) == 1


def test_preferences_are_those_the_viewer_reads(manifest: npe2.PluginManifest) -> None:
    from napari_segsuite.napari_ui.settings import GROUP, PLUGIN, Preferences

    assert manifest.name == PLUGIN
    properties = manifest.contributions.configurations[GROUP].properties
    defaults = {name: entry.default for name, entry in properties.items()}
    assert defaults["device"] == Preferences.device
    assert defaults["undo_steps"] == Preferences.undo_steps
    assert defaults["memory_limit_gib"] == 0


@needs_display
def test_hub_and_forms_open_in_a_viewer(
    plugin: npe2.PluginManager, make_napari_viewer_proxy: object
) -> None:
    viewer = make_napari_viewer_proxy()  # type: ignore[operator]
    for name in ("All methods", "GrowCut"):
        dock, widget = viewer.window.add_plugin_dock_widget("napari-segsuite", name)
        assert widget is not None
        assert name in dock.name
