"""`predict`, and `batch` with what was saved: a guide learned from strokes, for other images."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import napari_segsuite as nss
from builders import two_halves, two_strokes
from napari_segsuite import cli
from napari_segsuite.errors import InputError
from napari_segsuite.space import Space

SHAPE = (9, 11, 12)
SPACING = (3.0, 0.75, 0.5)
SPACE = Space.regular(3, SPACING, "mm")
PREDICT = ["predict", "halves.guide.npz", "other.nii.gz", "-o", "labels.nii.gz"]


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("guide") / "halves.guide.npz"
    nss.PixelClassifier().fit(two_halves(SHAPE), 4 * two_strokes(SHAPE), SPACING).save(path)
    return path


@pytest.fixture
def inputs(guide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the guide and an image in which left and right are swapped."""
    monkeypatch.chdir(tmp_path)
    Path(guide.name).write_bytes(guide.read_bytes())
    nss.write("other.nii.gz", nss.Image(two_halves(SHAPE)[..., ::-1].copy(), SPACE))
    return tmp_path


def fails(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that ends with status 1, and give its one line."""
    assert cli.main(list(words)) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    return said.err


def test_predict_is_the_python_call(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*PREDICT, "--probabilities", "p.nii.gz"]) == 0
    said = capsys.readouterr()
    assert said.out == "labels.nii.gz: class 4, class 8\n"
    assert said.err == ""
    classifier = nss.PixelClassifier.load("halves.guide.npz")
    image = nss.read("other.nii.gz").data
    result = nss.read("labels.nii.gz")
    np.testing.assert_array_equal(result.labels, classifier.predict(image, SPACING))
    # Dark was painted with class 4 and lies on the right here.
    assert (result.labels[..., -4:] == 4).all()
    assert (result.labels[..., :4] == 8).all()
    assert result.space.is_close(SPACE)
    probabilities = nss.read("p.nii.gz", kind="image")
    assert probabilities.space.channel_axis == 0
    assert probabilities.space.without("channel").is_close(SPACE)
    np.testing.assert_array_equal(probabilities.data, classifier.probabilities(image, SPACING))


def test_labels_say_which_model_made_them(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import hashlib

    assert cli.main(PREDICT) == 0
    record = nss.read("labels.nii.gz").provenance
    digest = hashlib.sha256(Path("halves.guide.npz").read_bytes()).hexdigest()
    assert record.settings == {"model": "halves.guide.npz", "sha256": digest}
    assert record.injected["spacing"] == list(SPACING)
    assert record.inputs["image"]["shape"] == list(SHAPE)
    capsys.readouterr()
    said = fails(capsys, "batch", "labels.nii.gz", "other.nii.gz", "-o", "out")
    assert "made with the model halves.guide.npz; give that file instead" in said
    with pytest.raises(InputError, match=r"saved model halves\.guide\.npz; read that file"):
        nss.replay(record, "other.nii.gz")


def test_json_is_one_document(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*PREDICT, "--json", "--probabilities", "p.nii"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "output": "labels.nii.gz",
        "probabilities": "p.nii",
        "classes": [{"id": 4, "name": "class 4"}, {"id": 8, "name": "class 8"}],
    }


def test_a_plane_has_its_probabilities_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    image, seeds = two_halves(SHAPE[1:]), two_strokes(SHAPE[1:])
    nss.PixelClassifier().fit(image, seeds).save("flat.npz")
    nss.write("flat.nii", nss.Image(image, Space.regular(2)))
    words = ["predict", "flat.npz", "flat.nii", "-o", "labels.nii", "--probabilities", "p.nii"]
    assert cli.main(words) == 0
    assert nss.read("labels.nii").labels.shape == image.shape
    np.testing.assert_allclose(nss.read("p.nii", kind="image").data.sum(axis=0), 1, atol=1e-5)


def test_run_writes_probabilities_as_predict_does(folder: Path) -> None:
    words = ["run", "pixel_classifier", "image.nii.gz", "--seeds", "seeds.nii.gz", "-o", "x.nii"]
    assert cli.main([*words, "--extra", "probabilities=p.nii"]) == 0
    written = nss.read("p.nii", kind="image")
    space = nss.read("image.nii.gz").space
    assert written.data.shape == (2, *SHAPE)
    assert written.space.channel_axis == 0
    assert written.space.without("channel").is_close(space)


def test_channels_are_named_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    both = np.stack([two_halves(SHAPE), two_halves(SHAPE)[..., ::-1]])
    nss.PixelClassifier().fit(both, two_strokes(SHAPE), channel_axis=0).save("two.npz")
    nss.write("both.nii", nss.Image(both, Space.regular(4)))
    words = ["predict", "two.npz", "both.nii", "-o", "labels.nii", "--channel-axis", "0"]
    assert cli.main(words) == 0
    np.testing.assert_array_equal(
        nss.read("labels.nii").labels, nss.PixelClassifier.load("two.npz").predict(both, None, 0)
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_model_is_a_recipe(inputs: Path, capsys: pytest.CaptureFixture[str], jobs: str) -> None:
    assert cli.main(PREDICT) == 0
    nss.write("third.nii", nss.Image(two_halves(SHAPE), SPACE))
    words = ["batch", "halves.guide.npz", "other.nii.gz", "third.nii", "-o", "out"]
    assert cli.main([*words, "--jobs", jobs]) == 0
    alone, batched = nss.read("labels.nii.gz"), nss.read("out/other_labels.nii.gz")
    np.testing.assert_array_equal(batched.labels, alone.labels)
    assert batched.provenance == alone.provenance
    third = nss.read("out/third_labels.nii").labels
    assert (third[..., :4] == 4).all()
    assert (third[..., -4:] == 8).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*PREDICT[:-1], "halves.guide.npz"], "expected a file name ending in"),
        ([*PREDICT[:-1], "other.nii.gz"], "it is an input"),
        ([*PREDICT, "--probabilities", "labels.nii.gz"], "two outputs to labels.nii.gz"),
        ([*PREDICT, "--probabilities", "gone/p.nii"], "gone does not exist"),
        (["predict", "other.nii.gz", *PREDICT[2:]], "other.nii.gz: expected a classifier"),
        (["predict", "gone.npz", *PREDICT[2:]], "gone.npz: expected a classifier"),
        (["predict", "network.pt", *PREDICT[2:]], "network.pt: expected a classifier"),
        (["predict", PREDICT[1], "flat.nii", "-o", "x.nii"], "expected a 3D image"),
        (["batch", "network.pt", "other.nii.gz", "-o", "out"], "network.pt: expected a classifier"),
        (["batch", PREDICT[1], "other.nii.gz", "-o", "out", "--seeds", "s"], "expected no seeds"),
    ],
)
def test_a_problem_the_user_can_mend_is_one_line(
    inputs: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    nss.write("flat.nii", nss.Image(two_halves(SHAPE[1:]), Space.regular(2)))
    with zipfile.ZipFile("network.pt", "w") as archive:
        archive.writestr("data.pkl", b"")
    before = sorted(inputs.iterdir())
    assert message in fails(capsys, *words)
    assert sorted(inputs.iterdir()) == before


@pytest.mark.parametrize("words", [["predict"], PREDICT[:2], PREDICT[:3]])
def test_wrong_usage_ends_with_two(
    inputs: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert cli.main(words) == 2
    assert capsys.readouterr().err.startswith("usage: napari-segsuite predict ")


def test_an_image_that_would_not_fit_is_refused_before_the_work(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_segsuite.job_memory.available_memory", lambda: 1000)
    assert "needs about" in fails(capsys, *PREDICT)
